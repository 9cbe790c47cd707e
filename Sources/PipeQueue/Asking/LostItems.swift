package import PipeIO

/// Consecutive items of a lane that no intact line held when their turn came.
package struct LostItems {
  package let priority: Priority
  package let items: Int
  /// The number of the first; counts all items that the lane ever took, from 0.
  package let number: Int
  /// Below the queue, and the byte in it where they should begin.
  package let segment: String
  package let byte: Int
}

extension LostItems {
  init(_ range: ItemRange) {
    priority = range.lane
    items = range.count
    number = range.from.number
    segment = Segment.path(range.lane, range.from.segment)
    byte = range.from.offset
  }
}

extension Queue {
  /// Takes lost items out of the count, lane by lane in order, and calls `body` with each run of them. They
  /// stay failed.
  package func dropLost(_ body: (LostItems) throws(Fault) -> Void) throws(Fault) {
    for name in try dropLostNames() { try body(LostItems(name.range)) }
  }

  /// How many items are lost and not dropped, in all lanes.
  package func lostItems() throws(Fault) -> Int {
    let names = try namesNow()
    guard names.contains(where: \.isLost) else { return 0 }
    let ends = try ends()
    return Priority.allCases.reduce(0) { sum, lane in
      let line = LaneLine(lane, end: ends[lane].place, names: names)
      return sum + line.final(.lost).reduce(0) { $0 + $1.count }
    }
  }

  private func dropLostNames() throws(Fault) -> [NowName] {
    try lockNow(exclusive: true)
    defer { unlockNow() }
    let lost = try listNow().names.filter(\.isLost).sorted { $0.range.comesBefore($1.range) }
    for name in lost { _ = try rename(name, to: NowName(name.range, .dropped)) }
    try now().flush()
    return lost
  }
}
