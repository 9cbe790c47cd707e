internal import PipeIO
internal import PipeJSON
internal import PipeEngine
internal import PipeTime

/// `500ms 5s 10m 2h 7d`, at most a century.
struct SpanArgument: OptionValue {
  static let form: String? = "a duration needs a unit: \(words.joined(separator: " "))"
  static let words = ["500ms", "5s", "10m", "2h", "7d"]

  let span: TimeSpan

  init?(argument: String) {
    let units: [(String, TimeSpan)] = [
      ("ms", .milliseconds(1)), ("s", .seconds(1)), ("m", .minutes(1)), ("h", .hours(1)),
      ("d", .days(1)),
    ]
    guard let (unit, size) = units.first(where: { argument.hasSuffix($0.0) }),
      let value = plainNumber(argument.dropLast(unit.count))
    else { return nil }
    span = value * size
    // A century is longer than any wait, and far from overflow.
    guard span <= .days(100 * 366) else { return nil }
  }
}

/// `10`, `0.5`: minutes.
struct MinutesArgument: OptionValue {
  static let form: String? = "a number of minutes, such as 10 or 0.5"
  static let words: [String] = []

  let span: TimeSpan

  init?(argument: String) {
    guard let minutes = Double(argument), minutes > 0, minutes <= 60 * 24 * 366 else { return nil }
    span = .milliseconds(Int64(minutes * 60_000))
  }
}

/// An RFC 3339 time since 1970.
struct TimeArgument: OptionValue {
  static let form: String? =
    "an RFC 3339 time since 1970, such as 2026-11-21T05:00:00Z or $(date -d 23:00 -Is)"

  let time: Instant

  init?(argument: String) {
    var text = argument
    guard let time = text.withUTF8({ parseDateTime(UnsafeRawBufferPointer($0)) }), time >= .epoch
    else { return nil }
    self.time = time
  }
}

/// `64KiB 1MiB 2GiB`, or bytes without a unit.
struct ByteSize: OptionValue {
  static let form: String? =
    "a size is a number of bytes, or has a unit: \(words.joined(separator: " "))"
  static let words = ["64KiB", "1MiB", "2GiB"]

  let bytes: Int

  init(bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    let units: [(String, Int64)] = [
      ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("", 1),
    ]
    guard let (unit, size) = units.first(where: { argument.hasSuffix($0.0) }),
      let value = plainNumber(argument.dropLast(unit.count))
    else { return nil }
    let (product, overflow) = value.multipliedReportingOverflow(by: size)
    guard !overflow, product < 1 << 59 else { return nil }
    bytes = Int(product)
  }
}

private func plainNumber(_ text: Substring) -> Int64? {
  text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(text) : nil
}

/// Rejects text that is not UTF-8. Paths may be any bytes; stored and compared arguments may not.
func requireText(_ argument: String?, _ name: String) throws(Mistake) {
  if argument?.isUTF8 == false { throw Mistake("\(name) is not UTF-8") }
}

/// `consumer=app`: what a role of PostgreSQL may do, and its name.
struct GrantArgument: OptionValue {
  static let form: String? = "KIND=ROLE, with a KIND of reader, producer or consumer"
  static let words = QueueRole.allCases.map { $0.rawValue + "=" }

  let kind: QueueRole
  let role: String

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let kind = QueueRole(rawValue: String(parts[0])), !parts[1].isEmpty
    else { return nil }
    (self.kind, role) = (kind, String(parts[1]))
  }
}

struct LaneArgument: OptionValue {
  static var form: String? { listed(words) }
  static var words: [String] { Lane.allCases.map(\.name) }

  let priority: Lane

  init(_ priority: Lane) { self.priority = priority }

  init?(argument: String) {
    guard let found = Lane.allCases.first(where: { $0.name == argument.uppercased() }) else {
      return nil
    }
    priority = found
  }
}

/// `high,low`: one or more lanes, each once, highest first.
struct LanesArgument: OptionValue {
  static var form: String? { LaneArgument.form }

  let lanes: [Lane]

  init?(argument: String) {
    let found = argument.split(separator: ",", omittingEmptySubsequences: false).map {
      LaneArgument(argument: String($0))?.priority
    }
    guard !found.contains(nil) else { return nil }
    lanes = Lane.allCases.filter(found.contains)
  }
}

/// A group of this system, by name or number.
struct GroupArgument: OptionValue {
  static let form: String? = "there is no such group; getent group lists them"

  let number: UInt32

  init?(argument: String) {
    guard let number = groupNumber(argument) else { return nil }
    self.number = number
  }
}

/// A number of items; 0 for no limit.
struct Bound: OptionValue {
  static let form: String? = "a whole number"

  let value: Int?

  init?(argument: String) {
    guard let value = plainNumber(argument[...]), value < 1 << 50 else { return nil }
    self.value = value == 0 ? nil : Int(value)
  }
}

/// A positive number.
struct Count: OptionValue {
  static let form: String? = "a whole number from 1 on"

  let value: Int

  init?(argument: String) {
    guard let value = plainNumber(argument[...]), value > 0, value < 1 << 40 else { return nil }
    self.value = Int(value)
  }
}

/// `1s..5m`: the first wait and the longest.
struct BackoffArgument: OptionValue {
  static var form: String? { "two durations: \(words[0])" }
  static let words = ["1s..5m"]

  let backoff: Backoff

  init?(argument: String) {
    let parts = argument.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[1].isEmpty, let base = SpanArgument(argument: String(parts[0])),
      let most = SpanArgument(argument: String(parts[2])),
      base.span <= most.span
    else { return nil }
    backoff = Backoff(base: base.span, most: most.span)
  }
}

/// A tag for statistics: up to 64 letters, digits and `. _ : -`, starting with a letter or digit.
struct Tag: OptionValue {
  static let form: String? = "up to 64 letters, digits and . _ : -"

  let text: String

  init?(argument: String) {
    let isPlain = { (byte: UInt8) in
      (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & 0xdf)
    }
    guard (1...64).contains(argument.utf8.count), argument.utf8.first.map(isPlain) == true,
      argument.utf8.allSatisfy({ isPlain($0) || "._:-".utf8.contains($0) })
    else { return nil }
    text = argument
  }
}

let programVersion = "0.2.0"
