import Glibc
import Testing

@testable import PipeJSON

/// Two pages, of which the second may not be read: reading past the end stops the process.
private final class GuardedPage {
  private let start: UnsafeMutableRawPointer
  private let size = Int(sysconf(Int32(_SC_PAGESIZE)))

  init() throws {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    let pages = mmap(nil, size * 2, PROT_READ | PROT_WRITE, flags, -1, 0)
    start = try #require(pages != MAP_FAILED ? pages : nil)
    try #require(mprotect(start + size, size, PROT_NONE) == 0)
  }

  deinit { munmap(start, size * 2) }

  /// The bytes, with the last one at the end of the first page.
  func place(_ bytes: ArraySlice<UInt8>) -> UnsafeRawBufferPointer {
    let target = UnsafeMutableRawBufferPointer(
      start: start + size - bytes.count, count: bytes.count)
    target.copyBytes(from: bytes)
    return UnsafeRawBufferPointer(target)
  }
}

@Suite struct BufferEndTests {
  @Test("no byte after the end is read, wherever the text is cut", arguments: MutationTests.texts)
  func scanning(_ text: String) throws {
    let page = try GuardedPage()
    let bytes = Array(text.utf8)
    for count in 0...bytes.count {
      let line = page.place(bytes[..<count])
      var scanner = LineScanner(watching: ["id", "ids", "data", "priority"])
      let result = Result { () throws(JSONFault) in try scanner.scan(line) }
      #expect(result.fault == NaiveValidator.fault(in: Array(bytes[..<count])))
      _ = parseDateTime(line)
    }
  }

  @Test("no byte before the start is needed, and none after the end of an id list")
  func ids() throws {
    let page = try GuardedPage()
    for text in ["[1]", "[1,2]", "[12345678]", "[1234567,12345678901234567890]", "[1,2,3,4,5,6,7]"]
    {
      let array = page.place(ArraySlice(text.utf8))
      _ = Result { () throws(JSONFault) in try IDList(validating: array) }
    }
  }
}
