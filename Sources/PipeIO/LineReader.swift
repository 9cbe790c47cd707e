internal import CPipeIO
internal import Glibc

/// Splits a stream into lines, each with a newline or another byte at its end. Memory is bounded: a line over the limit is returned in pieces.
///
/// `next` never blocks; `fill` reads once and may block. Between the two, the caller writes its
/// pending output.
package final class LineReader {
  package enum Next {
    /// A line without its newline, valid until the next call of `fill`.
    case line(UnsafeRawBufferPointer)
    /// A piece of a line that exceeds the limit; the last piece ends the line.
    case oversized(UnsafeRawBufferPointer, isLast: Bool)
    /// No more lines without reading.
    case drained
  }

  /// The number of the line that `next` last returned, from 1.
  package private(set) var lineNumber = 0
  package let input: Descriptor
  private let limit: Int
  private let terminator: UInt8
  private var buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  /// Bytes from `start` known to contain no terminator.
  private var searched = 0
  private var isSkipping = false
  private var atEnd = false

  private static let chunk = 1 << 18

  /// `limit`: the most bytes a line may have, not counting its terminator.
  package init(_ input: Descriptor, limit: Int, terminator: UInt8 = 0x0a) {
    self.input = input
    self.limit = limit
    self.terminator = terminator
    buffer = .allocate(byteCount: LineReader.chunk, alignment: 64)
    // A larger pipe gives fewer and larger commits on a slow disk. A refusal does no harm.
    enlargePipe(input.fd)
  }

  package func next() -> Next {
    let rest = UnsafeRawBufferPointer(rebasing: buffer[(start + searched)..<end])
    if let base = rest.baseAddress, let found = memchr(base, Int32(terminator), rest.count) {
      let length = searched + (UnsafeRawPointer(found) - base)
      return take(length, skippingTerminator: true)
    }
    searched = end - start
    if atEnd, end > start || isSkipping { return take(end - start, skippingTerminator: false) }
    if searched > limit { return oversizedPiece() }
    return .drained
  }

  private func take(_ length: Int, skippingTerminator: Bool) -> Next {
    let line = UnsafeRawBufferPointer(rebasing: buffer[start..<(start + length)])
    start += length + (skippingTerminator ? 1 : 0)
    searched = 0
    if isSkipping || length > limit {
      if !isSkipping { lineNumber += 1 }
      isSkipping = false
      return .oversized(line, isLast: true)
    }
    lineNumber += 1
    return .line(line)
  }

  private func oversizedPiece() -> Next {
    if !isSkipping { lineNumber += 1 }
    isSkipping = true
    let piece = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
    start = end
    searched = 0
    return .oversized(piece, isLast: false)
  }

  /// Reads once, blocking. Returns false when the input has ended and every line was returned.
  package func fill() throws(Fault) -> Bool {
    if atEnd { return false }
    makeRoom()
    let count = try input.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
    end += count
    if count == 0 { atEnd = true }
    return count > 0 || end > start || isSkipping
  }

  /// Whether `fill` would return at once, with more input or at its end.
  package var isReadable: Bool {
    var poll = pollfd(fd: input.fd, events: Int16(POLLIN), revents: 0)
    return !atEnd && Glibc.poll(&poll, 1, 0) > 0
  }

  private func makeRoom() {
    if start > 0 {
      let rest = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
      buffer.baseAddress!.copyMemory(from: rest.baseAddress!, byteCount: rest.count)
      end -= start
      start = 0
    }
    if buffer.count - end < LineReader.chunk / 2 {
      let larger = UnsafeMutableRawBufferPointer.allocate(
        byteCount: buffer.count * 2, alignment: 64)
      larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[..<end]))
      buffer.deallocate()
      buffer = larger
    }
  }

  deinit {
    buffer.deallocate()
  }
}

extension UnsafeRawBufferPointer {
  /// Whether the text is somewhere in these bytes.
  package func contains(_ text: StaticString) -> Bool {
    memmem(baseAddress, count, text.utf8Start, text.utf8CodeUnitCount) != nil
  }
}
