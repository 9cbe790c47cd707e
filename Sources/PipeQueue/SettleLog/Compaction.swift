internal import CPipeIO
internal import Glibc
internal import PipeIO
package import PipeTime

/// Compacts the statistics: closed logs become a file of histograms, eight such files become one of
/// the next level, and so on, so that everything ever settled is in a few dozen files.
///
/// Nothing is flushed. The inputs are removed once the kernel has had a minute to write the output;
/// until then they are kept, and they count if the output is torn.
struct CompactionPlan {
  private let queue: Queue
  private let directory: Directory
  private let now: Instant

  /// Time since a log was closed: by then every process that had it open has opened the new
  /// one.
  private static let patience: TimeSpan = .seconds(2)
  /// Time in which the kernel writes dirty pages (vm.dirty_expire_centisecs is 30 s).
  private static let writing: TimeSpan = .minutes(1)
  private static let fan = 8

  init(_ queue: Queue, at now: Instant = Clock.now()) throws(Fault) {
    self.queue = queue
    self.now = now
    directory = try queue.statsDirectory()
  }

  /// Closes the log if it has `size` bytes or more, and compacts; does nothing while another
  /// process compacts.
  /// No transition: statistics name no items
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

  // The number after every existing name, file or not. nil if the largest number is already used.
  private func nextLog() throws(Fault) -> StatsName? {
    let last = try directory.statsNames().map(\.numbers.upperBound).max() ?? 0
    return last < StatsName.largestNumber ? StatsName(level: 0, (last + 1)...(last + 1)) : nil
  }

  // Compacts logs as soon as they rest, and files once there are `fan` of them.
  private func fold(_ level: Int, _ names: inout [StatsName]) throws(Fault) {
    var group = names.filter { name in
      name.level == level && !names.contains { $0.covers(name) }
    }.sorted()
    // No log is skipped: the output covers every number in its range.
    if level == 0 { group = Array(group.prefix(while: rests)) }
    guard group.count >= (level == 0 ? 1 : CompactionPlan.fan) else { return }
    var fold = Compaction(at: now, retain: queue.settings.retain)
    for name in group { try directory.readStats(name.text, into: &fold) }
    let name = StatsName(
      level: level + 1, group[0].numbers.lowerBound...group[group.count - 1].numbers.upperBound)
    if try write(fold.lines, name) { names.append(name) }
  }

  private func rests(_ name: StatsName) -> Bool {
    directory.changed(name.text).map { (now - $0).magnitude >= CompactionPlan.patience } ?? false
  }

  /// false: the name is already used.
  /// No transition: statistics name no items
  private func write(_ lines: [CompactedLine], _ name: StatsName) throws(Fault) -> Bool {
    var bytes: [UInt8] = []
    for line in lines { line.append(to: &bytes) }
    CompactedLine.appendEnd(lines: lines.count, to: &bytes)
    let file = try Descriptor.create(StatsName.writeBatch, in: directory, O_WRONLY | O_TRUNC)
    try bytes.write(to: file, at: 0)
    return try directory.rename(StatsName.writeBatch, to: name.text) == .renamed
  }

  /// No transition: statistics name no items
  private func remove(_ names: inout [StatsName]) throws(Fault) {
    for name in names.filter({ $0.level > 0 }) {
      let covered = names.filter { name.covers($0) }
      guard !covered.isEmpty, let written = directory.modified(name.text) else { continue }
      if !directory.isWhole(name) {
        // A power cut damaged it; its inputs are still there.
        try directory.remove(name.text)
        names.removeAll { $0 == name }
      } else if (now - written).magnitude >= CompactionPlan.writing {
        for old in covered { try directory.remove(old.text) }
        names.removeAll { name.covers($0) }
      }
    }
  }
}

/// Adds up recordings by time, tag and kind.
struct Compaction {
  private struct Key: Hashable {
    let bucket: Bucket
    let tag: String?
  }

  struct Sum {
    /// The largest number that fits in a column of a line.
    private static let most = 999_999_999_999_999_999

    var first = Instant.distantFuture
    var last = Instant.distantPast
    var items = 0
    var cells = SparseHistogram()

    mutating func note(_ from: Instant, _ to: Instant, items count: Int) {
      first = min(first, from)
      last = max(last, to)
      items = min(items &+ count, Sum.most)
    }
  }

  private typealias Sums = [Recording.Kind: Sum]

  private var groups: [(key: Key, sums: Sums)] = []
  private var places: [Key: Int] = [:]
  // The group used last: lines of one time and tag come together.
  private var current = 0
  private var tags = KnownTags()
  private let now: Instant
  private let retain: TimeSpan

  init(at now: Instant, retain: TimeSpan) {
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

  mutating func add(_ line: CompactedLine) {
    find(line.last, line.tag)
    groups[current].sums[line.kind, default: Sum()].note(line.first, line.last, items: line.items)
    for cell in line.cells {
      groups[current].sums[line.kind]!.cells.add(cell.count, at: cell.index)
    }
  }

  /// Adds a line of a log or of a compacted file; ignores any other.
  mutating func add(_ text: UnsafeRawBufferPointer) {
    if let line = SettledLine(text) {
      add(line)
    } else if let line = CompactedLine(text) {
      add(line)
    }
  }

  /// Adds a line of a log that was settled at `from` or later. `body` gets the recording of a compacted line instead: if
  /// it begins before `from` and ends after it, it counts where its middle is.
  mutating func read(
    _ text: UnsafeRawBufferPointer, from: Instant, _ body: (Recording) -> Void
  ) {
    if let line = SettledLine(text) {
      if line.time >= from { add(line) }
    } else if let recording = CompactedLine(text)?.recording, recording.middle >= from {
      body(recording)
    }
  }

  private mutating func sum(
    _ kind: Recording.Kind, _ time: Instant, _ items: Int, _ body: (inout SparseHistogram) -> Void
  ) {
    groups[current].sums[kind, default: Sum()].note(time, time, items: items)
    body(&groups[current].sums[kind]!.cells)
  }

  private mutating func find(_ time: Instant, _ tag: String?) {
    let key = Key(bucket: Bucket(time, at: now, retain: retain), tag: tags.shown(tag))
    if !groups.isEmpty, groups[current].key == key { return }
    if let position = places[key] {
      current = position
    } else {
      current = groups.count
      places[key] = current
      groups.append((key, [:]))
    }
  }

  /// In order of time.
  var lines: [CompactedLine] {
    groups.sorted { $0.key.bucket < $1.key.bucket }.flatMap { key, sums in
      Recording.Kind.allCases.compactMap { kind in
        sums[kind].map { sum in
          CompactedLine(
            first: sum.first, last: sum.last, tag: key.tag, kind: kind, items: sum.items,
            cells: sum.cells.inOrder)
        }
      }
    }
  }
}

/// A line of a compacted file of stats/, which sums up many settled lines.
///
///     CRC32C FIRST LAST TAG KIND ITEMS HISTOGRAM
struct CompactedLine {
  /// When the first and the last of these lines were settled.
  let first: Instant
  let last: Instant
  let tag: String?
  let kind: Recording.Kind
  let items: Int
  /// Ascending.
  let cells: [(index: Int, count: Int)]

  func append(to out: inout [UInt8]) {
    var columns = Array(
      " \(first.microseconds) \(last.microseconds) \(tag ?? "-") \(kind.rawValue) \(items) ".utf8)
    HistogramCodec.append(cells, to: &columns)
    CompactedLine.append(columns, to: &out)
  }

  /// Appends the last line, which shows that a file was written to its end.
  static func appendEnd(lines: Int, to out: inout [UInt8]) {
    append(Array(" end \(lines)".utf8), to: &out)
  }

  /// The number of lines before this one if it is the last line, else nil.
  static func end(_ text: UnsafeRawBufferPointer) -> Int? {
    guard let rest = checked(text) else { return nil }
    var columns = FieldSplitter(rest)
    guard let word = columns.next(before: space), word.elementsEqual("end".utf8) else {
      return nil
    }
    return columns.number(before: space)
  }

  private static func append(_ columns: [UInt8], to out: inout [UInt8]) {
    let start = out.count
    out += [UInt8](repeating: 0, count: 8)
    out += columns
    out.fillChecksum(from: start)
    out.append(newline)
  }
}

extension CompactedLine {
  /// Parses a line without its newline.
  init?(_ text: UnsafeRawBufferPointer) {
    guard let rest = checked(text) else { return nil }
    var columns = FieldSplitter(rest)
    guard let first = columns.number(before: space), let last = columns.number(before: space),
      first <= last, let tag = columns.next(before: space),
      let kind = columns.next(before: space).flatMap({ word in
        Recording.Kind.allCases.first { word.elementsEqual($0.rawValue.utf8) }
      }),
      let items = columns.number(before: space), let code = columns.remainder,
      let cells = HistogramCodec.counts(code)
    else { return nil }
    self.init(
      first: Instant(microseconds: first), last: Instant(microseconds: last), tag: tagName(tag),
      kind: kind, items: items,
      cells: cells)
  }

  var recording: Recording {
    Recording(
      kind: kind, tag: tag, first: first, last: last, items: items,
      times: cells.map { (HistogramBuckets.highest(of: $0.index), $0.count) })
  }
}

/// A time interval whose recordings are kept together; older intervals are longer.
struct Bucket: Hashable, Comparable {
  let start: Instant
  /// Zero for everything that is older than `retain`.
  let span: TimeSpan

  /// The bucket of a batch settled at `time`, seen at `now`. `retain`: how long times are kept.
  init(_ time: Instant, at now: Instant, retain: TimeSpan) {
    let age = now - time
    if age > retain {
      (start, span) = (.epoch, .zero)
      return
    }
    let seconds: Int64 =
      switch age.microseconds / 1_000_000 {
      case ..<600: 10
      case ..<7200: 60
      case ..<43_200: 600
      case ..<259_200: 3600
      default: 21_600
      }
    span = .seconds(seconds)
    start = time - .microseconds(time.microseconds % span.microseconds)
  }

  static func < (one: Bucket, other: Bucket) -> Bool {
    (one.start, one.span) < (other.start, other.span)
  }
}

/// Times of settled items or batches, of one kind and one tag.
package struct Recording {
  package enum Kind: String, CaseIterable {
    /// For each done item: accepted until claimed.
    case wait
    /// For each done item: claimed until settled.
    case service
    /// For each done item: accepted until settled.
    case total
    /// For each batch with done items: claimed until settled.
    case batches
    /// For each failed batch: claimed until settled.
    case retried, buried
  }

  package let kind: Kind
  package let tag: String?
  /// When the first and the last of them were settled.
  package let first: Instant
  package let last: Instant
  /// Midway between the two.
  package var middle: Instant { first + (last - first) / 2 }
  /// Items; for batches, the items in them.
  package let items: Int
  /// Microseconds, the longest time of each class of 3 significant digits, with its count.
  package let times: [(microseconds: Int, count: Int)]
}
