internal import PipeText

/// Whether two consumers differ in service time and success. The unit is the batch: all items of a
/// batch share its service time and mostly its outcome. Counting each item would therefore claim
/// more independent measurements than there are (Hurlbert, "Pseudoreplication and the design of
/// ecological field experiments", Ecological Monographs 54 (1984), pp. 187–211), and make p too
/// small.
package struct Comparison {
  package let first: ComparedSide
  package let second: ComparedSide
  /// For the service times of acknowledged batches; both nil if there are too few samples, Welch's
  /// also if neither sample varies.
  package let welch: Welch?
  package let mannWhitney: MannWhitney?
  /// For the success ratios; nil if either side settled nothing.
  package let success: RatioDifference?

  /// Below this number of batches on a side, the times are not compared.
  package static let fewest = 10
  /// A difference with p below this is significant.
  package static let significance = 0.05

  package init(_ first: ComparedSide, _ second: ComparedSide) {
    self.first = first
    self.second = second
    success = RatioDifference(first.done, second.done)
    let isEnough = first.isEnough && second.isEnough
    if let one = first.sample, let two = second.sample, isEnough {
      welch = Welch(one, two)
    } else {
      welch = nil
    }
    mannWhitney = isEnough ? MannWhitney(first.values, second.values) : nil
  }

  /// A difference as a fraction of the first mean, which is taken as exact; nil if that is 0.
  func part(_ difference: Double) -> Double? {
    guard let mean = first.sample?.mean, mean > 0 else { return nil }
    return difference / mean
  }
}

/// One side of a comparison.
package struct ComparedSide {
  package let name: String
  /// Service times of acknowledged batches.
  package let service: Latency
  /// Nil below two batches.
  package let sample: Sample?
  /// Acknowledged batches among all settled ones.
  package let done: Proportion

  package init(_ activity: Activity, named name: String) {
    self.name = name
    service = activity.batches
    sample = Sample(service)
    done = Proportion(part: service.count, rest: activity.failures.count)
  }

  var isEnough: Bool { service.count >= Comparison.fewest }

  var values: [(value: Double, count: Int)] { service.values.map { ($0.seconds, $0.count) } }
}

extension Comparison {
  /// The conclusion from the tests.
  package var verdict: String { sentences(first.name, second.name).joined(separator: ". ") }

  /// The first says how the times differ; others follow only if the tests disagree or the success
  /// ratios differ.
  var sentences: [String] { sentences(shownNames.a, shownNames.b) }

  private func sentences(_ a: String, _ b: String) -> [String] {
    [times(a, b)] + [doubt(b), successes(b)].compactMap { $0 }
  }

  private func times(_ a: String, _ b: String) -> String {
    guard let welch else { return mannWhitney.map { constant(b, $0) } ?? tooFew(a, b) }
    return welch.p < Self.significance
      ? "\(b) is \(change(welch.difference)), \(said(welch.p))"
      : "no significant difference (\(said(welch.p)))"
  }

  // If neither sample varies, there is no t, and the ranks decide.
  private func constant(_ b: String, _ ranks: MannWhitney) -> String {
    let (one, two) = (first.sample?.mean ?? 0, second.sample?.mean ?? 0)
    return one == two
      ? "no difference: every batch of both took \(inUnits(one))"
      : "\(b) is \(change(two - one)), \(said(ranks.p)): the times of both are constant"
  }

  private func change(_ difference: Double) -> String {
    let word = difference < 0 ? "faster" : "slower"
    guard let part = part(abs(difference)) else {
      return "\(word) by \(inUnits(abs(difference)))"
    }
    return "\(percent(part)) \(word)"
  }

  private func doubt(_ b: String) -> String? {
    guard let welch, let ranks = mannWhitney else { return nil }
    let isSure = welch.p < Self.significance
    guard ranks.p < Self.significance else {
      return isSure
        ? "But Mann-Whitney finds no significant difference (\(said(ranks.p)))" : nil
    }
    let isFaster = ranks.below > 0.5
    if isSure, isFaster == (welch.difference < 0) { return nil }
    let pairs = percent(isFaster ? ranks.below : 1 - ranks.below)
    let word = isFaster ? "faster" : "slower"
    return "But Mann-Whitney finds \(b) \(word) in \(pairs) of pairs, \(said(ranks.p))"
  }

  private func successes(_ b: String) -> String? {
    guard let success, success.p < Self.significance else { return nil }
    let word = success.difference < 0 ? "less" : "more"
    let points = fixed(abs(success.difference) * 100, 1)
    return "\(b) succeeds \(word) often, by \(points) points, \(said(success.p))"
  }

  private func tooFew(_ a: String, _ b: String) -> String {
    let few = [(a, first), (b, second)].filter { !$0.1.isEnough }.map { name, side in
      "\(name) has \(counted(side.service.count, "batch", "batches"))"
    }
    return "too few samples: " + few.joined(separator: ", ")
  }

  /// The names for display; two that look alike become A and B.
  var shownNames: (a: String, b: String) {
    let (a, b) = (shown(first.name), shown(second.name))
    return a == b ? ("A", "B") : (a, b)
  }

  /// At most 16 characters, the last ones of a path, and none that a terminal would obey.
  private func shown(_ name: String) -> String {
    let plain = name.plain
    if plain.count <= 16 { return plain }
    return plain.contains("/") ? "…" + plain.suffix(15) : plain.prefix(15) + "…"
  }
}

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
