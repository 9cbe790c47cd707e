internal import CPipeIO

/// Names and sizes of the files that hold a lane's lines.
enum Segment {
  static let first = 1
  /// Bytes. A commit that finds this much in a segment begins the next one.
  static let rollSize = 8 << 20

  /// Relative to the queue: `segments/HIGH/000/000017`, 1,000 to a directory.
  static func path(_ lane: Lane, _ number: Int) -> String {
    "segments/\(lane.name)/\(group(number))/\(name(number))"
  }

  static func isFirstOfGroup(_ number: Int) -> Bool { number % 1000 == 0 }

  static func group(_ number: Int) -> String { zeros(number / 1000, 3) }
  static func name(_ number: Int) -> String { zeros(number, 6) }

  private static func zeros(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  /// Seed of every checksum in a segment. It makes a line valid only at its own position: a line
  /// that a stale disk block or a copied file shows elsewhere fails the check.
  static func seed(_ lane: Lane, _ segment: Int, _ offset: Int) -> UInt32 {
    var place = (UInt64(lane.rawValue) << 56 | UInt64(segment), UInt64(offset))
    return withUnsafeBytes(of: &place) { cpipe_crc32c(0, $0.baseAddress, $0.count) }
  }
}
