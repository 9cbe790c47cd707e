internal import CPipeIO
internal import Glibc
internal import PipeIO

/// Places beside the line for items that must not burden it: dead letters, and those that wait for a
/// time far off. One file an item or run of items, its range in its name, in directories by hundreds
/// of item numbers, so that what is known of an item is found by its number. In now/ such items are done;
/// over one item later/ beats dead/, and both beat done.
enum Aside: String, CaseIterable {
  case later, dead

  /// Numbers a directory.
  static let width = 100

  func path(_ lane: Priority, _ shard: Int) -> String { "\(rawValue)/\(lane.name)/\(shard)" }
}

/// `later/HIGH/4/HIGH.4711.17.0-4712.17.160.again.…` or `dead/HIGH/4/4711.17.0-4712.17.160[.dropped]`.
struct AsideName: Equatable {
  let range: ItemRange
  /// Of a name in later/.
  var waiting: NowName.State?
  /// A dead letter that `drop` removed: kept so that its slice stays failed.
  var isDropped = false

  func isOver(at now: Int64) -> Bool {
    if case .again(_, _, let due) = waiting { due.isOver(at: now) } else { false }
  }

  var kind: Aside { waiting == nil ? .dead : .later }
  var shard: Int { range.from.number / Aside.width }

  var text: String {
    if let waiting { return NowName(range, waiting).text }
    return "\(range.from.text)-\(range.to.text)" + (isDropped ? ".dropped" : "")
  }

  static func parse(_ text: UnsafeRawBufferPointer, _ kind: Aside, _ lane: Priority) -> AsideName? {
    if kind == .later {
      guard let name = NowName(text), name.isAgain, name.range.lane == lane else { return nil }
      return AsideName(range: name.range, waiting: name.state)
    }
    var pieces = Pieces(text)
    guard let from = Place(&pieces, endingBefore: dash), let to = Place(&pieces, endingBefore: dot),
      from < to
    else { return nil }
    var name = AsideName(range: ItemRange(lane: lane, from: from, to: to))
    if !pieces.isAtEnd {
      guard pieces.next(before: dot)!.elementsEqual("dropped".utf8), pieces.isAtEnd else {
        return nil
      }
      name.isDropped = true
    }
    return name
  }
}

extension Queue {
  /// Hundreds of a lane of which something is aside, ascending.
  func shards(_ kind: Aside, _ lane: Priority) throws(Fault) -> [Int] {
    guard let lanes = try Directory.open("\(kind.rawValue)/\(lane.name)", in: root) else {
      return []
    }
    var found: [Int] = []
    try lanes.forEachName { if let number = decimal($0) { found.append(number) } }
    return found.sorted()
  }

  /// What is aside in one directory, in the order of the line.
  func namesAside(_ kind: Aside, _ lane: Priority, _ shard: Int) throws(Fault) -> [AsideName] {
    let directory: Directory?
    do throws(Fault) { directory = try Directory.open(kind.path(lane, shard), in: root) } catch {
      // Something else of this name: not ours, and not in the way.
      if [ENOTDIR, ELOOP].contains(error.code) { return [] }
      throw error
    }
    guard let directory else { return [] }
    var found: [AsideName] = []
    try directory.forEachName { text in
      if let name = AsideName.parse(text, kind, lane) { found.append(name) }
    }
    return found.sorted { $0.range.comesBefore($1.range) }
  }

  /// What is aside of these numbers, later before dead.
  func namesAside(_ lane: Priority, _ numbers: Range<Int>) throws(Fault) -> [AsideName] {
    var found: [AsideName] = []
    // No name is wider than a directory, so it begins in the one of its last item or the one before.
    let first = max(0, numbers.lowerBound - Aside.width) / Aside.width
    let last = (numbers.upperBound - 1) / Aside.width
    for kind in Aside.allCases {
      let shards = last - first < 8 ? Array(first...last) : try self.shards(kind, lane)
      for shard in shards where first <= shard && shard <= last {
        found += try namesAside(kind, lane, shard).filter { $0.range.touches(numbers) }
      }
    }
    return found
  }

  /// A directory for names of this kind, made where there is none, its name and those above on disk: who
  /// made it may have died, or may not be done.
  func asideDirectory(_ kind: Aside, _ lane: Priority, _ shard: Int) throws(Fault) -> Directory {
    var at = try root.existing(kind.rawValue)
    for name in [lane.name, String(shard)] {
      let found = try Directory.open(name, in: at)
      let next = if let found { found } else { try at.subdirectory(making: name) }
      try at.flush()
      at = next
    }
    return at
  }

  /// Removes what is aside of a range, durably. Returns whether there was anything.
  @discardableResult
  func clearAside(_ range: ItemRange, _ kinds: [Aside] = Aside.allCases) throws(Fault) -> Bool {
    let names = try namesAside(range.lane, range.from.number..<range.to.number)
      .filter { kinds.contains($0.kind) && !$0.isDropped }
    try removeAside(names)
    return !names.isEmpty
  }

  func removeAside(_ names: [AsideName]) throws(Fault) {
    for group in AsideGroup.split(names) {
      guard let directory = try Directory.open(group.path, in: root) else { continue }
      for name in group.names { try directory.remove(name.text) }
      try directory.flush()
    }
  }
}

/// Names of one directory.
struct AsideGroup {
  let path: String
  let kind: Aside
  let lane: Priority
  let shard: Int
  private(set) var names: [AsideName]

  static func split(_ names: [AsideName]) -> [AsideGroup] {
    var groups: [AsideGroup] = []
    for name in names {
      let (kind, lane, shard) = (name.kind, name.range.lane, name.shard)
      if let at = groups.firstIndex(where: {
        $0.kind == kind && $0.lane == lane && $0.shard == shard
      }) {
        groups[at].names.append(name)
      } else {
        groups.append(
          AsideGroup(
            path: kind.path(lane, shard), kind: kind, lane: lane, shard: shard, names: [name]))
      }
    }
    return groups
  }
}

extension ItemRange {
  func touches(_ numbers: Range<Int>) -> Bool {
    from.number < numbers.upperBound && numbers.lowerBound < to.number
  }
}
