internal import PipeText

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
