/// Where an item is: its number in the lane, and the line that holds it. The number alone orders
/// positions; segment and offset only locate the bytes.
struct Position: Equatable, Comparable {
  /// Counts all items that the lane ever took, from 0.
  var number: Int
  var segment: Int
  /// Byte at which the item's line begins, or the end of the segment's lines.
  var offset: Int

  static let origin = Position(number: 0, segment: Segment.first, offset: 0)

  static func < (one: Position, other: Position) -> Bool { one.number < other.number }
}

/// Consecutive items of one lane; `to` is not included.
struct ItemRange: Equatable {
  let lane: Lane
  var from: Position
  var to: Position

  var count: Int { to.number - from.number }

  /// By lane, then by item; of two ranges that begin together, the wider comes first.
  func comesBefore(_ other: ItemRange) -> Bool {
    if lane != other.lane { return lane < other.lane }
    return from.number != other.from.number ? from.number < other.from.number : count > other.count
  }

  func contains(_ other: ItemRange) -> Bool {
    lane == other.lane && from.number <= other.from.number && to.number >= other.to.number
  }

  func overlaps(_ other: ItemRange) -> Bool {
    lane == other.lane && from.number < other.to.number && other.from.number < to.number
  }

  /// The same items in as few ranges as possible, in order. All ranges must be of one lane.
  static func merged(_ ranges: [ItemRange]) -> [ItemRange] {
    var found: [ItemRange] = []
    for range in ranges.sorted(by: { $0.comesBefore($1) }) {
      if let last = found.last, last.to >= range.from {
        if range.to > last.to { found[found.count - 1].to = range.to }
      } else {
        found.append(range)
      }
    }
    return found
  }

  /// The same for ranges of any lanes.
  static func mergedByLane(_ ranges: [ItemRange]) -> [ItemRange] {
    Lane.allCases.flatMap { lane in merged(ranges.filter { $0.lane == lane }) }
  }

  /// The range without the items of `others`, which are merged and in order.
  func removing(_ others: [ItemRange]) -> [ItemRange] {
    var left: [ItemRange] = []
    var rest = self
    let first = others.partitionPoint { $0.to <= from }
    for other in others[first...].prefix(while: { $0.from < to }) where other.overlaps(rest) {
      if rest.from < other.from {
        left.append(ItemRange(lane: lane, from: rest.from, to: other.from))
      }
      if other.to >= rest.to { return left }
      rest.from = other.to
    }
    return left + [rest]
  }
}

extension ItemRange {
  var numbers: Range<Int> { from.number..<to.number }

  func touches(_ numbers: Range<Int>) -> Bool {
    from.number < numbers.upperBound && numbers.lowerBound < to.number
  }
}

extension [ItemRange] {
  /// The number of items in all of them.
  var items: Int { reduce(0) { $0 + $1.count } }

  /// Whether one of these ranges contains `range`. They must be merged and of its lane.
  func containsOne(with range: ItemRange) -> Bool {
    let next = partitionPoint { $0.to.number <= range.from.number }
    return next < count && self[next].contains(range)
  }

  /// Those that one of `others` contains, which are in order and do not overlap in each lane.
  func within(_ others: [ItemRange]) -> [ItemRange] {
    let byLane = PerLane { lane in others.filter { $0.lane == lane } }
    return filter { byLane[$0.lane].containsOne(with: $0) }
  }
}
