internal import Glibc
internal import PipeIO

/// Makes few lines of many: closed logs become a file of histograms, eight of those become one of the next
/// level, and so on, so that all that was ever settled is in some dozens of files.
///
/// Nothing is flushed. What was folded is removed once the kernel has had a minute to write what it was
/// folded into; until then, and where that is torn, it counts itself.
struct Folding {
  private let queue: Queue
  private let directory: Directory
  private let now: Int64

  /// Microseconds from when a log was closed: by then whoever had it open has opened the new one.
  private static let patience: Int64 = 2_000_000
  /// Microseconds in which the kernel writes what is dirty (vm.dirty_expire_centisecs is 30 s).
  private static let writing: Int64 = 60_000_000
  private static let fan = 8

  init(_ queue: Queue, at now: Int64 = Clock.now()) throws(Fault) {
    self.queue = queue
    self.now = now
    directory = try queue.statsDirectory()
  }

  /// Closes the log if it has so many bytes, and folds; unless somebody else is at it.
  func run(closing size: Int) throws(Fault) {
    guard try directory.tryLock() else { return }
    defer { directory.unlock() }
    var names = try directory.statsFiles()
    if let found = directory.size(of: StatsName.log), found >= size, let next = try nextLog(),
      try directory.rename(StatsName.log, to: next.text) == .renamed
    {
      names.append(next)
    }
    try remove(&names)
    for level in StatsName.levels { try fold(level - 1, &names) }
  }

  // Behind all that is there, be it a file or not. nil where somebody has used the last number.
  private func nextLog() throws(Fault) -> StatsName? {
    let last = try directory.statsNames().map(\.numbers.upperBound).max() ?? 0
    return last < StatsName.largestNumber ? StatsName(level: 0, (last + 1)...(last + 1)) : nil
  }

  // Logs as soon as they rest, files once there are enough of them.
  private func fold(_ level: Int, _ names: inout [StatsName]) throws(Fault) {
    var group = names.filter { name in
      name.level == level && !names.contains { $0.covers(name) }
    }.sorted()
    // None is passed over: what comes later covers all between.
    if level == 0 { group = Array(group.prefix(while: rests)) }
    guard group.count >= (level == 0 ? 1 : Folding.fan) else { return }
    var fold = Fold(at: now, retain: queue.settings.retain)
    for name in group { try directory.readStats(name.text, into: &fold) }
    let name = StatsName(
      level: level + 1, group[0].numbers.lowerBound...group[group.count - 1].numbers.upperBound)
    if try write(fold.lines, name) { names.append(name) }
  }

  private func rests(_ name: StatsName) -> Bool {
    directory.changed(name.text).map { abs(now - $0) >= Folding.patience } ?? false
  }

  // false: something else has this name.
  private func write(_ lines: [FoldedLine], _ name: StatsName) throws(Fault) -> Bool {
    var bytes: [UInt8] = []
    for line in lines { line.append(to: &bytes) }
    FoldedLine.appendEnd(lines: lines.count, to: &bytes)
    let file = try Descriptor.create(StatsName.draft, in: directory, O_WRONLY | O_TRUNC)
    try bytes.write(to: file, at: 0)
    return try directory.rename(StatsName.draft, to: name.text) == .renamed
  }

  private func remove(_ names: inout [StatsName]) throws(Fault) {
    for name in names.filter({ $0.level > 0 }) {
      let covered = names.filter { name.covers($0) }
      guard !covered.isEmpty, let written = directory.modified(name.text) else { continue }
      if !directory.isWhole(name) {
        // A power cut took it; what it was folded from is still there.
        try directory.remove(name.text)
        names.removeAll { $0 == name }
      } else if abs(now - written) >= Folding.writing {
        for old in covered { try directory.remove(old.text) }
        names.removeAll { name.covers($0) }
      }
    }
  }
}
