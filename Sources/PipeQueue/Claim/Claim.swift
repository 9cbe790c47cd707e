/// One item on its way to a worker.
package struct Item {
  package let entry: EntryID
  /// Counts from 1 within its entry.
  package let index: Int
  package let priority: Lane
  /// Bytes of the claim's `bytes`, the newline behind it not included.
  package let data: Range<Int>
}

/// A range of a claim under its name in now/.
struct Part {
  var name: NowName
  /// Of the claim's items, those of this range.
  let items: Range<Int>
  /// Where each of these items is; damaged lines leave gaps between.
  let places: [Position]

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
  let acceptances: [AcceptedItems]
}

/// Items of a claim that were accepted at one instant.
struct AcceptedItems {
  /// Microseconds since the epoch.
  let time: Int64
  /// Of the claim's items.
  var items: Range<Int>
}

extension Claim {
  /// An id of its own for each line that the claim is handed out in.
  package func token(_ line: Int) -> EntryID {
    EntryID(high: batch.high, low: batch.low + UInt64(line + 1) << 32)
  }
}

/// What the ids of one run's batches have in common: 31 bits of chance. So a batch tells its run, and when
/// it was claimed:
///
///     milliseconds 48, run 16 | run 16, withdrawn 1, line 15, microseconds 10, serial number 22
struct Run: Equatable {
  private let high: UInt64
  private let low: UInt64

  init(of batch: EntryID) {
    high = batch.high & 0xffff
    low = batch.low >> 48
  }

  /// A new one, of the random bits of `id`. Never that of ids that are no batches.
  init(random id: EntryID) { self.init(of: EntryID(high: id.high, low: id.low | 1 << 63)) }

  /// `now`: microseconds since the epoch. `serial` tells apart what is claimed within one.
  func batch(_ serial: UInt64, at now: Int64) -> EntryID {
    let time = UInt64(max(0, now))
    return EntryID(
      high: (time / 1000) << 16 | high,
      low: low << 48 | (time % 1000) << 22 | serial & 0x3f_ffff)
  }
}

extension EntryID {
  /// Of a batch: when it was claimed, microseconds since the epoch.
  package var claimed: Int64 { milliseconds * 1000 + Int64(low >> 22 & 0x3ff) }

  /// Of a batch that somebody took over to bury it: of the same run still, but no token that was handed out,
  /// so that nobody else settles what is being buried. Above all lines of a claim.
  var withdrawn: EntryID { EntryID(high: high, low: low | 1 << 47) }
}

extension Part {
  /// The same items' part of it, under a name of their own.
  func cut(to run: Range<Int>, _ name: NowName) -> Part {
    let first = run.lowerBound - items.lowerBound
    return Part(name: name, items: run, places: Array(places[first..<(first + run.count)]))
  }
}

extension Claim {
  /// A claim of those of its items that these parts have.
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
