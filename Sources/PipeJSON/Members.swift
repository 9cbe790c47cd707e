struct Member {
  /// Between the quotes.
  let name: Range<Int>
  let isEscaped: Bool
  let value: Span
}

/// The members of one object, in order, each validated as it is passed.
struct Members {
  private let text: Text
  private let depth: Int
  private(set) var index: Int
  private var isFirst = true

  /// Of the object that opens at `start`, which counts as the bracket number `depth`.
  @inline(__always)
  init(of text: Text, at start: Int, depth: Int) {
    self.text = text
    self.depth = depth
    index = start &+ 1
  }

  /// Nil after the closing brace; `index` is then the place behind it.
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
