internal import PipeText

extension Comparison {
  /// The comparison as one line of JSON, without its newline. Seconds, and fractions of 1; null if
  /// there is no result. Differences are B minus A.
  package var line: String {
    object([
      "verdict": quoted(verdict), "unit": quoted("batch"), "a": json(first), "b": json(second),
      "difference": difference,
      "welch": welch.map {
        object([
          "t": number($0.t), "degrees_of_freedom": number($0.freedom), "p": number($0.p),
        ])
      } ?? "null",
      "mann_whitney": mannWhitney.map {
        object(["u": number($0.u), "b_faster": number($0.below), "p": number($0.p)])
      } ?? "null",
      "success": success.map {
        object([
          "difference": number($0.difference), "low": number($0.interval.low),
          "high": number($0.interval.high), "p": number($0.p),
        ])
      } ?? "null",
    ])
  }

  private func json(_ side: ComparedSide) -> String {
    object([
      "name": quoted(side.name), "batches": "\(side.service.count)",
      "mean": number(side.service.mean), "variance": number(side.sample?.variance),
      "p50": number(side.service.percentile(50)), "p99": number(side.service.percentile(99)),
      "ratio": number(side.done.ratio), "low": number(side.done.interval?.low),
      "high": number(side.done.interval?.high),
    ])
  }

  private var difference: String {
    guard let welch else { return "null" }
    let percent = { (seconds: Double) in number(part(seconds).map { $0 * 100 }) }
    return object([
      "seconds": number(welch.difference), "low": number(welch.interval.low),
      "high": number(welch.interval.high), "percent": percent(welch.difference),
      "percent_low": percent(welch.interval.low), "percent_high": percent(welch.interval.high),
    ])
  }
}

extension Comparison {
  /// The comparison for people: at most 80 columns, a newline at the end.
  package var text: String {
    let (a, b) = shownNames
    let tests = tests(b)
    let lines = table(a, b) + (tests.isEmpty ? [] : [""] + tests) + [""] + sentences
    return lines.joined(separator: "\n") + "\n"
  }

  private func table(_ a: String, _ b: String) -> [String] {
    [
      row("", a, b),
      row("batches", "\(first.service.count)", "\(second.service.count)"),
      row("mean", inUnits(first.service.mean), inUnits(second.service.mean)),
      row("p50", time(first, 50), time(second, 50)),
      row("p99", time(first, 99), time(second, 99)),
      row("succeeded", ratio(first), ratio(second)),
      row("  95 %", bounds(first), bounds(second)),
    ]
  }

  private func row(_ name: String, _ one: String, _ two: String) -> String {
    name.left(14) + one.right(24) + two.right(24)
  }

  private func time(_ side: ComparedSide, _ percentile: Double) -> String {
    inUnits(side.service.percentile(percentile))
  }

  private func ratio(_ side: ComparedSide) -> String { side.done.ratio.map(percent) ?? "-" }

  private func bounds(_ side: ComparedSide) -> String {
    guard let interval = side.done.interval else { return "-" }
    return "\(percent(interval.low)) to \(percent(interval.high))"
  }

  private func tests(_ b: String) -> [String] {
    var lines: [String] = []
    if let welch {
      lines += ["difference    \(signed(welch.difference)), 95 %: " + times(welch.interval)]
      if let parts = parts(welch) { lines.append("              " + parts) }
      lines.append(
        "Welch         t = \(threeDigits(welch.t)), "
          + "\(threeDigits(welch.freedom)) degrees of freedom, \(said(welch.p))")
    }
    if let mannWhitney {
      lines.append(
        "Mann-Whitney  \(b) is faster in \(percent(mannWhitney.below)) of pairs, "
          + said(mannWhitney.p))
    }
    if let success {
      let interval = "\(points(success.interval.low)) to \(points(success.interval.high))"
      lines.append(
        "success       \(points(success.difference)) points, 95 %: \(interval), \(said(success.p))")
    }
    return lines
  }

  private func times(_ interval: Interval) -> String {
    "\(signed(interval.low)) to \(signed(interval.high))"
  }

  private func signed(_ seconds: Double) -> String { (seconds > 0 ? "+" : "") + inUnits(seconds) }

  private func parts(_ welch: Welch) -> String? {
    let parts = [welch.difference, welch.interval.low, welch.interval.high].compactMap(part)
    guard parts.count == 3 else { return nil }
    let texts = parts.map { ($0 > 0 ? "+" : "") + percent($0) }
    return "\(texts[0]), 95 %: \(texts[1]) to \(texts[2])"
  }

  private func points(_ part: Double) -> String { (part > 0 ? "+" : "") + fixed(part * 100, 1) }
}
