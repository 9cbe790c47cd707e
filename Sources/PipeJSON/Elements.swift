/// The elements of one array of a validated text, in order: where each lies, nothing decoded.
package struct Elements: Sequence, IteratorProtocol {
  private let text: Text
  private var index: Int

  /// `array`: as a scan of `line` gave it.
  @inline(__always)
  package init(of array: Span, in line: UnsafeRawBufferPointer) {
    // Nothing behind it can be taken for a part of it.
    text = Text(line[part: 0..<array.range.upperBound])
    index = array.range.lowerBound &+ 1
  }

  /// nil after the last one.
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
