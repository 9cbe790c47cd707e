internal import Glibc
package import PipeIO
package import PipeTime

extension Queue {
  /// Creates the directory if it is missing: older queues had no statistics.
  func statsDirectory() throws(Fault) -> Directory {
    if let found = try Directory.open("stats", in: root) { return found }
    return try root.subdirectory(making: "stats")
  }

  /// Calls `body` with everything settled at `since` or later; nil:
  /// everything. Precision is that of the buckets: minutes after ten minutes, and so on.
  /// `isNeeded`: throw if stats/ cannot be opened; otherwise that is reported, and there are no
  /// recordings.
  package func recordings(
    since: Instant?, at now: Instant = Clock.now(), isNeeded: Bool = false,
    _ body: (Recording) -> Void
  ) throws(Fault) {
    let found: Directory?
    do throws(Fault) { found = try Directory.open("stats", in: root) } catch {
      // Not the kind that means a missing queue.
      if isNeeded {
        throw Fault(error.kind == .permission ? .permission : .inputOutput, error.text)
      }
      // Everything else is known without statistics.
      report("\(error.text); no statistics of settled items")
      return
    }
    guard let directory = found else { return }
    let from = since ?? .distantPast
    // A file can be compacted and removed between listing and reading.
    for _ in 0..<100 {
      guard let files = try directory.openStats() else { continue }
      var fold = Compaction(at: now, retain: settings.retain)
      for file in files { try file.forEachStatsLine { fold.read($0, from: from, body) } }
      for line in fold.lines { body(line.recording) }
      return
    }
    throw Fault(
      .tryLater, "\(printable(directory.path)): changes faster than it can be read; try again")
  }
}

extension Directory {
  /// All names of this form, whatever their type.
  func statsNames() throws(Fault) -> [StatsName] {
    var found: [StatsName] = []
    try forEachName { text in if let name = StatsName(text) { found.append(name) } }
    return found
  }

  /// The names of regular files: nothing else is ever opened.
  func statsFiles() throws(Fault) -> [StatsName] {
    try statsNames().filter { size(of: $0.text) != nil }
  }

  /// Opens the files that count; nil if the listing has changed meanwhile.
  fileprivate func openStats() throws(Fault) -> [Descriptor]? {
    let names = try statsFiles()
    // Before the closed logs: a log that is closed meanwhile would otherwise be missed. It is not
    // read twice, since the listing then changes.
    let log =
      size(of: StatsName.log) == nil
      ? nil : try Descriptor.open(StatsName.log, in: self, O_RDONLY)
    var files = log.map { [$0] } ?? []
    for name in counting(names) {
      guard let file = try Descriptor.open(name.text, in: self, O_RDONLY) else { return nil }
      files.append(file)
    }
    let after = try statsFiles()
    return after.count == names.count && after.allSatisfy(names.contains) ? files : nil
  }

  /// A set of files that covers every line exactly once: for each compacted range, either the
  /// inputs or the output.
  private func counting(_ names: [StatsName]) -> [StatsName] {
    let folded = names.filter { name in names.contains { name.covers($0) } }
    let torn = folded.filter { !isWhole($0) }
    return names.filter { name in
      !torn.contains(name) && !folded.contains { $0.covers(name) && !torn.contains($0) }
    }
  }

  func readStats(_ name: String, into fold: inout Compaction) throws(Fault) {
    guard let file = try Descriptor.open(name, in: self, O_RDONLY) else { return }
    try file.forEachStatsLine { fold.add($0) }
  }

  /// Whether the file has everything that was written to it. A power cut can lose its end, or any
  /// page before.
  func isWhole(_ name: StatsName) -> Bool {
    var lines = 0
    var isEnded = false
    do throws(Fault) {
      try Descriptor.open(name.text, in: self, O_RDONLY)?.forEachStatsLine { text in
        isEnded = CompactedLine.end(text) == lines
        if checked(text) != nil { lines += 1 }
      }
    } catch { return false }
    return isEnded
  }
}

extension Descriptor {
  /// Calls `body` with each line, reading blocks of at most 4 MiB. A longer line arrives in parts,
  /// whose checksums fail.
  fileprivate func forEachStatsLine(_ body: (UnsafeRawBufferPointer) -> Void) throws(Fault) {
    let size = try size()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 8)
    defer { buffer.deallocate() }
    var base = 0
    while base < size {
      let count = try read(into: buffer, at: base)
      if count == 0 { return }
      let all = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      // The last line of a block is read again with the next block, unless it is the last block.
      let isLast = base + count >= size
      let end = isLast ? count : (all.lastIndex(of: newline).map { $0 + 1 } ?? count)
      var lines = FieldSplitter(UnsafeRawBufferPointer(rebasing: all[..<end]))
      while let line = lines.nextLine() { if !line.isEmpty { body(line) } }
      base += end
    }
  }
}

/// A name in stats/ other than `log`: `log.17`, a closed log, or `2.9-16` (level, first, last), the
/// compaction of several.
struct StatsName: Comparable {
  /// 0 for a closed log.
  let level: Int
  let numbers: ClosedRange<Int>

  static let levels = 1...6
  /// A higher number was not made by this program.
  static let largestNumber = 999_999_999_999_999
  /// The log that settled lines are appended to.
  static let log = "log"
  /// A compacted file while it is written.
  static let writeBatch = "new"

  var text: String {
    level == 0
      ? "log.\(numbers.lowerBound)" : "\(level).\(numbers.lowerBound)-\(numbers.upperBound)"
  }

  init(level: Int, _ numbers: ClosedRange<Int>) {
    self.level = level
    self.numbers = numbers
  }

  init?(_ text: UnsafeRawBufferPointer) {
    var pieces = FieldSplitter(text)
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

  /// Whether this file contains everything in the other one.
  func covers(_ other: StatsName) -> Bool {
    level > other.level && numbers.lowerBound <= other.numbers.lowerBound
      && other.numbers.upperBound <= numbers.upperBound
  }

  static func < (one: StatsName, other: StatsName) -> Bool {
    (one.numbers.lowerBound, -one.level) < (other.numbers.lowerBound, -other.level)
  }
}
