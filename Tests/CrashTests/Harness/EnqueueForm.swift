import Foundation
import TestSupport
import Testing

/// A way of using `enqueue` that the crash tests go through.
struct EnqueueForm: CustomTestStringConvertible {
  enum Lines {
    /// Plain JSON Lines.
    case raw
    /// As `ingest` prints them.
    case ingested
    /// With ids that were generated days ago, in no order.
    case strays
  }

  let testDescription: String
  var entries: [Entry]
  var lines = Lines.raw
  /// Whether the queue exists before.
  var isExisting = true
  /// Each line is written after the receipt of the one before, so that each is a commit.
  var isOneByOne = false
  /// Number of large records that are in the lane before.
  var ballast = 0

  var isRaw: Bool { if case .raw = lines { true } else { false } }

  static let old = [Entry.record(900), .record(901, "HIGH")]
  static let mixed = [
    Entry.record(1), .record(2, "LOW"), .ids(3, count: 5, "HIGH"), .record(4, "MEDIUM"),
  ]

  /// Creates the initial state and feeds the ledger with it.
  func prepare(_ queue: TestQueue, _ ledger: inout Ledger) throws {
    guard isExisting else { return }
    let large = (0..<ballast).map { Entry.record(800 + $0, bytes: 1_000_000) }
    let entries = EnqueueForm.old + large
    let result = try queue.enqueue(entries)
    guard result.receipts.count == entries.count else { throw Failure("\(result)") }
    ledger.feed(entries, receipts: result.receipts)
  }

  /// The entries as this form feeds them.
  func fed() throws -> [Entry] {
    switch lines {
    case .raw: entries
    case .ingested:
      zip(entries, try Command.pipe("ingest").given(entries.text).mustRun().lines)
        .map { Entry(line: $1, items: $0.items) }
    case .strays:
      entries.enumerated().map { index, entry in
        let minutes = UInt64(index % 2 == 0 ? 100 - index : 40 + index)
        return entry.entryLine(mintedAt: 1_767_000_000_000 + minutes * 60_000, serial: index + 1)
      }
    }
  }

  /// Runs `command`, an enqueue of this form, perhaps under strace, with the fed entries.
  func drive(_ command: Command, _ fed: [Entry]) throws -> Run {
    guard isOneByOne else { return try command.given(fed.text).run() }
    let child = try command.holdingInput().start()
    for entry in fed {
      child.feed(entry.line + "\n")
      if child.line() == nil { break }
    }
    return child.finish()
  }

  /// Puts `queue` into the state before the command.
  func reset(_ queue: TestQueue, to original: TestQueue) throws {
    try? FileManager.default.removeItem(atPath: queue.path)
    if isExisting { _ = try original.copy(to: queue.path) }
  }
}
