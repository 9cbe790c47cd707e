/// Classes of times, as in HdrHistogram (github.com/HdrHistogram, its `countsArrayIndex`): from 1
/// µs up, 3 significant digits, so 2,048 classes for the shortest times and 1,024 for each doubling
/// above. Times of one class are not distinguished.
package enum HistogramBuckets {
  /// 30 days, in microseconds; longer times count as this.
  package static let longest = 2_592_000_000_000
  package static let significantDigits = 3

  private static let subBits = 11
  private static let half = 1 << (subBits - 1)

  /// A negative time counts as 0.
  package static func index(of microseconds: Int) -> Int {
    let value = min(longest, max(0, microseconds))
    let bucket = 64 - (value | (2 * half - 1)).leadingZeroBitCount - subBits
    return (bucket + 1) * half + (value >> bucket) - half
  }

  /// The shortest time of a class, microseconds.
  package static func lowest(of index: Int) -> Int {
    if index < 2 * half { return index }
    return (index % half + half) << (index / half - 1)
  }

  /// The longest time of a class, microseconds.
  package static func highest(of index: Int) -> Int { lowest(of: index + 1) - 1 }

  /// The time that represents a class, microseconds.
  package static func middle(of index: Int) -> Int {
    let lowest = lowest(of: index)
    return lowest + (self.lowest(of: index + 1) - lowest) / 2
  }

  package static let count = index(of: longest) + 1
}
