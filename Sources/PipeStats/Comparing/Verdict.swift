extension Comparison {
  /// What the tests come to.
  package var verdict: String { sentences(first.name, second.name).joined(separator: ". ") }

  /// The first says how the times differ; others only where the tests disagree or the successes differ.
  var sentences: [String] { sentences(shownNames.a, shownNames.b) }

  private func sentences(_ a: String, _ b: String) -> [String] {
    [times(a, b)] + [doubt(b), successes(b)].compactMap { $0 }
  }

  private func times(_ a: String, _ b: String) -> String {
    guard let welch else { return mannWhitney.map { constant(b, $0) } ?? tooFew(a, b) }
    return welch.p < Self.significance
      ? "\(b) is \(change(welch.difference)), \(said(welch.p))"
      : "no difference to be seen (\(said(welch.p)))"
  }

  // Where the times of neither vary, there is no t, and the ranks tell all.
  private func constant(_ b: String, _ ranks: MannWhitney) -> String {
    let (one, two) = (first.sample?.mean ?? 0, second.sample?.mean ?? 0)
    return one == two
      ? "no difference to be seen: each batch of both took \(inUnits(one))"
      : "\(b) is \(change(two - one)), \(said(ranks.p)): the time varies in neither"
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
        ? "But by Mann-Whitney there is no difference to be seen (\(said(ranks.p)))" : nil
    }
    let isFaster = ranks.below > 0.5
    if isSure, isFaster == (welch.difference < 0) { return nil }
    let pairs = percent(isFaster ? ranks.below : 1 - ranks.below)
    let word = isFaster ? "faster" : "slower"
    return "But by Mann-Whitney \(b) is \(word) in \(pairs) of pairs, \(said(ranks.p))"
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

  /// The names as they can be shown, where two that look alike are A and B.
  var shownNames: (a: String, b: String) {
    let (a, b) = (shown(first.name), shown(second.name))
    return a == b ? ("A", "B") : (a, b)
  }

  /// At most 16 characters, of a path the last ones, and nothing that a terminal would obey.
  private func shown(_ name: String) -> String {
    let plain = name.plain
    if plain.count <= 16 { return plain }
    return plain.contains("/") ? "…" + plain.suffix(15) : plain.prefix(15) + "…"
  }
}
