struct Member {
  /// The range between the quotes.
  let name: Range<Int>
  let isEscaped: Bool
  let value: Span
}

/// The members of one object, in order. Each is validated as it is read.
struct Members {
  private let text: Text
  private let depth: Int
  private(set) var index: Int
  private var isFirst = true

  /// `start`: the object's opening brace, which is bracket number `depth`.
  @inline(__always)
  init(of text: Text, at start: Int, depth: Int) {
    self.text = text
    self.depth = depth
    index = start &+ 1
  }

  /// nil after the closing brace; `index` is then just after it.
  @inline(__always)
  mutating func next() throws(JSONFault) -> Member? {
    guard try reachName() else { return nil }
    let start = index &+ 1
    var isEscaped = false
    let nameEnd = try text.stringEnd(from: start, escaped: &isEscaped)
    let value = try text.value(from: try text.colonEnd(from: nameEnd), depth: depth)
    index = value.range.upperBound
    let name = Range(uncheckedBounds: (start, nameEnd &- 1))
    return Member(name: name, isEscaped: isEscaped, value: value)
  }

  @inline(__always)
  private mutating func reachName() throws(JSONFault) -> Bool {
    index = text.spaceEnd(from: index)
    if text.has(.closeBrace, at: index) {
      index &+= 1
      return false
    }
    if !isFirst {
      guard text.has(.comma, at: index) else {
        throw text.fault(.expectedCommaOrBrace, at: index)
      }
      index = text.spaceEnd(from: index &+ 1)
    }
    guard text.has(.quote, at: index) else { throw text.fault(.expectedName, at: index) }
    isFirst = false
    return true
  }
}

/// The elements of one array in a validated text, in order. Gives spans and decodes nothing.
package struct Elements: Sequence, IteratorProtocol {
  private let text: Text
  private var index: Int

  /// `array`: as returned by a scan of `line`.
  @inline(__always)
  package init(of array: Span, in line: UnsafeRawBufferPointer) {
    // Cut after the array: later bytes cannot be read as part of it.
    text = Text(line[part: 0..<array.range.upperBound])
    index = array.range.lowerBound &+ 1
  }

  /// nil after the last element.
  package mutating func next() -> Span? {
    let start = text.spaceEnd(from: index)
    guard start < text.count, !text.has(.closeBracket, at: start),
      let element = try? text.value(from: start, depth: 1)
    else { return nil }
    index = text.spaceEnd(from: element.range.upperBound)
    if text.has(.comma, at: index) { index &+= 1 }
    return element
  }
}

/// A few names, prepared for comparing each with a member's name as one word.
struct WatchedNames {
  private let names: [[UInt8]]
  /// The first eight bytes of each name, as `Text.word` reads them, padded with zeros. A name in a
  /// validated text has no zero byte, so short names with equal words are equal.
  private let heads: [UInt64]
  /// One bit for each name's length, modulo 64.
  private let lengths: UInt64

  init(_ names: [String]) {
    precondition(names.count <= 16, "at most 16 watched names")
    self.names = names.map { Array($0.utf8) }
    precondition(self.names.allSatisfy { $0.allSatisfy { $0 >= 0x20 && $0 < 0x80 } }, "ASCII")
    heads = self.names.map { name in
      name.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    lengths = self.names.reduce(0) { $0 | 1 &<< UInt64($1.count & 63) }
  }

  @inline(__always)
  func index(of member: Member, in text: Text) -> Int? {
    if member.isEscaped { return indexDecoded(of: member, in: text) }
    let length = member.name.upperBound &- member.name.lowerBound
    guard lengths & 1 &<< UInt64(truncatingIfNeeded: length) != 0 else { return nil }
    let head = text.head(of: member.name.lowerBound, length: length)
    for k in heads.indices where heads[k] == head {
      if length < 8 || text.equals(member.name, names[k], from: 8) { return k }
    }
    return nil
  }

  @inline(never)
  private func indexDecoded(of member: Member, in text: Text) -> Int? {
    let name = text.decoded(member.name)
    return names.firstIndex(of: name)
  }

  /// The fault for a repeated member: its byte is the name's opening quote.
  func duplicate(_ index: Int, _ member: Member) -> JSONFault {
    let name = String(decoding: names[index], as: UTF8.self)
    return JSONFault(byte: member.name.lowerBound - 1, reason: .duplicateMember(name))
  }
}

extension Text {
  /// Up to eight bytes from `start`, padded with zeros.
  @inline(__always)
  fileprivate func head(of start: Int, length: Int) -> UInt64 {
    if start &+ 8 <= count {
      if length >= 8 { return word(at: start) }
      let bits = UInt64(truncatingIfNeeded: length) &<< 3
      return word(at: start) & (1 &<< bits &- 1)
    }
    // Fewer than eight bytes remain, so the name, which a quote follows, is shorter than that.
    return (0..<length).reversed().reduce(0) { $0 &<< 8 | UInt64(self[start &+ $1]) }
  }

  /// Whether the bytes at `range` are `name`. Skips the first `first` bytes, known to be equal.
  @inline(__always)
  func equals(_ range: Range<Int>, _ name: [UInt8], from first: Int = 0) -> Bool {
    guard range.upperBound &- range.lowerBound == name.count else { return false }
    var k = first
    while k < name.count, bytes[range.lowerBound &+ k] == name[k] { k &+= 1 }
    return k == name.count
  }

  /// The decoded name between the quotes.
  func decoded(_ name: Range<Int>) -> [UInt8] {
    decodeString(bytes[part: name.lowerBound - 1..<name.upperBound + 1])
  }
}

/// The ids of an id request: an array of integers from 1 to 10^19 + 7. They stay digits, because
/// Int64 is too small for the limit.
package struct IDList: Sendable {
  package let count: Int

  /// Checks the ids of a validated JSON array. A fault's byte counts from the start of `array`.
  package init(validating array: UnsafeRawBufferPointer) throws(JSONFault) {
    let text = Text(array)
    var i = text.spaceEnd(from: text.spaceEnd(from: 0) &+ 1)
    if text.has(.closeBracket, at: i) { throw text.fault(.emptyIDs, at: i) }
    var count = 1
    while true {
      i = try text.idEnd(from: i)
      if text.has(.closeBracket, at: i) { break }
      i = text.spaceEnd(from: i &+ 1)
      count &+= 1
    }
    self.count = count
  }

  /// Writes a validated JSON array of numbers without its white space.
  package static func appendCompact(_ array: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    let lowest = array.reduce(UInt8.max) { min($0, $1) }
    if lowest > 0x20 { return out.append(contentsOf: array) }
    for byte in array where !byte.isSpace { out.append(byte) }
  }
}

extension Text {
  /// Skips one id and the white space after it.
  @inline(__always)
  fileprivate func idEnd(from start: Int) throws(JSONFault) -> Int {
    let digits = digitsEnd(from: start)
    let next = spaceEnd(from: digits)
    guard digits > start, has(.comma, at: next) || has(.closeBracket, at: next) else {
      throw fault(.idNotDigits, at: start)
    }
    guard isIDInRange(start, digits &- start) else { throw fault(.idOutOfRange, at: start) }
    return next
  }

  /// JSON allows no leading zeros, so the length decides; digits are compared only at the limit's
  /// own length.
  @inline(__always)
  private func isIDInRange(_ start: Int, _ length: Int) -> Bool {
    length < 20 ? self[start] != .zero : length == 20 && isAtMostLimit(start)
  }

  private func isAtMostLimit(_ start: Int) -> Bool {
    let limit: StaticString = "10000000000000000007"
    for k in 0..<20 where self[start &+ k] != limit.utf8Start[k] {
      return self[start &+ k] < limit.utf8Start[k]
    }
    return true
  }
}
