/// A histogram of times, few of whose classes were ever seen.
struct CellCounts {
  // By 1,024 classes, one doubling; empty where nothing was seen.
  private var pages = [[Int]](repeating: [], count: LatencyClass.count / width + 1)

  private static let width = 1024
  /// What a damaged file can claim must not overflow.
  private static let most = 1 << 52

  mutating func add(_ count: Int, at index: Int) {
    let page = index / CellCounts.width
    if pages[page].isEmpty { pages[page] = [Int](repeating: 0, count: CellCounts.width) }
    let cell = index % CellCounts.width
    pages[page][cell] = min(CellCounts.most, pages[page][cell] &+ min(CellCounts.most, count))
  }

  mutating func record(_ microseconds: Int, count: Int) {
    add(count, at: LatencyClass.index(of: microseconds))
  }

  /// Those that were seen, ascending.
  var inOrder: [(index: Int, count: Int)] {
    var found: [(index: Int, count: Int)] = []
    for (number, page) in pages.enumerated() {
      for (offset, count) in page.enumerated() where count > 0 {
        found.append((number * CellCounts.width + offset, count))
      }
    }
    return found
  }
}
