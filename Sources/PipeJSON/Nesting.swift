/// The open brackets around a place, one bit each, set for an object: what recursion would keep
/// on the call stack, in a bounded place.
struct Nesting {
  static let limit = 512

  /// Brackets opened before this count was begun.
  let outside: Int
  private(set) var depth = 0
  /// The innermost brackets, back to the last multiple of 64; the older ones are in `filled`.
  private var word: UInt64 = 0
  private var filled = SIMD8<UInt64>()

  @inline(__always)
  init(outside: Int) { self.outside = outside }

  @inline(__always)
  var isFull: Bool { outside &+ depth >= Nesting.limit }

  @inline(__always)
  var inObject: Bool { word & 1 != 0 }

  @inline(__always)
  mutating func open(object: Bool) {
    if depth & 63 == 0, depth > 0 { filled[depth / 64 - 1] = word }
    word = word &<< 1 | (object ? 1 : 0)
    depth &+= 1
  }

  @inline(__always)
  mutating func close() {
    depth &-= 1
    word &>>= 1
    if depth & 63 == 0, depth > 0 { word = filled[depth / 64 - 1] }
  }
}
