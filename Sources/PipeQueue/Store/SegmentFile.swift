internal import CPipeIO
internal import Glibc
internal import PipeIO

/// Reads the lines of one segment through a window that grows while lines are read forwards.
final class SegmentReader {
  enum Reading {
    /// Valid until the next call.
    case line(SegmentLine)
    /// Bytes that are not an intact line here, up to the next newline, intact line or limit.
    case damaged(until: Int)
    case end
  }

  let lane: Lane
  let segment: Int
  let file: Descriptor
  private var window: UnsafeMutableRawBufferPointer
  private var base = 0
  private var count = 0
  private var readSize = 16 << 10
  private var size: Int?

  private static let largest = 1 << 20

  init(_ file: Descriptor, _ lane: Lane, _ segment: Int) {
    self.file = file
    self.lane = lane
    self.segment = segment
    window = .allocate(byteCount: readSize, alignment: 64)
  }

  /// Size of a segment that is not the last of its lane: it no longer grows, so it is read once.
  func finalSize() throws(Fault) -> Int {
    if let size { return size }
    let now = try file.size()
    size = now
    return now
  }

  /// The line that begins at `offset`; nothing at or beyond `limit` is read.
  func line(at offset: Int, limit: Int) throws(Fault) -> Reading {
    guard let text = try text(at: offset, limit: limit) else {
      return offset < limit ? .damaged(until: limit) : .end
    }
    guard SegmentLine.isIntact(text, lane, segment, offset), let line = SegmentLine(text) else {
      return .damaged(until: offset + (intactLine(in: text, at: offset) ?? text.count + 1))
    }
    return .line(line)
  }

  /// Where an intact line begins inside a damaged one that has lost its newline.
  private func intactLine(in text: UnsafeRawBufferPointer, at offset: Int) -> Int? {
    // Few positions look like the start of a line. Data may be full of them, so tries are bounded.
    var tries = 64
    var start = 1
    while start + SegmentLine.itemsStart < text.count, tries > 0 {
      // The first space of a line is behind its checksum.
      let from = start + SegmentLine.crcEnd
      guard let found = memchr(text.baseAddress! + from, Int32(space), text.count - from) else {
        return nil
      }
      start = UnsafeRawPointer(found) - text.baseAddress! - SegmentLine.crcEnd
      let rest = cut(text, start, text.count)
      if SegmentLine.mayBegin(rest) {
        tries -= 1
        if SegmentLine.isIntact(rest, lane, segment, offset + start), SegmentLine(rest) != nil {
          return start
        }
      }
      start += 1
    }
    return nil
  }

  /// The first offset after a newline at or after `offset`; nil if there is none below `limit`.
  func lineStart(after offset: Int, limit: Int) throws(Fault) -> Int? {
    guard let text = try text(at: offset, limit: limit) else { return nil }
    let start = offset + text.count + 1
    return start < limit ? start : nil
  }

  /// Whether damaged bytes are what `punch` leaves: whole pages of zeros, with the rest of a line before and
  /// after them. No line has such a byte.
  func isPunched(_ bytes: Range<Int>) throws(Fault) -> Bool {
    var zeros: Range<Int>?
    var isOneRun = true
    try file.forEachPiece(of: bytes) { (piece, at) throws(Fault) in
      for index in piece.indices where isOneRun && piece[index] == 0 {
        let place = at + index
        let known = zeros ?? place..<place
        isOneRun = known.upperBound == place
        zeros = known.lowerBound..<(place + 1)
      }
    }
    guard let zeros, isOneRun else { return false }
    return zeros.lowerBound % Segment.page == 0 && zeros.upperBound % Segment.page == 0
  }

  /// Bytes from `offset` to the next newline, exclusive; nil if there is none below `limit`.
  private func text(at offset: Int, limit: Int) throws(Fault) -> UnsafeRawBufferPointer? {
    var searched = 0
    while true {
      let held = min(limit, base + count) - offset
      if offset >= base, held > searched {
        let start = window.baseAddress! + (offset - base)
        if let found = memchr(start + searched, Int32(newline), held - searched) {
          return UnsafeRawBufferPointer(start: start, count: UnsafeMutableRawPointer(found) - start)
        }
        searched = held
      }
      if offset + max(0, searched) >= limit { return nil }
      guard try extend(from: offset, holding: max(0, searched), limit: limit) else { return nil }
    }
  }

  // Moves the held bytes from `offset` on to the front, and reads more after them.
  private func extend(from offset: Int, holding held: Int, limit: Int) throws(Fault) -> Bool {
    let isForward = count > 0 && offset >= base && offset <= base + count
    readSize = isForward ? min(SegmentReader.largest, readSize * 2) : readSize
    // Doubles, so that one very long line is not copied again for each mebibyte.
    let wanted = min(held + max(readSize, held), limit - offset)
    let old = window
    if window.count < wanted {
      window = .allocate(byteCount: max(wanted, readSize), alignment: 64)
    }
    if held > 0 { memmove(window.baseAddress!, old.baseAddress! + (offset - base), held) }
    if old.baseAddress != window.baseAddress { old.deallocate() }
    let target = UnsafeMutableRawBufferPointer(rebasing: window[held..<max(wanted, held)])
    base = offset
    count = held
    let read = try file.read(into: target, at: offset + held)
    count += read
    return read > 0
  }

  deinit {
    window.deallocate()
  }
}

extension Queue {
  /// Copies bytes of a segment that are not lines to quarantine/, and reports them. The segment
  /// itself does not change. A range that was copied before is neither copied nor reported again.
  /// Returns whether this is the first time.
  /// Transition: quarantine
  @discardableResult
  func quarantine(_ lane: Lane, _ segment: Int, _ bytes: Range<Int>) throws(Fault) -> Bool {
    let name = Queue.quarantineName(lane, segment, bytes)
    let position = "\(Segment.path(lane, segment)): byte \(bytes.lowerBound)"
    guard let file = try Segment.open(self, lane, segment) else { return false }
    let directory = try root.subdirectory(making: "quarantine")
    // A process that died while it copied left a part.
    if let size = directory.size(of: name), size < bytes.count { try directory.remove(name) }
    let kept: Int
    do throws(Fault) {
      let copy = try Descriptor.create(name, in: directory, O_WRONLY | O_EXCL)
      kept = try Queue.copy(file, bytes, to: copy)
    } catch {
      if error.code == EEXIST { return false }
      try? directory.remove(name)
      // Reading matters more than the copy: the bytes are still in the segment.
      note("\(position): damaged, and could not be copied to quarantine/: \(error.text)")
      return true
    }
    note(
      "\(position): \(bytes.count) damaged bytes are skipped; \(kept) of them are in quarantine/\(name)"
    )
    return true
  }

  static func quarantineName(_ lane: Lane, _ segment: Int, _ bytes: Range<Int>) -> String {
    "\(lane.name).\(segment).\(bytes.lowerBound)-\(bytes.upperBound)"
  }

  private static func copy(_ file: Descriptor, _ bytes: Range<Int>, to copy: Descriptor)
    throws(Fault) -> Int
  {
    var kept = 0
    try file.forEachPiece(of: bytes) { (piece, at) throws(Fault) in
      try copy.write(piece, at: at - bytes.lowerBound)
      kept += piece.count
    }
    return kept
  }
}

extension Segment {
  static func open(
    _ queue: Queue, _ lane: Lane, _ number: Int, writable: Bool = false
  ) throws(Fault) -> Descriptor? {
    try Descriptor.open(path(lane, number), in: queue.root, writable ? O_RDWR : O_RDONLY)
  }
}

extension [UInt8] {
  func write(to file: Descriptor, at offset: Int) throws(Fault) {
    try withUnsafeBufferPointer { (all) throws(Fault) -> Void in
      try file.write(UnsafeRawBufferPointer(all), at: offset)
    }
  }
}

extension Descriptor {
  /// Reads these bytes piece by piece, up to the end of the file. `at`: where in the file the piece begins.
  fileprivate func forEachPiece(
    of bytes: Range<Int>, _ body: (_ piece: UnsafeRawBufferPointer, _ at: Int) throws(Fault) -> Void
  ) throws(Fault) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
    defer { buffer.deallocate() }
    var at = bytes.lowerBound
    while at < bytes.upperBound {
      let count = min(buffer.count, bytes.upperBound - at)
      let read = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: at)
      if read == 0 { return }
      try body(cut(UnsafeRawBufferPointer(buffer), 0, read), at)
      at += read
    }
  }
}
