package import PipeIO
internal import PipeTime

/// Consecutive items of a lane that no intact line held when their turn came.
package struct LostItems {
  package let priority: Lane
  package let items: Int
  /// The number of the first item; counts all items that the lane ever took, from 0.
  package let number: Int
  /// Relative to the queue; `byte` is where in it the items should begin.
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
  /// Drops the lost items, lane by lane in order, and calls `body` with each run of them. They no
  /// longer count as lost, and stay failed.
  package func dropLost(_ body: (LostItems) throws(Fault) -> Void) throws(Fault) {
    for name in try dropLostNames() { try body(LostItems(name.range)) }
  }

  /// How many items in all lanes are lost and not dropped.
  package func lostItems() throws(Fault) -> Int {
    let names = try namesNow()
    guard names.contains(where: \.isLost) else { return 0 }
    let ends = try ends()
    return Lane.allCases.reduce(0) { sum, lane in
      let line = LaneMap(lane, end: ends[lane].position, names: names)
      return sum + line.final(.lost).reduce(0) { $0 + $1.count }
    }
  }

  /// Renames each lost name to dropped, and flushes now/.
  /// Transition: drop lost
  private func dropLostNames() throws(Fault) -> [NowName] {
    try lockNow(exclusive: true)
    defer { unlockNow() }
    let lost = try listNow().names.filter(\.isLost).sorted { $0.range.comesBefore($1.range) }
    for name in lost { _ = try rename(name, to: NowName(name.range, .dropped)) }
    try now().flush()
    return lost
  }
}

extension Queue {
  /// The location of the damaged line that contains this id, as text for a person; nil if there is
  /// none. Searches the damage between the lines of the time at which the entry must have been
  /// stored.
  func lostLine(_ id: EntryID) throws(Fault) -> String? {
    let ends = try ends()
    let lookup = Lookup(self)
    let text = Array(id.text.utf8)
    let from = id.time
    let until = id.time + OutOfOrderLog.patience + .milliseconds(1)
    var found: String?
    for lane in Lane.allCases where found == nil {
      try lookup.damage(lane, from: from, until: until, ends[lane]) {
        (reader, bytes) throws(Fault) in
        guard let at = try reader.file.position(of: text, in: bytes) else { return true }
        found = "\(Segment.path(lane, reader.segment)), byte \(max(0, at - SegmentLine.idStart))"
        return false
      }
    }
    return found
  }
}

extension Descriptor {
  /// The first byte in this range of the file at which `text` begins; nil if it is not there.
  fileprivate func position(of text: [UInt8], in bytes: Range<Int>) throws(Fault) -> Int? {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
    defer { buffer.deallocate() }
    var at = bytes.lowerBound
    while at < bytes.upperBound {
      let piece = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<min(buffer.count, bytes.upperBound - at)])
      let count = try read(into: piece, at: at)
      let bytes = cut(UnsafeRawBufferPointer(buffer), 0, count)
      let starts = 0..<max(0, count - text.count + 1)
      if let found = starts.first(where: {
        bytes[$0] == text[0] && cut(bytes, $0, $0 + text.count).elementsEqual(text)
      }) {
        return at + found
      }
      // The pieces overlap, so that text across two of them is found.
      if count < buffer.count { return nil }
      at += count - text.count
    }
    return nil
  }
}
