import CPipeIO
import Testing

@testable import PipeIO
@testable import PipeQueue
import PipeTime

@Suite("Recorded lines")
struct RecordedLineTests {
  private func settled(_ columns: String) -> SettledLine? { SettledLine(sealed(columns)) }

  private func folded(_ text: [UInt8]) -> CompactedLine? {
    text.withUnsafeBytes { CompactedLine($0) }
  }

  /// With a valid checksum.
  private func sealed(_ columns: String) -> [UInt8] {
    let rest = Array((" " + columns).utf8)
    var sum = [UInt8](repeating: 0, count: 8)
    let crc = rest.withUnsafeBytes { cpipe_crc32c(0, $0.baseAddress, $0.count) }
    sum.withUnsafeMutableBufferPointer { writeHex(crc, to: $0.baseAddress!) }
    return sum + rest
  }

  @Test("a settled line has the columns of pipe-queue(5), and is read as it was written")
  func settledLine() throws {
    let line = SettledLine(
      time: 1_795_244_400_123_456, tag: "blue", outcome: .done, service: 4200, items: 4,
      waits: [(7, 1), (900, 3)])
    let text = Array(line.text.dropFirst())
    #expect(line.text.first == newline)
    #expect(text == sealed("1795244400123456 blue done 4200 4 7,900*3"))
    let read = try #require(SettledLine(text))
    #expect(read.text == line.text)
    #expect(read.items == 4 && read.waits.map(\.count) == [1, 3])
  }

  @Test("a settled line without a tag, or of failed items, has dashes")
  func dashes() throws {
    let line = SettledLine(time: 5, tag: nil, outcome: .buried, service: 0, items: 2)
    let text = Array(line.text.dropFirst())
    #expect(text == sealed("5 - buried 0 2 -"))
    #expect(SettledLine(text)?.tag == nil && SettledLine(text)?.outcome == .buried)
  }

  @Test(
    "a valid checksum around anything else does not make a line",
    arguments: [
      "", " ", "5", "5 -", "5 - done", "5 - done 0 1", "5 - done 0 1 ", "5 - done 0 1 -",
      "5 - done 0 1 x", "5 - done 0 1 7,", "5 - done 0 1 *3", "5 - gone 0 1 7", "-5 - done 0 1 7",
      "5 - done -1 1 7", "5 - done 0 -1 7", "1000000000000000000 - done 0 1 7", "5  done 0 1 7",
      "05 - done 0 1 7", "5 - Done 0 1 7", "end 3",
    ])
  func foreign(columns: String) {
    // Two spaces: an empty tag, which is as good as another.
    if columns == "5  done 0 1 7" { return #expect(settled(columns)?.tag == "") }
    #expect(settled(columns) == nil)
    #expect(folded(sealed(columns)) == nil)
  }

  @Test("lines with the largest numbers that fit can be added up, over and over")
  func largest() throws {
    let most = String(repeating: "9", count: 18)
    let line = try #require(settled("\(most) - done \(most) \(most) \(most)*\(most),1*x"))
    var fold = Compaction(at: 0, retain: .days(40_000_000))
    for _ in 0..<30 { fold.add(line) }
    for _ in 0..<30 { for line in fold.lines { fold.add(line) } }
    var text: [UInt8] = []
    for line in fold.lines { line.append(to: &text) }
    let lines = text.split(separator: newline)
    #expect(!lines.isEmpty && lines.allSatisfy { folded(Array($0)) != nil })
  }

  @Test("any time, seen from any time, has an interval")
  func anyTime() {
    let times: [Instant] = [
      .distantPast, -1, 0, 1, 1_795_244_400_000_000, 999_999_999_999_999_999, .distantFuture,
    ]
    for time in times {
      for now in times {
        for retain: TimeSpan in [0, 604_800_000_000, .days(40_000_000)] {
          let bucket = Bucket(time, at: now, retain: retain)
          #expect(bucket.span >= 0)
        }
      }
    }
  }

  @Test("a folded line is read as it was written")
  func foldedLine() throws {
    let line = CompactedLine(
      first: 5, last: 9, tag: "blue", kind: .wait, items: 3, cells: [(0, 1), (70, 2)])
    var text: [UInt8] = []
    line.append(to: &text)
    #expect(text.removeLast() == newline)
    let read = try #require(folded(text))
    #expect(read.first == 5 && read.last == 9 && read.tag == "blue" && read.items == 3)
    #expect(read.kind == .wait && read.cells.elementsEqual(line.cells, by: ==))
    #expect(SettledLine(text) == nil)
  }

  @Test("a line with any wrong bit is invalid")
  func damaged() {
    var folded: [UInt8] = []
    CompactedLine(first: 5, last: 9, tag: nil, kind: .total, items: 3, cells: [(4, 3)])
      .append(to: &folded)
    for line in [Array(SettledLine.done(3).text.dropFirst()), Array(folded.dropLast())] {
      for bit in 0..<(line.count * 8) {
        var wrong = line
        wrong[bit / 8] ^= 1 << (bit % 8)
        #expect(SettledLine(wrong) == nil && self.folded(wrong) == nil)
      }
      for count in line.indices {
        #expect(
          SettledLine(Array(line[..<count])) == nil && self.folded(Array(line[..<count])) == nil)
      }
    }
  }
}

@Suite("Names in stats/")
struct StatsNameTests {
  private func name(_ text: String) -> StatsName? {
    var copy = text
    return copy.withUTF8 { StatsName(UnsafeRawBufferPointer($0)) }
  }

  @Test(
    "names in stats/ are read as they are written",
    arguments: ["log.1", "log.999999999999999", "1.1-1", "2.9-16", "6.1-999999999999999"])
  func ours(text: String) {
    #expect(name(text)?.text == text)
  }

  @Test(
    "names in stats/ of any other form are ignored",
    arguments: [
      "", ".", "log", "new", "log.", "log.x", "log.-1", "log.01", "log.1.", "log.1.2", "log.1~",
      ".log.1.swp", "log.1000000000000000", "log.999999999999999999", "log.1000000000000000000",
      "log.99999999999999999999999999", "0.1-1", "7.1-1", "1", "1.", "1.1", "1.1-", "1.-1", "1.2-1",
      "1.1-1-1", "1.1-1.", "01.1-1", "999999999999999999.1-1", "1.1-1000000000000000",
      "1.1-99999999999999999999", "-1.1-1", "1.1\u{2013}1",
    ])
  func foreign(text: String) {
    #expect(name(text) == nil)
  }

  @Test("a name covers the names in its range, and no others")
  func covers() throws {
    let wide = try #require(name("2.9-16"))
    for inside in ["log.9", "log.16", "1.9-9", "1.9-16", "1.12-16"] {
      #expect(wide.covers(try #require(name(inside))))
    }
    for outside in ["log.8", "log.17", "1.8-9", "1.16-17", "2.9-16", "2.10-11", "3.9-16"] {
      #expect(!wide.covers(try #require(name(outside))))
    }
  }
}
