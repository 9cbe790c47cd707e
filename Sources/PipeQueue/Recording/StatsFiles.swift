internal import Glibc
package import PipeIO

extension Queue {
  /// Made where there is none: older queues had no statistics.
  func statsDirectory() throws(Fault) -> Directory {
    if let found = try Directory.open("stats", in: root) { return found }
    return try root.subdirectory(making: "stats")
  }

  /// Calls `body` with what was settled at `since` or later, microseconds since the epoch; nil: all of it.
  /// As good as the buckets are: what is longer ago than ten minutes by minutes, and so on.
  package func recordings(
    since: Int64?, at now: Int64 = Clock.now(), _ body: (Recording) -> Void
  ) throws(Fault) {
    guard let directory = try Directory.open("stats", in: root) else { return }
    let from = since ?? .min
    // A file can be folded and removed between the listing and the reading.
    for _ in 0..<100 {
      guard let files = try directory.openStats() else { continue }
      var fold = Fold(at: now, retain: settings.retain)
      for file in files {
        try file.forEachStatsLine { (text) in
          if let line = SettledLine(text) {
            if line.time >= from { fold.add(line) }
          } else if let line = FoldedLine(text), line.middle >= from {
            // What lies on both sides counts where its middle is.
            body(line.recording)
          }
        }
      }
      for line in fold.lines { body(line.recording) }
      return
    }
    throw Fault(.tryLater, "\(printable(directory.path)): changes too fast to be read; try again")
  }
}

extension Directory {
  func statsNames() throws(Fault) -> [StatsName] {
    var found: [StatsName] = []
    try forEachName { text in if let name = StatsName(text) { found.append(name) } }
    return found
  }

  /// What counts, open; nil where some of it has gone since it was listed.
  fileprivate func openStats() throws(Fault) -> [Descriptor]? {
    let names = try statsNames()
    let whole = names.filter { $0.level > 0 && isWhole($0) }
    // Before the closed ones: a log that is closed meanwhile would be missed, and is not read twice.
    let log = try Descriptor.open(StatsName.log, in: self, O_RDONLY)
    var files = log.map { [$0] } ?? []
    for name in names where !whole.contains(where: { $0.covers(name) }) {
      guard let file = try Descriptor.open(name.text, in: self, O_RDONLY) else { return nil }
      files.append(file)
    }
    let after = try statsNames()
    return after.count == names.count && after.allSatisfy(names.contains) ? files : nil
  }

  func readStats(_ name: String, into fold: inout Fold) throws(Fault) {
    guard let file = try Descriptor.open(name, in: self, O_RDONLY) else { return }
    try file.forEachStatsLine { text in
      if let line = SettledLine(text) {
        fold.add(line)
      } else if let line = FoldedLine(text) {
        fold.add(line)
      }
    }
  }

  /// Whether it was written to its end, as far as can be seen from its last line.
  func isWhole(_ name: StatsName) -> Bool {
    guard let size = size(of: name.text), size > 0,
      let file = try? Descriptor.open(name.text, in: self, O_RDONLY)
    else { return false }
    let start = max(0, size - 64)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size - start, alignment: 8)
    defer { buffer.deallocate() }
    guard (try? file.read(into: buffer, at: start)) == buffer.count,
      buffer[buffer.count - 1] == newline
    else { return false }
    let text = UnsafeRawBufferPointer(rebasing: buffer.dropLast())
    let lineStart = text.lastIndex(of: newline).map { $0 + 1 } ?? 0
    return FoldedLine.isEnd(UnsafeRawBufferPointer(rebasing: text[lineStart...]))
  }
}

extension Descriptor {
  /// Calls `body` with each line, in pieces of bounded memory; a line that is longer is left out.
  fileprivate func forEachStatsLine(_ body: (UnsafeRawBufferPointer) -> Void) throws(Fault) {
    let size = try size()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 8)
    defer { buffer.deallocate() }
    var base = 0
    while base < size {
      let count = try read(into: buffer, at: base)
      if count == 0 { return }
      let all = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      // The last line of a piece is read again with the next, unless there is no more.
      let isLast = base + count >= size
      let end = isLast ? count : (all.lastIndex(of: newline).map { $0 + 1 } ?? count)
      var lines = Pieces(UnsafeRawBufferPointer(rebasing: all[..<end]))
      while let line = lines.next(before: newline) { if !line.isEmpty { body(line) } }
      base += end
    }
  }
}
