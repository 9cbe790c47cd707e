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
  /// Numbers have 18 digits.
  static let lastShard = 999_999_999_999_999_999 / width

  func path(_ lane: Priority, _ shard: Int) -> String { "\(rawValue)/\(lane.name)/\(shard)" }
}

/// `later/HIGH/4/HIGH.4711.17.0-4712.17.160.SUM.again.…` or `dead/HIGH/4/4711.17.0-4712.17.160.SUM[.dropped]`.
/// The checksum of a dead letter covers its lane too.
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
    return String(name: {
      $0.append(range)
      $0.appendChecksum()
      if isDropped { $0.append(".dropped") }
      $0.fillChecksum(after: range.lane.spelling)
    })
  }

  /// `older`: names of format 2 count too, which have no checksum.
  static func parse(
    _ text: UnsafeRawBufferPointer, _ kind: Aside, _ lane: Priority, older: Bool = false
  ) -> AsideName? {
    if kind == .later {
      guard let name = NowName(text, older: older), name.isAgain, name.range.lane == lane else {
        return nil
      }
      return AsideName(range: name.range, waiting: name.state)
    }
    var pieces = Pieces(text)
    guard let from = Place(&pieces, endingBefore: dash), let to = Place(&pieces, endingBefore: dot),
      from < to
    else { return nil }
    var name = AsideName(range: ItemRange(lane: lane, from: from, to: to))
    let places = cut(text, 0, text.count - (pieces.remainder.map { $0.count + 1 } ?? 0))
    var tail = pieces
    guard let digits = tail.next(before: dot), let sum = NameChecksum(digits: digits) else {
      return older && name.read(end: pieces.remainder) ? name : nil
    }
    let behind = tail.remainder.map { cut(text, text.count - $0.count - 1, text.count) }
    let expected = lane.withName { NameChecksum($0, places, behind ?? cut(text, 0, 0)) }
    return sum == expected && name.read(end: tail.remainder) ? name : nil
  }

  // What stands behind the places of a dead letter, and behind its checksum.
  private mutating func read(end: UnsafeRawBufferPointer?) -> Bool {
    guard let end else { return true }
    isDropped = end.elementsEqual("dropped".utf8)
    return isDropped
  }
}

extension Queue {
  /// Hundreds of a lane of which something is aside, ascending.
  func shards(_ kind: Aside, _ lane: Priority) throws(Fault) -> [Int] {
    try Queue.shards(kind, lane, in: root)
  }

  static func shards(
    _ kind: Aside, _ lane: Priority, in root: Directory
  ) throws(Fault) -> [Int] {
    guard let lanes = try Directory.open("\(kind.rawValue)/\(lane.name)", in: root) else {
      return []
    }
    var found: [Int] = []
    // A hundred items begin at a number that has 18 digits at most.
    try lanes.forEachName {
      if let number = decimal($0), number <= Aside.lastShard { found.append(number) }
    }
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
      guard let name = AsideName.parse(text, kind, lane, older: isOlder), name.shard == shard else {
        return
      }
      found.append(name)
    }
    return found.sorted { $0.range.comesBefore($1.range) }
  }

  /// What is aside of these numbers, later before dead.
  func namesAside(_ lane: Priority, _ numbers: Range<Int>) throws(Fault) -> [AsideName] {
    var found: [AsideName] = []
    for kind in Aside.allCases {
      for shard in try shards(kind, lane, of: numbers) {
        found += try namesAside(kind, lane, shard).filter { $0.range.touches(numbers) }
      }
    }
    return found
  }

  /// What is aside of these ranges and not dropped. Each directory is listed once.
  func namesAside(_ kind: Aside, of ranges: [ItemRange]) throws(Fault) -> [AsideName] {
    var found: [AsideName] = []
    for lane in Priority.allCases {
      let inLane = ranges.filter { $0.lane == lane }
      var wanted: Set<Int> = []
      for range in inLane { wanted.formUnion(try shards(kind, lane, of: range.numbers)) }
      let merged = ItemRange.merged(inLane)
      for shard in wanted.sorted() {
        found += try namesAside(kind, lane, shard).filter { name in
          !name.isDropped && merged.contains { $0.overlaps(name.range) }
        }
      }
    }
    return found
  }

  // Where there can be something of these numbers.
  private func shards(
    _ kind: Aside, _ lane: Priority, of numbers: Range<Int>
  ) throws(Fault) -> [Int] {
    // No name is wider than a directory, so it begins in the one of its last item or the one before.
    let first = max(0, numbers.lowerBound - Aside.width) / Aside.width
    let last = (numbers.upperBound - 1) / Aside.width
    if last - first < 8 { return Array(first...last) }
    return try shards(kind, lane).filter { first <= $0 && $0 <= last }
  }

  /// A directory for names of this kind, made where there is none, its name and those above on disk: who
  /// made it may have died, or may not be done.
  func asideDirectory(_ kind: Aside, _ lane: Priority, _ shard: Int) throws(Fault) -> Directory {
    var at = try part(kind.rawValue)
    for name in [lane.name, String(shard)] {
      let found = try Directory.open(name, in: at)
      let next = if let found { found } else { try at.subdirectory(making: name) }
      try at.flush()
      at = next
    }
    return at
  }
}

extension ItemRange {
  var numbers: Range<Int> { from.number..<to.number }

  func touches(_ numbers: Range<Int>) -> Bool {
    from.number < numbers.upperBound && numbers.lowerBound < to.number
  }
}
