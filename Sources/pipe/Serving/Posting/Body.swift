extension [UInt8] {
  /// With spaces for a byte-order mark, so that places stay the same.
  var withoutMark: [UInt8] {
    guard starts(with: [0xef, 0xbb, 0xbf]) else { return self }
    return [0x20, 0x20, 0x20] + self[3...]
  }

  /// A JSON value with spaces for the ends of its lines, which stand only between its tokens: what is stored
  /// is one line.
  var inOneLine: [UInt8] {
    guard contains(where: { $0 == 0x0a || $0 == 0x0d }) else { return self }
    return map { $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 }
  }
}
