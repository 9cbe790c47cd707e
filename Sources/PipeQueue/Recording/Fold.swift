/// Recordings added up by time, tag and kind.
struct Fold {
  private struct Key: Hashable {
    let bucket: Bucket
    let tag: String?
  }

  struct Sum {
    /// What the column of a line can hold.
    private static let most = 999_999_999_999_999_999

    var first = Int64.max
    var last = Int64.min
    var items = 0
    var cells = CellCounts()

    mutating func note(_ from: Int64, _ to: Int64, items count: Int) {
      first = min(first, from)
      last = max(last, to)
      items = min(items &+ count, Sum.most)
    }
  }

  private typealias Sums = [Recording.Kind: Sum]

  private var groups: [(key: Key, sums: Sums)] = []
  private var places: [Key: Int] = [:]
  // Lines of one time and tag come together.
  private var current = 0
  private var tags = KnownTags()
  private let now: Int64
  private let retain: Int64

  init(at now: Int64, retain: Int64) {
    self.now = now
    self.retain = retain
  }

  mutating func add(_ line: SettledLine) {
    find(line.time, line.tag)
    let (time, service, items) = (line.time, line.service, line.items)
    switch line.outcome {
    case .retried: sum(.retried, time, items) { $0.record(service, count: 1) }
    case .buried: sum(.buried, time, items) { $0.record(service, count: 1) }
    case .done:
      sum(.batches, time, items) { $0.record(service, count: 1) }
      sum(.service, time, items) { $0.record(service, count: items) }
      sum(.wait, time, items) { cells in
        for wait in line.waits { cells.record(wait.microseconds, count: wait.count) }
      }
      sum(.total, time, items) { cells in
        for wait in line.waits { cells.record(wait.microseconds &+ service, count: wait.count) }
      }
    }
  }

  mutating func add(_ line: FoldedLine) {
    find(line.last, line.tag)
    groups[current].sums[line.kind, default: Sum()].note(line.first, line.last, items: line.items)
    for cell in line.cells {
      groups[current].sums[line.kind]!.cells.add(cell.count, at: cell.index)
    }
  }

  private mutating func sum(
    _ kind: Recording.Kind, _ time: Int64, _ items: Int, _ body: (inout CellCounts) -> Void
  ) {
    groups[current].sums[kind, default: Sum()].note(time, time, items: items)
    body(&groups[current].sums[kind]!.cells)
  }

  private mutating func find(_ time: Int64, _ tag: String?) {
    let key = Key(bucket: Bucket(time, at: now, retain: retain), tag: tags.shown(tag))
    if !groups.isEmpty, groups[current].key == key { return }
    if let place = places[key] {
      current = place
    } else {
      current = groups.count
      places[key] = current
      groups.append((key, [:]))
    }
  }

  /// In the order of time.
  var lines: [FoldedLine] {
    groups.sorted { $0.key.bucket < $1.key.bucket }.flatMap { key, sums in
      Recording.Kind.allCases.compactMap { kind in
        sums[kind].map { sum in
          FoldedLine(
            first: sum.first, last: sum.last, tag: key.tag, kind: kind, items: sum.items,
            cells: sum.cells.inOrder)
        }
      }
    }
  }
}
