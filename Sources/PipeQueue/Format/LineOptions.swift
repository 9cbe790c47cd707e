package import PipeTime

/// The OPTIONS column of a segment line (pipe-queue(5), SEGMENTS). Each member is present only if
/// it is needed:
///
///     {"key":"a","not_before":1763700000000000,"delay":600000000,"accepted":1763699000000000}
package struct LineOptions {
  /// JSON text with its quotes. Equal keys have equal text: the writer escapes as little as it can.
  package private(set) var key: UnsafeRawBufferPointer?
  /// The items are not ready before this instant.
  package private(set) var notBefore: Instant?
  /// The requested interval; nil if an instant was requested.
  package private(set) var delay: TimeSpan?
  /// Whether `submit` stored the line: only then is its data a command.
  package private(set) var isJob = false
  /// When the line was accepted; nil if its TIME gives that.
  package private(set) var accepted: Instant?

  /// Skips unknown members. A malformed column gives no options.
  package init(_ column: UnsafeRawBufferPointer) {
    var found = LineOptions()
    if found.read(column) { self = found } else { self.init() }
  }

  private init() {}

  private mutating func read(_ column: UnsafeRawBufferPointer) -> Bool {
    var text = OptionScanner(column)
    guard text.take(0x7b) else { return false }
    if text.take(0x7d) { return text.isAtEnd }
    repeat {
      guard let name = text.string(), text.take(0x3a), let value = text.value() else {
        return false
      }
      keep(name, value)
    } while text.take(0x2c)
    return text.take(0x7d) && text.isAtEnd
  }

  private mutating func keep(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    switch name.count {
    case 5 where name.elementsEqual(#""key""#.utf8): key = value[0] == 0x22 ? value : nil
    case 12 where name.elementsEqual(#""not_before""#.utf8):
      notBefore = decimal(value).map { Instant(microseconds: $0) }
    case 7 where name.elementsEqual(#""delay""#.utf8):
      delay = decimal(value).map { TimeSpan(microseconds: $0) }
    case 5 where name.elementsEqual(#""job""#.utf8): isJob = value.elementsEqual("true".utf8)
    case 10 where name.elementsEqual(#""accepted""#.utf8):
      accepted = decimal(value).map { Instant(microseconds: $0) }
    default: break
    }
  }
}

extension LineOptions {
  /// The column; nil if there are no options. `key`: JSON text with its quotes and without spaces.
  package static func column(
    key: [UInt8]?, notBefore: Instant?, delay: TimeSpan?, isJob: Bool = false
  ) -> [UInt8]? {
    var text: [UInt8] = []
    func open(_ name: StaticString) {
      text.append(text.isEmpty ? 0x7b : 0x2c)
      text.append(
        contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }
    if let key {
      open(#""key":"#)
      text += key
    }
    if let notBefore {
      open(#""not_before":"#)
      appendDecimal(Int(notBefore.microseconds), to: &text)
    }
    if let delay {
      open(#""delay":"#)
      appendDecimal(Int(delay.microseconds), to: &text)
    }
    if isJob { open(#""job":true"#) }
    if text.isEmpty { return nil }
    text.append(0x7d)
    return text
  }
}

extension LineOptions {
  private static let acceptedName = Array(#""accepted":"#.utf8)

  /// Adds the time when the line was accepted to its column, after all other members.
  static func column(_ column: some BidirectionalCollection<UInt8>, accepted: Instant) -> [UInt8] {
    var text = column.last == 0x7d ? Array(column.dropLast()) : [0x7b]
    if text.count > 1 { text.append(0x2c) }
    text += acceptedName
    appendDecimal(Int(accepted.microseconds), to: &text)
    return text + [0x7d]
  }

  /// The column for a line that is accepted again, in another queue; nil if no options are left.
  static func columnToMove(_ column: UnsafeRawBufferPointer) -> [UInt8]? {
    guard LineOptions(column).accepted != nil else { return Array(column) }
    let last = column.indices.last { column[$0...].starts(with: acceptedName) } ?? column.endIndex
    let rest = column[..<last].dropLast()
    return rest.isEmpty ? nil : rest + [0x7d]
  }
}

extension SegmentLine {
  /// When the line was accepted, by the clock of that moment. TIME only increases within a lane:
  /// once the clock was ahead, TIME runs ahead of it, and the options have the time of the clock.
  /// Lines of earlier versions lack that option; while TIME of such a line lies ahead of `now`,
  /// this is the time when the entry was first seen.
  func accepted(at now: Instant) -> Instant {
    if let noted = options.flatMap({ LineOptions($0).accepted }) { return noted }
    return time <= now ? time : created ?? min(time, id.time)
  }

  /// The key of the entry, JSON text with its quotes.
  var key: UnsafeRawBufferPointer? { options.flatMap { LineOptions($0).key } }

  /// nil if the items were ready at once.
  var notBefore: Instant? { options.flatMap { LineOptions($0).notBefore } }

  /// nil if no interval was requested.
  var delay: TimeSpan? { options.flatMap { LineOptions($0).delay } }
}

/// Splits JSON text without white space into tokens, from the front. Only as strict as needed to
/// stay within the text: the writer was strict, and the line has a checksum.
private struct OptionScanner {
  private let text: UnsafeRawBufferPointer
  private var at = 0

  init(_ text: UnsafeRawBufferPointer) { self.text = text }

  var isAtEnd: Bool { at == text.count }

  mutating func take(_ byte: UInt8) -> Bool {
    guard at < text.count, text[at] == byte else { return false }
    at += 1
    return true
  }

  /// Includes the quotes and leaves escapes as they are.
  mutating func string() -> UnsafeRawBufferPointer? {
    let start = at
    guard take(0x22) else { return nil }
    while at < text.count {
      let byte = text[at]
      at += byte == 0x5c ? 2 : 1
      if byte == 0x22 { return UnsafeRawBufferPointer(rebasing: text[start..<at]) }
    }
    return nil
  }

  /// Ends before the next comma or closing bracket.
  mutating func value() -> UnsafeRawBufferPointer? {
    let start = at
    var depth = 0
    while at < text.count {
      switch text[at] {
      case 0x22: guard string() != nil else { return nil }
      case 0x5b, 0x7b:
        depth += 1
        at += 1
      case 0x2c where depth == 0, 0x5d where depth == 0, 0x7d where depth == 0:
        return at > start ? UnsafeRawBufferPointer(rebasing: text[start..<at]) : nil
      case 0x5d, 0x7d:
        depth -= 1
        at += 1
      default: at += 1
      }
    }
    return nil
  }
}
