import CPipeIO
import Foundation
import Testing

@testable import PipeIO
@testable import PipeQueue
import PipeTime

/// Lines with right checksums and impossible numbers: nothing traps, and the results stay within
/// bounds that arithmetic can handle.
@Suite("Impossible numbers")
struct OddNumberTests {
  static let odd = [
    "", "0", "00", "-1", "-", "1", "1e9", "281474976710656", "9223372036854775",
    "99999999999999999",
    "999999999999999999", "9223372036854775807", "9223372036854775808", "18446744073709551616",
  ]
  private static let now: Instant = 1_795_244_400_123_456

  /// The line with each column, and each two columns, replaced by an odd number.
  private func variants(_ line: String) -> [String] {
    let columns = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    var found: [String] = []
    for one in columns.indices {
      for value in Self.odd {
        var changed = columns
        changed[one] = value
        found.append(changed.joined(separator: " "))
        for other in columns.indices where other > one {
          found.append(
            (changed[..<other] + [value] + changed[(other + 1)...]).joined(separator: " "))
        }
      }
    }
    return found
  }

  private func checksum(_ text: some Collection<UInt8>, _ seed: UInt32 = 0) -> String {
    let sum = Array(text).withUnsafeBytes { cpipe_crc32c(seed, $0.baseAddress, $0.count) }
    return String(format: "%08x", sum)
  }

  /// A line with its checksum, in memory of exactly its size.
  private func lend<R>(_ columns: String, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    Array((checksum(" \(columns)".utf8) + " " + columns).utf8).withUnsafeBytes(body)
  }

  @Test("impossible numbers in a settled line do no harm when it is folded")
  func settled() {
    var fold = Compaction(at: Self.now, retain: 7 * 86_400_000_000)
    var lines = variants("\(Self.now.microseconds) tag done 900 4 812*3,900")
    for value in Self.odd {
      lines += [
        "\(Self.now.microseconds) - done 1 \(value) 5*\(value)",
        "1 - done 1 4 \(value)*2,\(value)*2",
        "\(value) - done \(value) \(value) \(value)*\(value),0*0",
      ]
    }
    for line in lines { lend(line) { text in if let line = SettledLine(text) { fold.add(line) } } }
    check(fold)
  }

  @Test("impossible numbers in a folded line do no harm when it is folded again")
  func folded() throws {
    var code: [UInt8] = []
    HistogramCodec.append([(3, 4), (HistogramBuckets.count - 1, .max)], to: &code)
    let histogram = String(decoding: code, as: UTF8.self)
    var fold = Compaction(at: Self.now, retain: .days(40_000_000))
    for line in variants(
      "\(Self.now.microseconds) \(Self.now.microseconds) tag wait 4 \(histogram)")
    {
      lend(line) { text in
        guard let line = CompactedLine(text) else { return }
        fold.add(line)
        let recording = line.recording
        #expect((recording.first...recording.last).contains(recording.middle))
      }
    }
    check(fold)
  }

  // Whatever came in can be written and read again.
  private func check(_ fold: Compaction) {
    #expect(!fold.lines.isEmpty)
    for line in fold.lines {
      var out: [UInt8] = []
      line.append(to: &out)
      out.dropLast().withUnsafeBytes { text in #expect(CompactedLine(text)?.items == line.items) }
    }
  }

  @Test("impossible numbers in the history of an item do no harm")
  func histories() {
    for line in variants("3 9 2 \(Self.now.microseconds) \(Self.now.microseconds) 1 - exit%0a 1") {
      let text = Array((checksum(line.utf8, 1) + " " + line + "\n").utf8)
      for attempt in History.attempts(text, of: 4, .medium) {
        #expect(attempt.number >= 0 && attempt.ended >= 0 && attempt.started ?? 0 >= 0)
      }
    }
  }

  @Test("impossible numbers among stray runs lead nowhere and hide no entry")
  func strays() throws {
    let scratch = try ScratchQueue()
    let (old, other) = (id(at: Self.now - 86_400_000_000), id(at: Self.now - 86_400_000_000, 9))
    try scratch.store([old])
    let note = variants("\(old.text) \(other.text) MEDIUM 1 0 120")
    let text = note.map { "\n" + checksum(" \($0)".utf8) + " " + $0 }.joined()
    let path = "\(scratch.path)/strays/\(OutOfOrderRun.fileName(old))"
    try Data((try Data(contentsOf: URL(fileURLWithPath: path))) + Data(text.utf8))
      .write(to: URL(fileURLWithPath: path))
    let ends = try scratch.queue.ends()
    #expect(try Lookup(scratch.queue).find(old, ends) != nil)
    #expect(try Lookup(scratch.queue).find(other, ends) == nil)
    for run in try scratch.queue.strayRuns(old, other) {
      try Lookup(scratch.queue).lines(of: run, upTo: ends[.medium]) { _, _, _ in true }
    }
  }

  @Test("impossible numbers in the options of a line are ignored, or become times within bounds")
  func options() {
    for name in ["not_before", "delay", "accepted"] {
      for value in Self.odd + ["\"7\"", "[1]", "1.5", "null", "{\"delay\":1}"] {
        let column = #"{"not_before":17,"delay":9,"\#(name)":\#(value)}"#
        Array(column.utf8).withUnsafeBytes { bytes in
          let found = LineOptions(bytes)
          let due = ReadyTime(at: found.notBefore ?? 0, span: found.delay ?? 0)
          _ = (due.isOver(at: Self.now), due.corrected(at: Self.now))
          let numbers = [
            found.notBefore?.microseconds, found.delay?.microseconds, found.accepted?.microseconds,
          ].compactMap { $0 }
          #expect(numbers.allSatisfy { (0..<1_000_000_000_000_000_000).contains($0) })
        }
      }
    }
  }

  @Test("impossible numbers in an owner's counters count as nothing")
  func counters() throws {
    let scratch = try ScratchQueue()
    try scratch.queue.count(.failedValidations, 5)
    let owners = try scratch.queue.root.existing("owners")
    for digit: UInt8 in 0x30...0x3a {
      for place in 33..<53 {
        let file = try #require(try Descriptor.open("0", in: owners, 2))
        try Counter.failedValidations.line(5).write(to: file, at: 0)
        try [digit].write(to: file, at: place)
        let found = try scratch.queue.total(.failedValidations)
        #expect(found >= 0)
        try scratch.queue.count(.failedValidations, 2)
        #expect(try scratch.queue.total(.failedValidations) == min(found + 2, Counter.most))
      }
    }
  }
}
