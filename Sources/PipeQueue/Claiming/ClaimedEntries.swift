package import PipeIO

/// An entry as it is stored, whole, though a claim may have some of its items only.
package struct StoredEntry {
  /// What stores it again: under its id, with its priority, and when it was first seen.
  package let entry: NewEntry
  /// One line: the record's value, or the compact list of its ids. Valid while it is visited.
  package let data: UnsafeRawBufferPointer

  fileprivate init(_ line: SegmentLine, _ lane: Priority) {
    entry = NewEntry(
      id: line.id, priority: lane, ids: line.isRecord ? nil : (line.items, line.slice),
      created: line.firstSeen, options: line.options.flatMap(LineOptions.columnToMove))
    data = line.data
  }
}

extension Claimer {
  /// Reads the entries anew that the claim's items are of, in order; with those of the claim's items that are
  /// of each. Of one that was damaged since it was claimed: the fault.
  package func forEachEntry(
    of claim: borrowing Claim, _ visit: (StoredEntry, Range<Int>) throws(Fault) -> Void
  ) throws(Fault) {
    let ends = try queue.ends()
    for part in claim.parts {
      let lane = part.name.range.lane
      var index = part.items.lowerBound
      while index < part.items.upperBound {
        let id = claim.items[index].entry
        var next = index + 1
        while next < part.items.upperBound, claim.items[next].entry == id { next += 1 }
        let place = part.places[index - part.items.lowerBound]
        guard case .line(let line) = try step(lane, place, ends[lane]), line.id == id else {
          throw Fault(.inputOutput, "\(printable(queue.path)): \(id.text): was damaged just now")
        }
        try visit(StoredEntry(line, lane), index..<next)
        index = next
      }
    }
  }
}
