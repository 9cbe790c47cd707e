import Foundation

// Names with a time (pipe-queue(5)): `RANGE.again.BATCH.ATTEMPT.DUE.SPAN` and `hold` in now/ and in
// later/, and the mark `later.DUE.SET.ITEMS`.

extension TestQueue {
  private var parked: [String] {
    get throws {
      try FileManager.default.subpathsOfDirectory(atPath: "\(path)/later").filter {
        $0.contains(".again.")
      }.map { "later/\($0)" }
    }
  }

  /// Makes everything that waits for a time due.
  func passTime() throws {
    for name in try names(in: "now") where name.contains(".again.") || name.contains(".hold.") {
      try makeDue("now/\(name)")
    }
    try passTimeOfParked()
  }

  /// The same for later/ alone.
  func passTimeOfParked() throws {
    for name in try parked { try makeDue(name) }
    for name in try names(in: "now") where name.hasPrefix("later.") {
      let pieces = name.components(separatedBy: ".")
      let mark = "later.0.\(pieces[2]).\(pieces[3])"
      try move("now/\(name)", "now/\(mark).\(checksum(mark))")
    }
  }

  private func makeDue(_ name: String) throws {
    // First the directory, then the range, its checksum and the state.
    let directory = name[...name.lastIndex(of: "/")!]
    let pieces = name.dropFirst(directory.count).components(separatedBy: ".")
    let range = pieces[..<6].joined(separator: ".")
    let state = (pieces[7...].dropLast(2) + ["0", "0"]).joined(separator: ".")
    try move(name, "\(directory)\(range).\(checksum(range + state)).\(state)")
  }

  private func move(_ name: String, _ new: String) throws {
    if name == new { return }
    try FileManager.default.moveItem(atPath: "\(path)/\(name)", toPath: "\(path)/\(new)")
  }

  /// If items are parked, a mark must say so, and none may be due before it.
  func markComplaints() throws -> [String] {
    guard FileManager.default.fileExists(atPath: path + "/later") else { return [] }
    let first = try parked.compactMap { Int($0.components(separatedBy: ".").dropLast().last ?? "") }
      .min()
    let marks = try names(in: "now").filter { $0.hasPrefix("later.") }
    guard let first else { return [] }
    let mark = marks.compactMap { Int($0.components(separatedBy: ".")[1]) }.min()
    if let mark, mark <= first { return [] }
    return ["parked until \(first), but the mark is \(marks)"]
  }

  /// Files in later/ and dead/ that name items, and items in the register without such a file.
  func leftAside() throws -> [String] {
    var dropped = 0
    var left: [String] = []
    for kind in ["later", "dead"] {
      for name in try FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(kind)")
      where name.contains("-") {
        if name.hasSuffix(".dropped") { dropped += 1 } else { left.append("\(kind)/\(name)") }
      }
    }
    let registered = try registered() - dropped
    return left.isEmpty && registered > 0 ? ["\(registered) items in the register"] : left
  }

  // One bit per item, in records `checksum, space, 25 hex digits, newline`.
  private func registered() throws -> Int {
    let root = "\(path)/register"
    return try FileManager.default.subpathsOfDirectory(atPath: root).reduce(0) { sum, name in
      guard let bytes = FileManager.default.contents(atPath: "\(root)/\(name)") else { return sum }
      let records = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self).split(separator: "\n")
      return sum
        + records.flatMap { $0.dropFirst(9) }.reduce(0) {
          $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount
        }
    }
  }
}

/// CRC-32C (RFC 3720, appendix B.4), bit by bit, as the 8 hex digits in names.
private func checksum(_ text: String) -> String {
  let sum = ~text.utf8.reduce(UInt32.max) { sum, byte in
    (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in
      sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1
    }
  }
  return String(format: "%08x", sum)
}
