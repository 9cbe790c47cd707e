/// One lane as a line of items, and what the names of now/ say of it. Pure: no file is looked at.
///
/// What no name covers is ready. Over one item the name with the highest rank is true; of two `again` names
/// one of which contains the other, the wider.
struct LaneMap {
  let lane: Lane
  let end: Position
  /// Of this lane, by start, the wider first.
  let names: [NowName]

  /// `end` read after the names: what they cover lies before it, but for what a crash took back.
  init(_ lane: Lane, end: Position, names: [NowName]) {
    self.lane = lane
    self.end = end
    self.names = names.filter { $0.range.lane == lane && $0.range.from.number < end.number }
      .sorted { $0.range.comesBefore($1.range) }
  }

  /// Ranges that none of `covering` covers, up to the end.
  func gaps(_ covering: [NowName]) -> [ItemRange] {
    var found: [ItemRange] = []
    var at = Position.origin
    for name in covering {
      if name.range.from > at { found.append(ItemRange(lane: lane, from: at, to: name.range.from)) }
      if name.range.to > at { at = name.range.to }
    }
    if end > at { found.append(ItemRange(lane: lane, from: at, to: end)) }
    return found
  }

  /// Ranges never dispatched, or given back unharmed.
  var untouched: [ItemRange] { gaps(names) }

  /// Names that the clock makes ready, those that no claim overlaps and no wider one contains.
  var waiting: [NowName] {
    let claims = names.filter(\.isClaim)
    var next = 0
    var found: [NowName] = []
    for name in names where name.due != nil {
      // Claims never overlap each other, so both lists are gone through once.
      while next < claims.count, claims[next].range.to <= name.range.from { next += 1 }
      if next < claims.count, claims[next].range.overlaps(name.range) { continue }
      if found.last?.range.contains(name.range) == true { continue }
      found.append(name)
    }
    return found
  }

  /// Ranges that are not done: those no done name covers, and those that an exception covers.
  var undone: [ItemRange] {
    ItemRange.merged(names.filter { !$0.isFinal }.map(\.range) + gaps(names))
  }

  /// Ranges whose names say `state`, without those of which a name of higher rank says something else.
  func final(_ state: NowName.State) -> [ItemRange] {
    let higher = ItemRange.merged(names.filter { $0.state.rank > state.rank }.map(\.range))
    return ItemRange.merged(names.filter { $0.state == state }.map(\.range)).flatMap {
      $0.removing(higher)
    }
  }

  /// What a single item is, `number` being before the end; nil: ready, never dispatched.
  func state(of number: Int) -> NowName.State? {
    var result: NowName.State?
    for name in names where name.range.from.number <= number && number < name.range.to.number {
      // Of two `again` names the wider comes first.
      if result.map({ $0.rank < name.state.rank }) ?? true { result = name.state }
    }
    return result
  }
}
