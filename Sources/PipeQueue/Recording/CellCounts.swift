/// A histogram of times, few of whose classes were ever seen: as large as those are many, since there is
/// one for each tag, kind and interval.
struct CellCounts {
  private var counts: [Int: Int] = [:]

  mutating func add(_ count: Int, at index: Int) { counts[index, default: 0] &+= count }

  mutating func record(_ microseconds: Int, count: Int) {
    add(count, at: LatencyClass.index(of: microseconds))
  }

  /// Those that were seen, ascending.
  var inOrder: [(index: Int, count: Int)] {
    counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
