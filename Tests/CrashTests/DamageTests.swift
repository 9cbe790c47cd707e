import Foundation
import TestSupport
import Testing

@Suite("Damaged segments")
struct DamageTests {
  private let scratch: Scratch
  private let queue: TestQueue
  private let entries = (1...5).map { Entry.record($0) }

  init() throws {
    scratch = try Scratch(.memory)
    queue = TestQueue(scratch.path("queue"), scratch)
  }

  enum Column: Int, CaseIterable {
    case checksum = 0, time = 9, number = 28, id = 45, items = 69, data = 90
  }

  @Test("a flipped bit in the third of five lines costs only that line", arguments: Column.allCases)
  func flip(column: Column) throws {
    try queue.enqueue(entries)
    try edit { bytes, lines in bytes[lines[2].lowerBound + column.rawValue] ^= 1 }
    try expect(entries.map(\.line).enumerated().filter { $0.offset != 2 }.map(\.element))
  }

  @Test("a missing newline costs the line that it ended, and not the next one")
  func newline() throws {
    try queue.enqueue(entries)
    try edit { bytes, lines in bytes[lines[2].upperBound - 1] ^= 1 }
    try expect([0, 1, 3, 4].map { entries[$0].line })
  }

  @Test("lines that have swapped places are damaged: a stale block of the disk is not an entry")
  func moved() throws {
    try queue.enqueue(entries)
    try edit { bytes, lines in
      let (second, fourth) = (Array(bytes[lines[1]]), Array(bytes[lines[3]]))
      bytes.replaceSubrange(lines[1], with: fourth)
      bytes.replaceSubrange(lines[3], with: second)
    }
    try expect([0, 2, 4].map { entries[$0].line })
  }

  @Test("a block of zeros in the middle costs the lines it touches")
  func zeros() throws {
    try queue.enqueue(entries)
    try edit { bytes, lines in
      for index in (lines[1].lowerBound + 30)..<(lines[3].lowerBound + 10) { bytes[index] = 0 }
    }
    try expect([0, 4].map { entries[$0].line })
  }

  @Test("a last line that is torn at any byte is cut", arguments: ["consume", "enqueue"])
  func torn(first verb: String) throws {
    let (two, third) = (Array(entries[..<2]), [entries[2]])
    let receipts = try queue.enqueue(two).receipts
    let end = try mark()
    let size = try segment().count
    try queue.enqueue(third)
    try rollBack(to: end)
    let whole = try segment().count
    for length in stride(from: size + 1, through: whole, by: 3) {
      let copy = try queue.copy(to: scratch.path("copy"))
      try FileHandle(forWritingTo: URL(fileURLWithPath: copy.segment()))
        .truncate(atOffset: UInt64(length))
      var ledger = Ledger()
      ledger.feed(two, receipts: receipts)
      ledger.feed(third, receipts: [])
      if verb == "enqueue" {
        ledger.feed([entries[3]], receipts: try copy.enqueue([entries[3]]).receipts)
      }
      try ledger.settle(copy, after: "cut to \(length) of \(whole) bytes")
      #expect(ledger.deliveries[entries[2].line] == nil || length == whole)
      #expect(try copy.names(in: "quarantine").isEmpty)
    }
  }

  @Test(
    "the next consumer finds a lane end again that a power cut took back", arguments: [0, 1, 2])
  func lostEnd(commits kept: Int) throws {
    var ledger = Ledger()
    _ = try queue.enqueue([])
    var marks = [try mark()]
    for entry in entries[..<3] {
      let receipts = try queue.enqueue([entry]).receipts
      ledger.feed([entry], receipts: receipts)
      marks.append(try mark())
    }
    try rollBack(to: marks[kept])
    try ledger.settle(queue, after: "\(kept) of the three commits were behind the end")
    #expect(ledger.again == 0)
  }

  @Test("a lane end taken back behind acknowledged items delivers none of them again")
  func lostEndBehindDone() throws {
    try queue.enqueue([entries[0]])
    let end = try mark()
    try queue.enqueue(Array(entries[1...]))
    #expect(try queue.drain().delivered.count == 5)
    try rollBack(to: end)
    var ledger = Ledger()
    let more = [Entry.record(6), .record(7)]
    ledger.feed(more, receipts: try queue.enqueue(more).receipts)
    try ledger.settle(queue, after: "end back at \(end)")
  }

  private func segment() throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: queue.segment())))
  }

  private func edit(_ change: (inout [UInt8], [Range<Int>]) -> Void) throws {
    var bytes = try segment()
    var lines: [Range<Int>] = []
    for (index, byte) in bytes.enumerated() where byte == 0x0a {
      lines.append((lines.last?.upperBound ?? 0)..<(index + 1))
    }
    change(&bytes, lines)
    try Data(bytes).write(to: URL(fileURLWithPath: queue.segment()))
  }

  /// The name of the lane's end.
  private func mark() throws -> String {
    try queue.names(in: "end").first { $0.hasPrefix("MEDIUM.") } ?? ""
  }

  private func rollBack(to name: String) throws {
    let end = "\(queue.path)/end/"
    try FileManager.default.moveItem(atPath: end + (try mark()), toPath: end + name)
  }

  private func expect(_ delivered: [String]) throws {
    let drained = try queue.drain()
    #expect(drained.delivered == delivered, "\(drained.result)")
    #expect(drained.result.errors.contains("damaged"), "\(drained.result)")
    #expect(drained.result.ending == .exited(74), "lost items have a status of their own")
    #expect(try !queue.names(in: "quarantine").isEmpty)
    var nothing = Ledger()
    try nothing.settle(queue, after: "all was delivered before")
  }
}
