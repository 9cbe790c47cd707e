/// A histogram of times, few of whose classes were ever seen: as large as those are many, since there is
/// one for each tag, kind and interval.
struct CellCounts {
  private var counts: [Int: Int] = [:]

  /// What a damaged file can claim must not overflow.
  private static let most = 1 << 52

  mutating func add(_ count: Int, at index: Int) {
    let sum = counts[index, default: 0] &+ min(CellCounts.most, count)
    counts[index] = min(CellCounts.most, sum)
  }

  mutating func record(_ microseconds: Int, count: Int) {
    add(count, at: LatencyClass.index(of: microseconds))
  }

  /// Those that were seen, ascending.
  var inOrder: [(index: Int, count: Int)] {
    counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
