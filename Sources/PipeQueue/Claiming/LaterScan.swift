internal import PipeIO

/// All of later/, of which only what comes first is kept.
struct LaterScan {
  /// What is due, in the order of the line; if there is room, then what is due next.
  private(set) var chosen: [AsideName] = []
  /// Items that stay, and when the first of them is due.
  private(set) var left = 0
  private(set) var nextDue = Int64.max
  private let most: Int
  private let now: Int64

  /// `known`: the items there are, as the mark says. Then the scan ends where enough is due: what is due
  /// comes in the order of the line, in which the directories are looked through.
  init(_ queue: Queue, at now: Int64, most: Int, known: Int? = nil) throws(Fault) {
    self.most = most
    self.now = now
    var due = 0
    for lane in Priority.allCases {
      for shard in try queue.shards(.later, lane) {
        let names = try queue.namesAside(.later, lane, shard)
        due += names.count { time($0) <= now }
        chosen += names
        if let known, due >= most {
          stop(known)
          return
        }
        if chosen.count > 4 * most { reduce() }
      }
    }
    reduce()
  }

  private mutating func stop(_ known: Int) {
    reduce()
    left = max(1, known - chosen.reduce(0) { $0 + $1.range.count })
    nextDue = now
  }

  private mutating func reduce() {
    let sorted = chosen.sorted { comesBefore($0, $1) }
    for name in sorted.dropFirst(most) {
      left += name.range.count
      nextDue = min(nextDue, time(name))
    }
    chosen = Array(sorted.prefix(most))
  }

  // One that the clock makes wait for longer than was meant comes now, to be corrected there.
  private func time(_ name: AsideName) -> Int64 {
    guard case .again(_, _, let due) = name.waiting else { return 0 }
    return due.corrected(at: now) == nil ? max(due.at, now) : now
  }

  private func comesBefore(_ one: AsideName, _ other: AsideName) -> Bool {
    let (a, b) = (time(one), time(other))
    return a == b ? one.range.comesBefore(other.range) : a < b
  }
}
