extension ModelReport {
  /// For people: at most 80 columns, a newline at the end.
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
      The models' customers are batches; what was measured is per item.
      """
  }

  private func facts(_ station: Station) -> [String] {
    let deviation = station.variance.squareRoot()
    return [
      "arrivals     \(threeDigits(station.arrivals)) a second (lambda)",
      "service      \(inUnits(station.service)) on average; "
        + "one consumer serves \(threeDigits(station.rate)) a second (mu)",
      "             deviation \(inUnits(deviation)), \(fixed(deviation / station.service, 2)) "
        + "of the mean; M/M/1 supposes 1",
      "utilisation  \(percent(station.load)) of one consumer (rho)",
    ]
  }

  /// Never rounded up to what would be unstable.
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
      let words = isStable == true ? "one consumer more" : "\(more.consumers) consumers"
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
