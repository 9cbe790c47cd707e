internal import Glibc
internal import PipeText

/// A queue as the models see it: customers arrive at random, independently of each other, and the
/// service time of each does not depend on the others; first come, first served.
package struct Station {
  /// λ: customers that arrive per second.
  package let arrivals: Double
  /// 1/µ: the mean service time, in seconds.
  package let service: Double
  /// σ²: the variance of the service times, in seconds².
  package let variance: Double

  /// Nil if a rate is not above 0, or a value is not finite.
  package init?(arrivals: Double, service: Double, variance: Double) {
    guard arrivals > 0, service > 0, variance >= 0, arrivals.isFinite, service.isFinite,
      variance.isFinite, (arrivals * service).isFinite, (1 / service).isFinite
    else { return nil }
    self.arrivals = arrivals
    self.service = service
    self.variance = variance
  }

  /// µ: customers that one consumer can serve per second.
  package var rate: Double { 1 / service }

  /// ρ: the average number of busy consumers; from 1 on, one consumer cannot keep up.
  package var load: Double { arrivals * service }

  /// The least number of consumers that keep up; nil if a million do not.
  package var consumersNeeded: Int? { load < 1e6 ? Int(load) + 1 : nil }
}

/// M/M/c: c equal consumers with exponential service times; M/M/1 with one.
package struct ExponentialService {
  package let consumers: Int
  /// Erlang's C: the probability that a customer has to wait.
  package let waiting: Double
  /// cµ − λ, per second: how fast a backlog shrinks.
  private let drain: Double
  /// µ, per second.
  private let rate: Double

  /// Kleinrock, Queueing Systems I (1975), sections 3.2 and 3.5. Nil if this number of consumers
  /// cannot keep up, and for fewer than one or more than a million.
  package init?(_ station: Station, consumers: Int = 1) {
    guard consumers >= 1, consumers <= 1_000_000 else { return nil }
    let busy = station.load / Double(consumers)
    drain = Double(consumers) * station.rate - station.arrivals
    guard busy < 1, drain > 0, drain.isFinite else { return nil }
    rate = station.rate
    self.consumers = consumers
    // Erlang's B by its recursion, B(c) = ρB(c−1) / (c + ρB(c−1)), which neither overflows nor
    // cancels: Jagerman, "Some properties of the Erlang loss function", Bell Syst. Tech. J. 53
    // (1974).
    var lost = 1.0
    for count in 1...consumers {
      lost = station.load * lost / (Double(count) + station.load * lost)
    }
    waiting = lost / (1 - busy * (1 - lost))
  }

  /// Seconds.
  package var meanWait: Double { waiting / drain }

  /// Waiting and service, in seconds.
  package var meanTotal: Double { meanWait + 1 / rate }

  /// The wait in seconds that the share `quantile` of all customers, 0 ..< 1, does not exceed:
  /// P(wait > t) = C·e^−(cµ−λ)t.
  package func wait(quantile: Double) -> Double? {
    guard quantile >= 0, quantile < 1 else { return nil }
    return max(0, log(waiting / (1 - quantile)) / drain)
  }

  /// The same for waiting and service: the root of `longer`, except with one consumer, where the
  /// total is exponential.
  package func total(quantile: Double) -> Double? {
    guard quantile >= 0, quantile < 1 else { return nil }
    if consumers == 1 { return -log1p(-quantile) / drain }
    return root(near: 1 / rate) { longer(than: $0) > 1 - quantile }
  }

  /// The probability of a total above t: service alone, or service after a wait that is exponential
  /// too. The sum of two exponential times, of rates µ and θ, exceeds t with
  /// e^−µt + µt·e^−min(µ,θ)t·(1 − e^−g)/g where g = |µ − θ|t: nothing cancels if the rates are
  /// close, and nothing overflows.
  private func longer(than time: Double) -> Double {
    let gap = abs(drain - rate) * time
    let spread = gap < 1e-12 ? 1 : -expm1(-gap) / gap
    return exp(-rate * time) + waiting * rate * time * exp(-min(rate, drain) * time) * spread
  }
}

/// M/G/1: one consumer, service times of any distribution.
package struct GeneralService {
  /// Seconds.
  package let meanWait: Double
  /// Waiting and service, in seconds.
  package let meanTotal: Double

  /// W = λ(σ² + 1/µ²) / 2(1 − ρ): Pollaczek, Math. Zeitschrift 32 (1930), pp. 64–100; Khinchine,
  /// Mat. Sbornik 39 (1932), pp. 73–84; Kleinrock, Queueing Systems I (1975), section 5.5. Nil if ρ
  /// is 1 or more.
  package init?(_ station: Station) {
    let square = station.variance + station.service * station.service
    meanWait = station.arrivals * square / (2 * (1 - station.load))
    meanTotal = meanWait + station.service
    guard station.load < 1, meanTotal.isFinite else { return nil }
  }
}

/// Predictions of queueing models beside the measurements. The customers are batches, since a
/// consumer serves one batch at a time: λ is the number of batches that arrived per second, and a
/// failed batch took its service time too.
package struct ModelReport {
  /// Settled batches, done and failed.
  package let batches: Int
  /// The length of the window.
  package let seconds: Double?
  package let itemsPerBatch: Double
  /// Batches that arrived, estimated from the items.
  package let arrivals: Double
  /// The measured times, per item.
  package let wait: Latency
  package let total: Latency
  /// Nil if there are too few samples.
  package let station: Station?
  /// M/M/1 and M/G/1; nil if one consumer cannot keep up.
  package let exponential: ExponentialService?
  package let general: GeneralService?
  /// M/M/2, or the least M/M/c that keeps up; nil if a million consumers do not.
  package let more: ExponentialService?

  /// Below this number of batches the models are not used.
  package static let fewest = 30

  /// `accepted`: items that arrived in `seconds`.
  package init(_ activity: Activity, accepted: Int, seconds: Double?) {
    var service = activity.batches
    service.add(activity.failures)
    batches = service.count
    self.seconds = seconds
    let success = activity.success
    let items = Double(success.acknowledged) + Double(success.failed)
    let itemsPerBatch = batches > 0 ? items / Double(batches) : 0
    self.itemsPerBatch = itemsPerBatch
    arrivals = itemsPerBatch > 0 ? Double(accepted) / itemsPerBatch : 0
    wait = activity.wait
    total = activity.total
    station = Self.station(service, arrivals, seconds)
    exponential = station.flatMap { ExponentialService($0) }
    general = station.flatMap { GeneralService($0) }
    more = station.flatMap { station in
      station.consumersNeeded.flatMap {
        ExponentialService(station, consumers: max(2, $0))
      }
    }
  }

  private static func station(
    _ service: Latency, _ arrivals: Double, _ seconds: Double?
  ) -> Station? {
    guard let seconds, arrivals > 0, let sample = Sample(service), service.count >= fewest else {
      return nil
    }
    return Station(
      arrivals: arrivals / seconds, service: sample.mean, variance: sample.variance)
  }

  /// Whether one consumer keeps up; nil if there are too few samples.
  package var isStable: Bool? { station.map { _ in exponential != nil } }
}

extension ModelReport {
  /// The report as one line of JSON, without its newline. Seconds; null if a model has no result.
  package var line: String {
    object([
      "verdict": quoted(isStable.map { $0 ? "stable" : "unstable" } ?? "too few samples"),
      "batches": "\(batches)", "seconds": number(seconds),
      "items_per_batch": number(batches > 0 ? itemsPerBatch : nil),
      "lambda": number(station?.arrivals), "mu": number(station?.rate),
      "rho": number(station?.load), "service": service,
      "measured": object(["wait": measured(wait), "total": measured(total)]),
      "mm1": json(exponential),
      "mg1": general.map {
        object([
          "wait": object(["mean": number($0.meanWait)]),
          "total": object(["mean": number($0.meanTotal)]),
        ])
      } ?? "null",
      "mmc": json(more), "sentence": quoted(sentence),
    ])
  }

  private var service: String {
    object(["mean": number(station?.service), "variance": number(station?.variance)])
  }

  private func measured(_ latency: Latency) -> String {
    object([
      "mean": number(latency.mean), "p50": number(latency.percentile(50)),
      "p99": number(latency.percentile(99)),
    ])
  }

  private func json(_ model: ExponentialService?) -> String {
    guard let model else { return "null" }
    return object([
      "consumers": "\(model.consumers)", "waiting": number(model.waiting),
      "wait": times(model.meanWait, model.wait),
      "total": times(model.meanTotal, model.total),
    ])
  }

  private func times(_ mean: Double, _ quantile: (Double) -> Double?) -> String {
    object(["mean": number(mean), "p50": number(quantile(0.5)), "p99": number(quantile(0.99))])
  }
}

extension ModelReport {
  /// The effect of another consumer, or why there is no prediction.
  package var sentence: String {
    guard let station else { return tooFew }
    guard let exponential else { return unstable(station) }
    guard let more else { return "The models predict nothing for a second consumer." }
    let (now, then) = (exponential.meanTotal, more.meanTotal)
    let saved = (now - then) / now * 100
    return saved < 1
      ? "By M/M/2, a second consumer changes little: a mean total of \(inUnits(then))."
      : "By M/M/2, a second consumer cuts the mean total from \(inUnits(now)) to \(inUnits(then))."
  }

  private var tooFew: String {
    if batches < Self.fewest {
      return "too few samples: \(counted(batches, "batch", "batches")), \(Self.fewest) needed"
    }
    guard let seconds, seconds > 0 else { return "too few samples: no time has passed" }
    guard arrivals > 0 else { return "too few samples: nothing arrived in this time" }
    return "too few samples: the service times are too short to measure"
  }

  private func unstable(_ station: Station) -> String {
    let start = "unstable: one consumer cannot keep up"
    guard let more else { return start + ", nor would a million" }
    return start
      + "; \(threeDigits(station.load)) would be busy, \(more.consumers) would suffice"
  }
}

/// `1 batch`, `2 batches`.
func counted(_ count: Int, _ one: String, _ many: String) -> String {
  "\(count) \(count == 1 ? one : many)"
}

extension ModelReport {
  /// The report for people: at most 80 columns, a newline at the end.
  package var text: String {
    guard let station else { return sentence + "\n" }
    var lines = [title, ""]
    lines += facts(station)
    lines += ["", row("", "mean wait", "mean total", "p50 total", "p99 total")]
    lines += rows
    lines += ["", sentence]
    return lines.joined(separator: "\n") + "\n"
  }

  private var title: String {
    let time = "\(batches) batches in \(inUnits(seconds))"
    guard itemsPerBatch > 1 else { return time }
    return time + """
      , of \(threeDigits(itemsPerBatch)) items on average.
      The models' customers are batches; the measured times are per item.
      """
  }

  private func facts(_ station: Station) -> [String] {
    let deviation = station.variance.squareRoot()
    return [
      "arrivals     \(threeDigits(station.arrivals)) a second (lambda)",
      "service      \(inUnits(station.service)) on average; "
        + "one consumer serves \(threeDigits(station.rate)) a second (mu)",
      "             deviation \(inUnits(deviation)), \(fixed(deviation / station.service, 2)) "
        + "of the mean; M/M/1 assumes 1",
      "utilisation  \(percent(station.load)) of one consumer (rho)",
    ]
  }

  /// Rounded down, so that a stable load is never shown as an unstable one.
  private func percent(_ load: Double) -> String {
    load < 1e9 ? fixed((load * 1000).rounded(.down) / 10, 1) + " %" : threeDigits(load * 100) + " %"
  }

  private var rows: [String] {
    var rows = [
      row("measured", wait.mean, total.mean, total.percentile(50), total.percentile(99)),
      row("M/M/1", exponential),
      row("M/G/1", general?.meanWait, general?.meanTotal, nil, nil),
    ]
    if let more {
      let words = isStable == true ? "one more consumer" : "\(more.consumers) consumers"
      rows.append(row("M/M/\(more.consumers), \(words)", more))
    }
    return rows
  }

  private func row(_ name: String, _ model: ExponentialService?) -> String {
    row(
      name, model?.meanWait, model?.meanTotal, model?.total(quantile: 0.5),
      model?.total(quantile: 0.99))
  }

  private func row(_ name: String, _ times: Double?...) -> String {
    line(name, times.map { inUnits($0) })
  }

  private func row(_ name: String, _ words: String...) -> String { line(name, words) }

  private func line(_ name: String, _ cells: [String]) -> String {
    name.left(30) + cells.map { $0.right(12) }.joined()
  }
}
