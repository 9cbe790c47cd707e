internal import CPipeIO
internal import Glibc
internal import PipeIO
package import PipeTime

/// An attempt at an item that did not succeed.
package struct Attempt: Equatable {
  package let number: Int
  /// nil if unknown.
  package let started: Instant?
  package let ended: Instant
  package let exitStatus: Int32?
  package let signal: Int32?
  package let reason: String

  package init(
    number: Int, started: Instant?, ended: Instant, exitStatus: Int32?, signal: Int32?,
    reason: String
  ) {
    self.number = number
    self.started = started
    self.ended = ended
    self.exitStatus = exitStatus
    self.signal = signal
    self.reason = reason
  }
}

/// The failed attempts at items: lines in the file behind their name. Each line gives the numbers
/// of its items, so lines from an earlier use of the file do not count. No process flushes these
/// lines, so each has a checksum, which also covers the lane.
///
///     CRC32C FROM TO ATTEMPT STARTED ENDED EXIT SIGNAL REASON
enum History {
  /// Bytes that one read returns: more than a few attempts need.
  static let most = 64 << 10

  static func line(_ range: ItemRange, _ attempt: Attempt) -> [UInt8] {
    let columns = [
      String(range.from.number), String(range.to.number), String(attempt.number),
      attempt.started.map { String($0.microseconds) } ?? "-", String(attempt.ended.microseconds),
      attempt.exitStatus.map { String($0) } ?? "-", attempt.signal.map { String($0) } ?? "-",
    ]
    var line = Array((columns.joined(separator: " ") + " ").utf8)
    for byte in attempt.reason.utf8.prefix(1024) {
      line += byte < 0x20 || byte == percent ? Array("%" + twoHex(byte)).map(\.asciiValue!) : [byte]
    }
    var sum = [UInt8](repeating: 0, count: 8)
    let crc = line.withUnsafeBytes { cpipe_crc32c(seed(range.lane), $0.baseAddress, $0.count) }
    sum.withUnsafeMutableBufferPointer { writeHex(crc, to: $0.baseAddress!) }
    return sum + [space] + line + [newline]
  }

  /// The attempts at item `number` that a file records, in the order in which they were made.
  static func attempts(_ bytes: [UInt8], of number: Int, _ lane: Lane) -> [Attempt] {
    bytes.withUnsafeBytes { all in
      var lines = FieldSplitter(all)
      var found: [Attempt] = []
      while let line = lines.nextLine() {
        if let attempt = attempt(line, of: number, lane) { found.append(attempt) }
      }
      return found
    }
  }

  static func attempt(
    _ line: UnsafeRawBufferPointer, of number: Int, _ lane: Lane
  ) -> Attempt? {
    guard line.count > 9, let stored = hex(cut(line, 0, 8)) else { return nil }
    let rest = cut(line, 9, line.count)
    guard cpipe_crc32c(seed(lane), rest.baseAddress, rest.count) == stored else { return nil }
    var pieces = FieldSplitter(rest)
    guard let from = pieces.number(before: space), let to = pieces.number(before: space),
      from <= number, number < to, let attempt = pieces.number(before: space)
    else { return nil }
    let started = pieces.number(before: space)
    guard let ended = pieces.number(before: space) else { return nil }
    let exit = pieces.number(before: space)
    let signal = pieces.number(before: space)
    let reason = pieces.remainder.map(unescaped) ?? ""
    return Attempt(
      number: attempt, started: started.map { Instant(microseconds: $0) },
      ended: Instant(microseconds: ended),
      exitStatus: exit.map { Int32(truncatingIfNeeded: $0) },
      signal: signal.map { Int32(truncatingIfNeeded: $0) }, reason: reason)
  }

  // The lane seeds the checksum: the same numbers in another lane are other items.
  private static func seed(_ lane: Lane) -> UInt32 { UInt32(lane.rawValue) }

  private static let percent: UInt8 = 0x25

  private static func twoHex(_ byte: UInt8) -> String {
    (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }

  private static func unescaped(_ text: UnsafeRawBufferPointer) -> String {
    var bytes: [UInt8] = []
    var at = 0
    while at < text.count {
      if text[at] == percent, at + 2 < text.count, let value = hex(cut(text, at + 1, at + 3)) {
        bytes.append(UInt8(truncatingIfNeeded: value))
        at += 3
      } else {
        bytes.append(text[at])
        at += 1
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// An item that is no longer tried, and why.
package struct DeadLetter {
  package let entry: EntryID
  /// Counts from 1 within the entry.
  package let index: Int
  package let priority: Lane
  package let data: [UInt8]
  /// The attempts; the last one made the item dead.
  package let history: [Attempt]
  /// The last 4 KiB that the command wrote to stderr.
  package let stderr: [UInt8]

  package init(
    entry: EntryID, index: Int, priority: Lane, data: [UInt8], history: [Attempt], stderr: [UInt8]
  ) {
    self.entry = entry
    self.index = index
    self.priority = priority
    self.data = data
    self.history = history
    self.stderr = stderr
  }

  /// How the reason of a letter begins that `change --priority` writes while it moves an entry.
  package static let moved = "moved to "

  /// Bytes of stderr that are kept.
  package static let mostStderr = 4096

  // Follows the lines of the history: `stderr <bytes>`, a newline, and the bytes unchanged.
  static func stderrBlock(_ bytes: [UInt8]) -> [UInt8] {
    let tail = bytes.suffix(mostStderr)
    return Array("stderr \(tail.count)\n".utf8) + tail
  }

  static func stderr(in letter: [UInt8]) -> [UInt8] {
    letter.withUnsafeBytes { all in
      var lines = FieldSplitter(all)
      while let line = lines.nextLine() {
        guard line.starts(with: "stderr ".utf8) else { continue }
        let count = decimal(cut(line, 7, line.count)) ?? 0
        return Array(lines.remainder.map { $0.prefix(count) } ?? all.prefix(0))
      }
      return []
    }
  }
}

extension History {
  /// The lines about one item.
  static func lines(_ bytes: [UInt8], of number: Int, _ lane: Lane) -> [UInt8] {
    bytes.withUnsafeBytes { all in
      var lines = FieldSplitter(all)
      var found: [UInt8] = []
      while let line = lines.nextLine() {
        if attempt(line, of: number, lane) != nil { found += Array(line) + [newline] }
      }
      return found
    }
  }
}

extension Attempt {
  init(_ failure: Failure, number: Int, started: Instant?, ended: Instant) {
    self.init(
      number: number, started: started, ended: ended, exitStatus: failure.exitStatus,
      signal: failure.signal, reason: failure.reason)
  }
}

/// Why an attempt failed.
package struct Failure {
  package var reason: String
  package var exitStatus: Int32?
  package var signal: Int32?
  /// The last 4 KiB that the command wrote to stderr.
  package var stderr: [UInt8]

  package init(
    _ reason: String, exitStatus: Int32? = nil, signal: Int32? = nil, stderr: [UInt8] = []
  ) {
    self.reason = reason
    self.exitStatus = exitStatus
    self.signal = signal
    self.stderr = stderr
  }
}

/// The outcome of an item that was handed out.
package enum Outcome {
  case done
  /// Ready again, as if it had never been handed out.
  case giveBack
  /// Ready again after the backoff; buried if this was its last attempt.
  case retry(Failure)
  case bury(Failure)
  /// Ready at a time that the caller of `settle` gives; no attempt is counted.
  case wait
}

/// The result of settling a failed batch.
package enum Disposal: Equatable {
  case again(after: TimeSpan)
  case buried(items: Int)
}

/// How long a failed batch waits: doubles from `base` up to `most`.
package struct Backoff: Equatable {
  package var base: TimeSpan
  package var most: TimeSpan

  package init(base: TimeSpan, most: TimeSpan) {
    self.base = base
    self.most = most
  }

  /// Time to wait after failure number `attempt`, counted from 1. Half of the delay is
  /// random, so that items that failed together do not come back together ("equal jitter", Brooker,
  /// Exponential Backoff And Jitter, AWS Architecture Blog 2015): between once and twice `base` at
  /// first, and never more than `most`.
  package func delay(after attempt: Int, random: UInt64) -> TimeSpan {
    guard base > .zero, most > .zero else { return .zero }
    let ceiling = min(most, attempt < 40 ? (1 << Int64(attempt)) * base : most)
    let half = ceiling / 2
    return ceiling - half + .microseconds(Int64(random % UInt64(half.microseconds + 1)))
  }
}

extension Failure {
  func isSame(_ other: Failure) -> Bool {
    reason == other.reason && exitStatus == other.exitStatus && signal == other.signal
  }
}
