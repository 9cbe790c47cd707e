extension Comparison {
  /// What the tests come to.
  package var verdict: String { sentences.joined(separator: ". ") }

  /// The first says how the times differ; others only where the tests disagree or the successes differ.
  var sentences: [String] {
    [times] + [doubt, successes].compactMap { $0 }
  }

  private var times: String {
    guard let welch else { return tooFew }
    return welch.p < Self.significance
      ? "\(b) is \(change(welch)), \(said(welch.p))"
      : "no difference to be seen (\(said(welch.p)))"
  }

  private func change(_ welch: Welch) -> String {
    let word = welch.difference < 0 ? "faster" : "slower"
    guard let part = part(abs(welch.difference)) else {
      return "\(word) by \(inUnits(abs(welch.difference)))"
    }
    return "\(percent(part)) \(word)"
  }

  private var doubt: String? {
    guard let welch, let ranks = mannWhitney else { return nil }
    let isSure = welch.p < Self.significance
    guard ranks.p < Self.significance else {
      return isSure
        ? "But by Mann-Whitney there is no difference to be seen (\(said(ranks.p)))" : nil
    }
    let isFaster = ranks.below > 0.5
    if isSure, isFaster == (welch.difference < 0) { return nil }
    let pairs = percent(isFaster ? ranks.below : 1 - ranks.below)
    let word = isFaster ? "faster" : "slower"
    return "But by Mann-Whitney \(b) is \(word) in \(pairs) of pairs, \(said(ranks.p))"
  }

  private var successes: String? {
    guard let success, success.p < Self.significance else { return nil }
    let word = success.difference < 0 ? "less" : "more"
    let points = fixed(abs(success.difference) * 100, 1)
    return "\(b) succeeds \(word) often, by \(points) points, \(said(success.p))"
  }

  private var tooFew: String {
    let few = [(a, first), (b, second)].filter { !$0.1.isEnough }.map { name, side in
      "\(name) has \(counted(side.service.count, "batch", "batches"))"
    }
    guard few.isEmpty else { return "too few samples: " + few.joined(separator: ", ") }
    return "too few samples: the time varies neither in \(a) nor in \(b)"
  }

  /// The names as they can be shown.
  var a: String { shown(first.name) }
  var b: String { shown(second.name) }

  /// At most 16 characters, and nothing that a terminal would obey.
  private func shown(_ name: String) -> String {
    let plain = String(
      String.UnicodeScalarView(
        name.unicodeScalars.map {
          $0.properties.generalCategory.isShown ? $0 : "?"
        }))
    return plain.count > 16 ? plain.prefix(15) + "…" : plain
  }
}

extension Unicode.GeneralCategory {
  fileprivate var isShown: Bool {
    switch self {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned,
      .privateUse:
      false
    default: true
    }
  }
}
