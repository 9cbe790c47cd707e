/// A name in stats/ that is not `log`: `log.17`, closed, or what some of those were folded into,
/// `2.9-16`: level, first, last.
struct StatsName: Comparable {
  /// 0 for a closed log.
  let level: Int
  let numbers: ClosedRange<Int>

  static let levels = 1...6
  /// What is above was not made by this program.
  static let largestNumber = 999_999_999_999_999
  /// What settled lines are appended to.
  static let log = "log"
  /// What is being folded.
  static let draft = "new"

  var text: String {
    level == 0
      ? "log.\(numbers.lowerBound)" : "\(level).\(numbers.lowerBound)-\(numbers.upperBound)"
  }

  init(level: Int, _ numbers: ClosedRange<Int>) {
    self.level = level
    self.numbers = numbers
  }

  init?(_ text: UnsafeRawBufferPointer) {
    var pieces = Pieces(text)
    guard let head = pieces.next(before: dot), !pieces.isAtEnd else { return nil }
    if head.elementsEqual(StatsName.log.utf8) {
      guard let number = pieces.number(before: dot), number <= StatsName.largestNumber,
        pieces.isAtEnd
      else { return nil }
      self.init(level: 0, number...number)
    } else {
      guard let level = decimal(head), StatsName.levels.contains(level),
        let first = pieces.number(before: dash), let last = pieces.number(before: dash),
        first <= last, last <= StatsName.largestNumber, pieces.isAtEnd
      else { return nil }
      self.init(level: level, first...last)
    }
  }

  /// Whether this says what the other one says.
  func covers(_ other: StatsName) -> Bool {
    level > other.level && numbers.lowerBound <= other.numbers.lowerBound
      && other.numbers.upperBound <= numbers.upperBound
  }

  static func < (one: StatsName, other: StatsName) -> Bool {
    (one.numbers.lowerBound, -one.level) < (other.numbers.lowerBound, -other.level)
  }
}
