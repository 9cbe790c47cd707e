/// Goes through ids as `IDList.appendCompact` writes them: `[1,2,3]`.
package struct CompactIDs {
  private let text: Text
  /// The next id's first digit; `text.count` after the last id.
  private var index: Int

  package init(_ compact: UnsafeRawBufferPointer) {
    text = Text(compact)
    index = min(1, text.count)
  }

  package mutating func next() -> Range<Int>? {
    let start = index
    guard start < text.count else { return nil }
    let end = text.digitsEnd(from: start)
    guard end > start else { return nil }
    index = end &+ 1
    return Range(uncheckedBounds: (start, end))
  }

  /// Passes `n` ids, or as many as are left.
  package mutating func skip(_ n: Int) {
    var left = n
    while index &+ 8 <= text.count {
      let passed = commas(in: text.word(at: index))
      if passed >= left { break }
      left &-= passed
      index &+= 8
    }
    while left > 0, index < text.count {
      if text[index] == .comma { left &-= 1 }
      index &+= 1
    }
  }

  /// All bytes are ASCII, so no addition carries from one byte into the next.
  @inline(__always)
  private func commas(in word: UInt64) -> Int {
    let zeroAtCommas = word ^ 0x2C2C_2C2C_2C2C_2C2C
    let others = (zeroAtCommas &+ 0x7F7F_7F7F_7F7F_7F7F) & 0x8080_8080_8080_8080
    let ones = (others ^ 0x8080_8080_8080_8080) &>> 7
    return Int(truncatingIfNeeded: (ones &* 0x0101_0101_0101_0101) &>> 56)
  }
}
