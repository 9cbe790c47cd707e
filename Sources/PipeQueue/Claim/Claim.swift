internal import PipeTime

/// One item as it is handed out to a worker.
package struct Item {
  package let entry: EntryID
  /// Counts from 1 within its entry.
  package let index: Int
  package let priority: Lane
  /// Whether `submit` stored it: only then is its data a command.
  package let isJob: Bool
  /// Range in the claim's `bytes`, without the newline after it.
  package let data: Range<Int>
  /// Whether the delay of its line is not over: pipe-change(1) made it ready.
  var isDelayed = false
}

/// A range of a claim under its name in now/.
struct Part {
  var name: NowName
  /// Which items of the claim belong to this range.
  let items: Range<Int>
  /// The position of each of these items; damaged lines leave gaps between them.
  let places: [Position]

  /// The lane range of these items of the claim. A gap belongs to the item before it, or to the
  /// part's first item.
  func range(_ run: Range<Int>) -> ItemRange {
    var range = name.range
    if run.lowerBound > items.lowerBound { range.from = places[run.lowerBound - items.lowerBound] }
    if run.upperBound < items.upperBound { range.to = places[run.upperBound - items.lowerBound] }
    return range
  }
}

/// A batch that was handed out and is not settled. Settling consumes it, so that it cannot happen
/// twice. Forgetting it equals a crash, and heals the same way.
package struct Claim: ~Copyable {
  package let batch: BatchID
  /// The highest attempt number of its items, this attempt included.
  package let attempt: Int
  package let items: [Item]
  /// The data of each item and a newline, in order: what a command gets as its stdin.
  package let bytes: [UInt8]
  var parts: [Part]
  let acceptances: [AcceptedItems]
}

/// Items of a claim that were accepted at one instant.
struct AcceptedItems {
  let time: Instant
  /// Indices in the claim's items.
  var items: Range<Int>
}

extension Part {
  /// The part of it that holds these items, under a name of its own.
  func cut(to run: Range<Int>, _ name: NowName) -> Part {
    let first = run.lowerBound - items.lowerBound
    return Part(name: name, items: run, places: Array(places[first..<(first + run.count)]))
  }
}

extension Claim {
  /// A claim of only the items in these parts.
  consuming func reduced(to kept: [Part]) -> Claim {
    var items: [Item] = []
    var parts: [Part] = []
    var acceptances: [AcceptedItems] = []
    for part in kept {
      let first = items.count
      forEachAcceptance(of: part.items) {
        acceptances.note($0.time, items: $0.items.count)
      }
      items += self.items[part.items]
      parts.append(Part(name: part.name, items: first..<items.count, places: part.places))
    }
    return Claim(
      batch: batch, attempt: attempt, items: items, bytes: bytes, parts: parts,
      acceptances: acceptances)
  }
}

extension Claim {
  /// A separate id for each line in which the claim is handed out.
  package func token(_ line: Int) -> BatchID { batch.token(line) }
}
