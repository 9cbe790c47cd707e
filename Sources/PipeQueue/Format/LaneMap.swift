/// A lane as a sequence of items, and what the names of now/ say about them. Pure: no file is read.
///
/// Items that no name covers are ready. If several names cover an item, the one with the highest
/// rank is true; if one `again` name contains another, the wider one.
struct LaneMap {
  let lane: Lane
  let end: Position
  /// Names of this lane that begin before its end, by start; of two that start together, the wider first.
  let names: ArraySlice<NowName>
  /// Also those that begin after it, which are as true: a power cut may have undone the last moves of the end.
  private let all: [NowName]

  /// `end` is read after the names.
  init(_ lane: Lane, end: Position, names: [NowName]) {
    self.lane = lane
    self.end = end
    all = names.filter { $0.range.lane == lane }.sorted { $0.range.comesBefore($1.range) }
    self.names = all[..<all.partitionPoint { $0.range.from.number < end.number }]
  }

  /// Ranges that no name of `covering` covers, up to the end.
  func gaps(_ covering: ArraySlice<NowName>) -> [ItemRange] {
    var found: [ItemRange] = []
    var at = Position.origin
    for name in covering {
      if name.range.from > at { found.append(ItemRange(lane: lane, from: at, to: name.range.from)) }
      if name.range.to > at { at = name.range.to }
    }
    if end > at { found.append(ItemRange(lane: lane, from: at, to: end)) }
    return found
  }

  /// Ranges never handed out, or given back with no attempt counted.
  var untouched: [ItemRange] { gaps(names) }

  /// Names that the clock makes ready, except those that a claim overlaps or a wider one contains.
  var waiting: [NowName] {
    let claims = names.filter(\.isClaim)
    var next = 0
    var found: [NowName] = []
    for name in names where name.due != nil {
      // Claims never overlap each other, so one pass over both lists is enough.
      while next < claims.count, claims[next].range.to <= name.range.from { next += 1 }
      if next < claims.count, claims[next].range.overlaps(name.range) { continue }
      if found.last?.range.contains(name.range) == true { continue }
      found.append(name)
    }
    return found
  }

  /// Ranges that are not final: those that no name covers, and those that a claim, `hold` or
  /// `again` covers.
  var undone: [ItemRange] {
    ItemRange.merged(names.filter { !$0.isFinal }.map(\.range) + gaps(names))
  }

  /// Ranges whose names say `state`, minus those with another state by a name of higher rank.
  func final(_ state: NowName.State) -> [ItemRange] {
    let higher = ItemRange.merged(names.filter { $0.state.rank > state.rank }.map(\.range))
    return ItemRange.merged(names.filter { $0.state == state }.map(\.range)).flatMap {
      $0.removing(higher)
    }
  }

  /// State of a single item, also of one after the end; nil: ready, and never handed out.
  func state(of number: Int) -> NowName.State? {
    var result: NowName.State?
    for name in number < end.number ? names : all[...]
    where name.range.from.number <= number && number < name.range.to.number {
      // The wider of two `again` names comes first, so it wins.
      if result.map({ $0.rank < name.state.rank }) ?? true { result = name.state }
    }
    return result
  }
}
