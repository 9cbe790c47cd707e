/// A few names, made ready for comparing with a member's name as one word.
struct WatchedNames {
  private let names: [[UInt8]]
  /// The first eight bytes of each name, as `Text.word` reads them, filled up with zeros. A name
  /// in a validated text has no zero byte, so equal words of short names are equal names.
  private let heads: [UInt64]
  /// A bit for each length, of the lengths modulo 64.
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

  /// The fault of a member that was there before: its byte is the name's opening quote.
  func duplicate(_ index: Int, _ member: Member) -> JSONFault {
    let name = String(decoding: names[index], as: UTF8.self)
    return JSONFault(byte: member.name.lowerBound - 1, reason: .duplicateMember(name))
  }
}

extension Text {
  /// Up to eight bytes from `start`, filled up with zeros.
  @inline(__always)
  fileprivate func head(of start: Int, length: Int) -> UInt64 {
    if start &+ 8 <= count {
      if length >= 8 { return word(at: start) }
      let bits = UInt64(truncatingIfNeeded: length) &<< 3
      return word(at: start) & (1 &<< bits &- 1)
    }
    // Shorter than eight bytes, or the closing quote would not fit.
    return (0..<length).reversed().reduce(0) { $0 &<< 8 | UInt64(self[start &+ $1]) }
  }

  /// Whether `name` is written there, its first bytes being known to be the same.
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
