package enum Kind: Sendable {
  case object, array, string
  /// A number without fraction and exponent.
  case integer
  /// A number with one of them, or both.
  case number
  case boolean, null
}

/// Where a value lies in the scanned buffer, without white space around it.
package struct Span: Equatable, Sendable {
  package let range: Range<Int>
  package let kind: Kind

  @inline(__always)
  init(_ start: Int, _ end: Int, _ kind: Kind) {
    range = Range(uncheckedBounds: (start, end))
    self.kind = kind
  }
}
