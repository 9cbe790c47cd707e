internal import PipeIO

/// An item that is not tried any more, and why.
package struct DeadLetter {
  package let entry: EntryID
  /// Counts from 1 within its entry.
  package let index: Int
  package let priority: Priority
  package let data: [UInt8]
  /// The attempts, the last one being that of which it died.
  package let history: [Attempt]
  /// The last 4 KiB of what the command wrote to stderr.
  package let stderr: [UInt8]

  /// Bytes of stderr that are kept.
  package static let mostStderr = 4096

  // Behind the lines of the history: `stderr <bytes>`, a newline, and the bytes as they came.
  static func stderrBlock(_ bytes: [UInt8]) -> [UInt8] {
    let tail = bytes.suffix(mostStderr)
    return Array("stderr \(tail.count)\n".utf8) + tail
  }

  static func stderr(in letter: [UInt8]) -> [UInt8] {
    letter.withUnsafeBytes { all in
      var lines = Pieces(all)
      while let line = lines.next(before: newline) {
        guard line.starts(with: "stderr ".utf8) else { continue }
        let count = decimal(cut(line, 7, line.count)) ?? 0
        return Array(lines.remainder.map { $0.prefix(count) } ?? all.prefix(0))
      }
      return []
    }
  }
}

extension History {
  /// The lines that tell of one item.
  static func lines(_ bytes: [UInt8], of number: Int, _ lane: Priority) -> [UInt8] {
    bytes.withUnsafeBytes { all in
      var lines = Pieces(all)
      var found: [UInt8] = []
      while let line = lines.next(before: newline) {
        if attempt(line, of: number, lane) != nil { found += Array(line) + [newline] }
      }
      return found
    }
  }
}
