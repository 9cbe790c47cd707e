import Glibc
import Testing

@testable import PipeIO

@Suite("Reading lines")
struct LineReaderTests {
  private enum Read: Equatable {
    case line(Int, String)
    case oversized(Int, String)
  }

  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// All lines of a file with these contents, with their numbers. Pieces of a line are joined.
  private func lines(_ bytes: [UInt8], limit: Int) throws -> [Read] {
    try scratch.file("file", O_WRONLY | O_TRUNC).append(bytes)
    let reader = LineReader(try scratch.file(), limit: limit)
    var found: [Read] = []
    var pieces: [UInt8] = []
    repeat {
      next: while true {
        switch reader.next() {
        case .line(let line):
          #expect(pieces.isEmpty, "the line before has not ended")
          found.append(.line(reader.lineNumber, String(decoding: line, as: UTF8.self)))
        case .oversized(let piece, let isLast):
          pieces += piece
          guard isLast else { continue }
          found.append(.oversized(reader.lineNumber, String(decoding: pieces, as: UTF8.self)))
          pieces = []
        case .drained: break next
        }
      }
    } while try reader.fill()
    #expect(pieces.isEmpty, "the last line has not ended")
    return found
  }

  private func lines(_ text: String, limit: Int) throws -> [Read] {
    try lines(Array(text.utf8), limit: limit)
  }

  @Test("a reader returns each line without its newline, also an empty one")
  func plain() throws {
    #expect(
      try lines("a\n\nb c\n", limit: 10) == [.line(1, "a"), .line(2, ""), .line(3, "b c")])
  }

  @Test("the last line needs no newline")
  func unended() throws {
    #expect(try lines("a\nb", limit: 10) == [.line(1, "a"), .line(2, "b")])
  }

  @Test("an empty input has no line")
  func empty() throws {
    #expect(try lines("", limit: 10).isEmpty)
  }

  @Test("a line keeps NUL bytes and carriage returns")
  func bytes() throws {
    #expect(
      try lines("a\0b\r\n\0\n\0", limit: 10) == [
        .line(1, "a\0b\r"), .line(2, "\0"), .line(3, "\0"),
      ])
  }

  @Test("a line keeps bytes that are not UTF-8")
  func foreign() throws {
    try scratch.file().append([0xff, 0xfe, 0x0a])
    let reader = LineReader(try scratch.file(), limit: 10)
    #expect(try reader.fill())
    guard case .line(let line) = reader.next() else { throw Unexpected() }
    #expect(Array(line) == [0xff, 0xfe])
  }

  @Test("a line of exactly the limit is whole, and a longer one is oversized")
  func limit() throws {
    #expect(
      try lines("abcd\nabcde\nf\n", limit: 4)
        == [.line(1, "abcd"), .oversized(2, "abcde"), .line(3, "f")])
  }

  @Test("an oversized last line ends without a newline")
  func oversizedEnd() throws {
    #expect(try lines("a\nabcdef", limit: 4) == [.line(1, "a"), .oversized(2, "abcdef")])
    #expect(try lines("abcdef\n", limit: 4) == [.oversized(1, "abcdef")])
  }

  @Test("an oversized line that fills several buffers counts as one line")
  func pieces() throws {
    let long = String(repeating: "0123456789", count: 100_000)
    #expect(
      try lines("a\n\(long)\nb\n", limit: 20)
        == [.line(1, "a"), .oversized(2, long), .line(3, "b")])
  }

  @Test("a line within the limit is whole, even if it fills several buffers")
  func long() throws {
    let long = String(repeating: "0123456789", count: 100_000)
    #expect(
      try lines("a\n\(long)\nb", limit: long.utf8.count)
        == [.line(1, "a"), .line(2, long), .line(3, "b")])
  }

  @Test("a reader returns the lines that have come, and the rest of a line once it comes")
  func arriving() throws {
    let (reading, writing) = try makePipe("test")
    try writing.append("a\nb")
    let reader = LineReader(reading, limit: 10)
    #expect(reader.isReadable)
    #expect(try reader.fill())
    guard case .line(let first) = reader.next() else { throw Unexpected() }
    #expect(Array(first) == Array("a".utf8))
    guard case .drained = reader.next() else { throw Unexpected() }
    #expect(!reader.isReadable)
    try writing.append("c\n")
    #expect(reader.isReadable)
    #expect(try reader.fill())
    guard case .line(let second) = reader.next() else { throw Unexpected() }
    #expect(Array(second) == Array("bc".utf8))
  }

  @Test("the end of a pipe is readable once, and no line follows it")
  func end() throws {
    var ends: (reading: Descriptor, writing: Descriptor)? = try makePipe("test")
    let reader = LineReader(ends!.reading, limit: 10)
    ends = nil
    // A child that another test is just starting has the writing end until it runs.
    while !reader.isReadable {}
    #expect(try !reader.fill())
    #expect(!reader.isReadable)
    guard case .drained = reader.next() else { throw Unexpected() }
  }
}

struct Unexpected: Error {}
