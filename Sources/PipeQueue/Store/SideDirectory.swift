internal import CPipeIO
internal import Glibc
internal import PipeIO
internal import PipeTime

extension Queue {
  /// The directories of a lane in later/ or dead/, by hundreds of item numbers, ascending.
  func shards(_ kind: SideKind, _ lane: Lane) throws(Fault) -> [Int] {
    try Queue.shards(kind, lane, in: root)
  }

  static func shards(
    _ kind: SideKind, _ lane: Lane, in root: Directory
  ) throws(Fault) -> [Int] {
    guard let lanes = try Directory.open("\(kind.rawValue)/\(lane.name)", in: root) else {
      return []
    }
    var found: [Int] = []
    // The first number of a hundred has at most 18 digits.
    try lanes.forEachName {
      if let number = decimal($0), number <= SideKind.lastShard { found.append(number) }
    }
    return found.sorted()
  }

  /// The names of one directory in later/ or dead/, by item.
  func namesAside(_ kind: SideKind, _ lane: Lane, _ shard: Int) throws(Fault) -> [SideName] {
    guard let directory = try existingShard(kind, lane, shard) else { return [] }
    return try names(in: directory, kind, lane, shard)
  }

  private func names(
    in directory: Directory, _ kind: SideKind, _ lane: Lane, _ shard: Int
  ) throws(Fault) -> [SideName] {
    var found: [SideName] = []
    try directory.forEachName { text in
      guard let name = SideName.parse(text, kind, lane, older: isOlder), name.shard == shard else {
        return
      }
      found.append(name)
    }
    return found.sorted { $0.range.comesBefore($1.range) }
  }

  private func existingShard(
    _ kind: SideKind, _ lane: Lane, _ shard: Int
  ) throws(Fault) -> Directory? {
    do throws(Fault) { return try Directory.open(kind.path(lane, shard), in: root) } catch {
      // Not a directory: it does not belong to pipe, and is skipped.
      if [ENOTDIR, ELOOP].contains(error.code) { return nil }
      throw error
    }
  }

  /// The names of these items, later/ before dead/.
  func namesAside(_ lane: Lane, _ numbers: Range<Int>) throws(Fault) -> [SideName] {
    var found: [SideName] = []
    for kind in SideKind.allCases {
      for shard in try shards(kind, lane, of: numbers) {
        found += try namesAside(kind, lane, shard).filter { $0.range.touches(numbers) }
      }
    }
    return found
  }

  /// The names of these ranges that are not dropped. Each directory is listed once.
  func namesAside(_ kind: SideKind, of ranges: [ItemRange]) throws(Fault) -> [SideName] {
    var found: [SideName] = []
    try forEachShard(kind, of: ranges) { found += $1 }
    return found
  }

  /// Calls `body` with each directory that may have names of these ranges, and with the names in it that are
  /// not dropped.
  private func forEachShard(
    _ kind: SideKind, of ranges: [ItemRange], _ body: (Directory, [SideName]) throws(Fault) -> Void
  ) throws(Fault) {
    for lane in Lane.allCases {
      let inLane = ranges.filter { $0.lane == lane }
      var wanted: Set<Int> = []
      for range in inLane { wanted.formUnion(try shards(kind, lane, of: range.numbers)) }
      let merged = ItemRange.merged(inLane)
      for shard in wanted.sorted() {
        guard let directory = try existingShard(kind, lane, shard) else { continue }
        let names = try names(in: directory, kind, lane, shard).filter { name in
          !name.isDropped && merged.contains { $0.overlaps(name.range) }
        }
        try body(directory, names)
      }
    }
  }

  // Directories that may have names of these items.
  private func shards(
    _ kind: SideKind, _ lane: Lane, of numbers: Range<Int>
  ) throws(Fault) -> [Int] {
    // No name is wider than a directory, so it begins in that of its last item or the one before.
    let first = max(0, numbers.lowerBound - SideKind.width) / SideKind.width
    let last = (numbers.upperBound - 1) / SideKind.width
    if last - first < 8 { return Array(first...last) }
    return try shards(kind, lane).filter { first <= $0 && $0 <= last }
  }

  /// The directory for names of this kind, created if it is missing. Its name and those above are
  /// flushed even if it exists: its creator may have died, or not have flushed it yet.
  func asideDirectory(_ kind: SideKind, _ lane: Lane, _ shard: Int) throws(Fault) -> Directory {
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

extension Queue {
  /// Removes the names of these ranges from later/ or dead/. When it returns, none is on disk: it also flushes
  /// directories that have none now, because a process may have removed them and died before its flush. A power
  /// cut would bring such a name back after its item was done.
  func clearAside(_ kind: SideKind, _ ranges: [ItemRange]) throws(Fault) {
    try forEachShard(kind, of: ranges) { (directory, names) throws(Fault) in
      try remove(names, from: directory)
    }
  }

  /// Flushes the directories that may have names of these ranges.
  func flushAside(_ kind: SideKind, _ ranges: [ItemRange]) throws(Fault) {
    try forEachShard(kind, of: ranges) { (directory, _) throws(Fault) in try directory.flush() }
  }

  /// Flushes the letters of these ranges, with their contents.
  func flushLetters(of ranges: [ItemRange]) throws(Fault) {
    let letters = try namesAside(.dead, of: ranges)
    if SideWriter.Extent(files: letters.count) == .all { return try root.flushFileSystem() }
    for group in SideGroup.split(letters) {
      guard let directory = try Directory.open(group.path, in: root) else { continue }
      for name in group.names {
        try Descriptor.open(name.text, in: directory, O_RDONLY)?.flush()
      }
      try directory.flush()
    }
  }

  func removeAside(_ names: [SideName]) throws(Fault) {
    for group in SideGroup.split(names) {
      guard let directory = try Directory.open(group.path, in: root) else { continue }
      try remove(group.names, from: directory)
    }
  }

  /// Step of: restore
  private func remove(_ names: [SideName], from directory: Directory) throws(Fault) {
    for name in names { try directory.remove(name.text) }
    try directory.flush()
  }
}

/// Names that are in one directory.
struct SideGroup {
  let path: String
  let kind: SideKind
  let lane: Lane
  let shard: Int
  private(set) var names: [SideName]

  static func split(_ names: [SideName]) -> [SideGroup] {
    var groups: [SideGroup] = []
    for name in names {
      let (kind, lane, shard) = (name.kind, name.range.lane, name.shard)
      if let at = groups.firstIndex(where: {
        $0.kind == kind && $0.lane == lane && $0.shard == shard
      }) {
        groups[at].names.append(name)
      } else {
        groups.append(
          SideGroup(
            path: kind.path(lane, shard), kind: kind, lane: lane, shard: shard, names: [name]))
      }
    }
    return groups
  }
}

/// Writes files in later/ or dead/. Files of one directory are written together: their names are on
/// disk before the next directory is begun, and those of the last directory after `flush`.
struct SideWriter {
  /// What is flushed.
  enum Extent {
    /// Names: the contents of the files only inform.
    case names
    /// Names and files, one by one.
    case files
    /// The whole file system at the end, which costs less than many files.
    case all

    /// Names and this many files.
    init(files count: Int) { self = count > 16 ? .all : .files }

    /// Names in this many directories.
    init(directories count: Int) { self = count > 16 ? .all : .names }
  }

  private let queue: Queue
  private let extent: Extent
  private var open: (directory: Directory, kind: SideKind, lane: Lane, shard: Int)?
  private var isPrepared = false

  init(_ queue: Queue, flushing extent: Extent) {
    self.queue = queue
    self.extent = extent
  }

  /// Creates the directories for these names, and flushes each directory above them once: otherwise each name in
  /// another hundred costs these flushes. Call before `write`.
  mutating func prepare(for names: [SideName]) throws(Fault) {
    for kind in SideKind.allCases {
      for lane in Lane.allCases {
        let ofLane = names.filter { $0.kind == kind && $0.range.lane == lane }
        if ofLane.isEmpty { continue }
        let parent = try queue.part(kind.rawValue)
        let directory = try parent.subdirectory(making: lane.name)
        try parent.flush()
        for shard in Set(ofLane.map(\.shard)).sorted() {
          _ = try directory.subdirectory(making: String(shard))
        }
        try directory.flush()
      }
    }
    isPrepared = true
  }

  mutating func write(_ name: SideName, _ bytes: [UInt8]) throws(Fault) {
    let directory = try directory(of: name)
    let file = try Descriptor.create(name.text, in: directory, O_WRONLY | O_TRUNC)
    if !bytes.isEmpty { try bytes.write(to: file, at: 0) }
    if extent == .files { try file.flush() }
  }

  func flush() throws(Fault) {
    if extent == .all { try queue.root.flushFileSystem() } else { try open?.directory.flush() }
  }

  private mutating func directory(of name: SideName) throws(Fault) -> Directory {
    let (kind, lane, shard) = (name.kind, name.range.lane, name.shard)
    if let open, open.kind == kind, open.lane == lane, open.shard == shard { return open.directory }
    if extent != .all { try flush() }
    // Another process may have removed a directory that is still empty.
    let prepared = isPrepared ? try Directory.open(kind.path(lane, shard), in: queue.root) : nil
    let directory =
      if let prepared { prepared } else { try queue.asideDirectory(kind, lane, shard) }
    open = (directory, kind, lane, shard)
    return directory
  }
}

extension Queue {
  func hint() throws(Fault) -> ParkedHint? { try listingNow().later }

  /// Makes the parked hint due at `due` or earlier, and adds to its items. Call under the exclusive
  /// lock of now/ and the lock of later/.
  func lowerHint(to due: Instant, adding count: Int, at now: Instant) throws(Fault) {
    let old = try listNow().later
    // A SET ahead of the clock says that the clock was set back: only a scan of later/ may remove it.
    try setHint(
      ParkedHint(
        due: min(due, old?.due ?? .distantFuture), set: max(now, old?.set ?? now),
        items: count + (old?.items ?? 0)))
  }

  /// nil: nothing is in later/. Call under both locks.
  /// Transition: mark
  func setHint(_ hint: ParkedHint?) throws(Fault) {
    let listing = try listNow()
    guard let old = listing.later else {
      guard let hint else { return }
      var nowDirectory = NowDirectory(self, listing)
      return try nowDirectory.createFile(hint.text)
    }
    if let hint {
      if hint != old { _ = try now().rename(old.text, to: hint.text) }
    } else {
      _ = try makeSpare(old.text)
    }
  }

  /// Removes the directories of these names that are now empty.
  /// Step of: restore, revive
  func dropEmpty(_ names: [SideName]) throws(Fault) {
    for group in SideGroup.split(names) {
      guard let lane = try Directory.open("\(group.kind.rawValue)/\(group.lane.name)", in: root)
      else { continue }
      try lane.removeDirectory(String(group.shard))
    }
  }
}

extension Directory {
  /// The history in a file; empty if the file cannot be read, because the history only informs.
  func history(_ name: String) -> [UInt8] {
    guard let file = try? Descriptor.open(name, in: self, O_RDONLY) else { return [] }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: History.most, alignment: 8)
    defer { buffer.deallocate() }
    guard let count = try? file.read(into: buffer, at: 0), count > 0 else { return [] }
    return Array(buffer[..<count])
  }

  /// Appends to the history in a file, or empties it first. A failure is ignored: a full disk must
  /// not keep an item from being settled.
  func note(_ bytes: [UInt8], in name: String, replacing: Bool) {
    if isShortOfRoom { return }
    let flags = O_WRONLY | (replacing ? O_TRUNC : O_APPEND)
    guard let file = try? Descriptor.open(name, in: self, flags) else { return }
    try? file.append(bytes)
  }
}

extension Queue {
  /// The parts of these ranges that a consumer would not pass over if no name in now/ covered them: those without
  /// an early letter and without a name in later/. Without the lock of now/, such names may come or go meanwhile.
  func withoutPassedOver(
    _ ranges: [ItemRange], _ early: EarlyHint?
  ) throws(Fault) -> [ItemRange] {
    guard let early else { return ranges }
    var found: [ItemRange] = []
    for lane in Lane.allCases {
      let inLane = ranges.filter { $0.lane == lane }
      let names = try passedOver(ItemRange.merged(inLane), lane, below: early.limits[lane])
      found += inLane.flatMap { $0.removing(names) }
    }
    return found
  }

  // Of a lane, ascending.
  private func passedOver(
    _ merged: [ItemRange], _ lane: Lane, below limit: Int
  ) throws(Fault) -> [ItemRange] {
    guard !merged.isEmpty, limit > 0 else { return [] }
    var found: [ItemRange] = []
    for kind in SideKind.allCases {
      for shard in try shards(kind, lane) {
        // A name ends at most a directory later than it begins.
        let numbers = shard * SideKind.width..<(shard + 2) * SideKind.width
        let next = merged.partitionPoint { $0.to.number <= numbers.lowerBound }
        guard next < merged.count, merged[next].touches(numbers) else { continue }
        found += try namesAside(kind, lane, shard).filter(\.isPassedOver).map(\.range)
      }
    }
    return ItemRange.merged(found)
  }

  /// The names for which a consumer passes over items of this hundred that no name in now/ covers, ascending.
  func passedOver(_ lane: Lane, _ shard: Int) throws(Fault) -> [SideName] {
    let numbers = shard * SideKind.width..<(shard + 1) * SideKind.width
    return try namesAside(lane, numbers).filter(\.isPassedOver).sorted {
      $0.range.comesBefore($1.range)
    }
  }
}
