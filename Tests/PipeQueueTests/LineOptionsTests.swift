import Testing

@testable import PipeQueue
import PipeTime

@Suite("Options of a segment line")
struct LineOptionsTests {
  struct Said: Equatable {
    var key: String?
    var notBefore: Instant?
    var delay: TimeSpan?
  }

  // In memory of exactly this size, so that a read beyond its end is found.
  private func said(_ column: String) -> Said {
    let bytes = Array(column.utf8)
    let text = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { text.deallocate() }
    text.copyBytes(from: bytes)
    let options = LineOptions(UnsafeRawBufferPointer(text))
    return Said(
      key: options.key.map { String(decoding: $0, as: UTF8.self) }, notBefore: options.notBefore,
      delay: options.delay)
  }

  private func column(_ key: String?, _ notBefore: Instant?, _ delay: TimeSpan?) -> String? {
    LineOptions.column(key: key.map { Array($0.utf8) }, notBefore: notBefore, delay: delay).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  @Test(
    "the options hold the acceptance time last, and lose it when the line moves to another queue")
  func accepted() {
    let columns = ["-", #"{"key":"a"}"#, #"{"not_before":17,"delay":9}"#, #"{"x":{"accepted":3}}"#]
    for column in columns {
      let noted = LineOptions.column(column.utf8, accepted: 42)
      noted.withUnsafeBytes { bytes in
        #expect(LineOptions(bytes).accepted == 42)
        let moved = LineOptions.columnToMove(bytes).map { String(decoding: $0, as: UTF8.self) }
        #expect(moved == (column == "-" ? nil : column))
      }
    }
    #expect(
      String(decoding: LineOptions.column("-".utf8, accepted: 42), as: UTF8.self)
        == #"{"accepted":42}"#)
    let plain = Array(columns[3].utf8)
    plain.withUnsafeBytes { bytes in
      #expect(LineOptions(bytes).accepted == nil && LineOptions.columnToMove(bytes) == plain)
    }
  }

  @Test("the options are written in one order, and not at all if there are none")
  func writing() {
    #expect(column(nil, nil, nil) == nil)
    #expect(column(#""a""#, nil, nil) == #"{"key":"a"}"#)
    #expect(column(nil, 17, nil) == #"{"not_before":17}"#)
    #expect(
      column(#""a""#, 1_763_700_000_000_000, 600_000_000)
        == #"{"key":"a","not_before":1763700000000000,"delay":600000000}"#)
  }

  @Test(
    "the options are read as they were written, whatever is in the key",
    arguments: [
      #""""#, #""a""#, #""a\"b""#, #""\\""#, #""\\\"""#, #""},\"delay\":3,{[""#, #""\u0020é""#,
    ])
  func reading(key: String) throws {
    for (notBefore, delay) in [(nil, nil), (17, nil), (1_763_700_000_000_000, 0)]
      as [(Instant?, TimeSpan?)]
    {
      let text = try #require(column(key, notBefore, delay))
      #expect(said(text) == Said(key: key, notBefore: notBefore, delay: delay), "\(text)")
    }
  }

  @Test("unknown options are skipped")
  func unknown() {
    let odd = #"{"x":{"key":"no","y":[1,"]}",{}]},"key":"a","z":-1.5e3,"not_before":7,"w":null}"#
    #expect(said(odd) == Said(key: #""a""#, notBefore: 7))
    #expect(said(#"{"key\"":"b","Key":"c","not_befor":1}"#) == Said())
    #expect(said("{}") == Said())
  }

  @Test("options of another type count as not given")
  func types() {
    #expect(said(#"{"key":5,"not_before":"7","delay":1.5}"#) == Said())
    #expect(said(#"{"not_before":-7,"delay":07}"#) == Said())
    #expect(said(#"{"not_before":9999999999999999999}"#) == Said())
  }

  @Test("options that are cut short or extended say nothing")
  func cuts() {
    let text = #"{"key":"a\"b","not_before":7,"x":{"y":["\\"]}}"#
    #expect(said(text) == Said(key: #""a\"b""#, notBefore: 7))
    for count in 0..<text.count { #expect(said(String(text.prefix(count))) == Said()) }
    for more in ["}", ",", "x", "{}"] { #expect(said(text + more) == Said()) }
    for text in [#"{"key"}"#, #"{"key":}"#, #"{,}"#, #"{"delay":7,}"#, "[]", #""key""#] {
      #expect(said(text) == Said(), "\(text)")
    }
  }

  @Test("the options are read from the line")
  func line() throws {
    var entry = NewEntry(id: anEntry, priority: .low)
    entry.options = LineOptions.column(key: Array(#""k""#.utf8), notBefore: 9, delay: 5)
    var writeBatch = WriteBatch()
    writeBatch.append(entry, "1")
    writeBatch.append(NewEntry(id: anEntry.next, priority: .low), "2")
    writeBatch.withLine(.low, 0) { line in
      #expect(line.key?.elementsEqual(#""k""#.utf8) == true)
      #expect(line.notBefore == 9 && line.delay == 5)
    }
    writeBatch.withLine(.low, 1) { line in
      #expect(line.key == nil && line.notBefore == nil && line.delay == nil)
    }
  }
}
