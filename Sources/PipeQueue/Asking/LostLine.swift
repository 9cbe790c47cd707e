internal import PipeIO

extension Queue {
  /// Where the damaged line of this id is, as a person may look at it; nil where no damaged line has this id
  /// in it. Looks at the damage among the lines of the time at which it must have been stored.
  func lostLine(_ id: EntryID) throws(Fault) -> String? {
    let ends = try ends()
    let lookup = Lookup(self)
    let text = Array(id.text.utf8)
    let from = id.milliseconds * 1000
    let until = (id.milliseconds + StrayFile.patience + 1) * 1000
    var found: String?
    for lane in Priority.allCases where found == nil {
      try lookup.damage(lane, from: from, until: until, ends[lane]) {
        (reader, bytes) throws(Fault) in
        guard let at = try reader.file.position(of: text, in: bytes) else { return true }
        found = "\(Segment.path(lane, reader.segment)), byte \(max(0, at - SegmentLine.idStart))"
        return false
      }
    }
    return found
  }
}

extension Descriptor {
  /// Where these bytes begin in a stretch of the file.
  fileprivate func position(of text: [UInt8], in bytes: Range<Int>) throws(Fault) -> Int? {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
    defer { buffer.deallocate() }
    var at = bytes.lowerBound
    while at < bytes.upperBound {
      let piece = UnsafeMutableRawBufferPointer(
        rebasing: buffer[..<min(buffer.count, bytes.upperBound - at)])
      let count = try read(into: piece, at: at)
      let bytes = cut(UnsafeRawBufferPointer(buffer), 0, count)
      let starts = 0..<max(0, count - text.count + 1)
      if let found = starts.first(where: {
        bytes[$0] == text[0] && cut(bytes, $0, $0 + text.count).elementsEqual(text)
      }) {
        return at + found
      }
      // So that it is found across two pieces.
      if count < buffer.count { return nil }
      at += count - text.count
    }
    return nil
  }
}
