/// One item on its way to a worker.
package struct Item {
  package let entry: EntryID
  /// Counts from 1 within its entry.
  package let index: Int
  package let priority: Priority
  /// Bytes of the claim's `bytes`, the newline behind it not included.
  package let data: Range<Int>
}

/// A range of a claim under its name in now/.
struct Part {
  var name: NowName
  /// Of the claim's items, those of this range.
  let items: Range<Int>
  /// Where each of these items is; damaged lines leave gaps between.
  let places: [Place]

  /// From one of the claim's items to another, which is not included. What lies between items goes with
  /// the one before.
  func range(_ run: Range<Int>) -> ItemRange {
    var range = name.range
    if run.lowerBound > items.lowerBound { range.from = places[run.lowerBound - items.lowerBound] }
    if run.upperBound < items.upperBound { range.to = places[run.upperBound - items.lowerBound] }
    return range
  }
}

/// A batch that was handed out and is not settled. Settling consumes it, so that it cannot happen twice;
/// forgetting it is what a crash does, and heals the same way.
package struct Claim: ~Copyable {
  package let batch: EntryID
  /// The highest of its items' attempts, this one included.
  package let attempt: Int
  package let items: [Item]
  /// Each item's data and a newline, in order: what a command gets as its stdin.
  package let bytes: [UInt8]
  var parts: [Part]
}

extension Claim {
  /// An id of its own for each line that the claim is handed out in. Above the serial number of the
  /// batch, of which there is room for 2^32, and within the 48 bits that may differ in one run.
  package func token(_ line: Int) -> EntryID {
    EntryID(high: batch.high, low: batch.low + UInt64(line + 1) << 32)
  }
}

extension EntryID {
  /// Of a batch that somebody took over to bury it: of the same run still, but no token that was handed out,
  /// so that nobody else settles what is being buried. Above all lines of a claim.
  var withdrawn: EntryID { EntryID(high: high, low: low | 1 << 47) }
}
