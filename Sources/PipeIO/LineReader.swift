internal import CPipeIO
internal import Glibc

/// Splits a stream into lines without ever holding more than one line over the limit.
///
/// `next` never blocks; `fill` reads once and may. Between the two the caller writes out what it owes.
package final class LineReader {
  package enum Next {
    /// A line without its newline; valid until the next call of `fill`.
    case line(UnsafeRawBufferPointer)
    /// A piece of a line that is longer than the limit; the last one ends the line.
    case oversized(UnsafeRawBufferPointer, isLast: Bool)
    /// Nothing more without reading.
    case drained
  }

  /// Counts from 1; the line that `next` gave last.
  package private(set) var lineNumber = 0
  package let input: Descriptor
  private let limit: Int
  private var buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  /// Bytes from `start` known to hold no newline.
  private var searched = 0
  private var isSkipping = false
  private var atEnd = false

  private static let chunk = 1 << 18

  /// `limit`: the most bytes a line may have, its newline not counted.
  package init(_ input: Descriptor, limit: Int) {
    self.input = input
    self.limit = limit
    buffer = .allocate(byteCount: LineReader.chunk, alignment: 64)
    // A larger pipe means fewer and larger commits behind a slow disk; refusal does no harm.
    enlargePipe(input.number)
  }

  package func next() -> Next {
    let rest = UnsafeRawBufferPointer(rebasing: buffer[(start + searched)..<end])
    if let base = rest.baseAddress, let found = memchr(base, 0x0a, rest.count) {
      let length = searched + (UnsafeRawPointer(found) - base)
      return take(length, skippingNewline: true)
    }
    searched = end - start
    if atEnd, end > start || isSkipping { return take(end - start, skippingNewline: false) }
    if searched > limit { return oversizedPiece() }
    return .drained
  }

  private func take(_ length: Int, skippingNewline: Bool) -> Next {
    let line = UnsafeRawBufferPointer(rebasing: buffer[start..<(start + length)])
    start += length + (skippingNewline ? 1 : 0)
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

  /// Reads once, blocking; false when the input has ended and all of it was given.
  package func fill() throws(Fault) -> Bool {
    if atEnd { return false }
    makeRoom()
    let count = try input.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
    end += count
    if count == 0 { atEnd = true }
    return count > 0 || end > start || isSkipping
  }

  /// Whether `fill` would find something at once: more input, or its end.
  package var isReadable: Bool {
    var poll = pollfd(fd: input.number, events: Int16(POLLIN), revents: 0)
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
