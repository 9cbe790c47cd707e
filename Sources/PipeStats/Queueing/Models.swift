internal import Glibc

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
