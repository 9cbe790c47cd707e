internal import CPipeIO
internal import Glibc
package import PipeIO
internal import PipeTime

/// Appends settled batches to stats/log, in one write each: a kill loses nothing, and no process
/// waits for a flush. Many processes append at once; one that finds the log large closes it and
/// compacts the closed logs.
final class SettleLog {
  private let queue: Queue
  private var log: Descriptor?
  private var opened: SteadyInstant = .boot
  private var isLooked = false
  private var failed: SteadyInstant?
  private var bytes: [UInt8] = []
  private var hasComplained = false

  /// Size at which a log is closed, in bytes.
  private static let largest = 1 << 20
  /// How long a process appends to a log before it opens `log` again: less than
  /// `CompactionPlan.patience`.
  private static let reopening: TimeSpan = .seconds(1)

  init(_ queue: Queue) { self.queue = queue }

  /// A full disk must not keep an item from being settled: a line that cannot be written is left
  /// out.
  func note(_ lines: some Sequence<SettledLine>, at steady: SteadyInstant) {
    if queue.root.isShortOfRoom {
      return complain("the disk is full; items settled meanwhile are not in the statistics")
    }
    if let failed, steady - failed < SettleLog.reopening { return }
    bytes.removeAll(keepingCapacity: true)
    for line in lines where line.items > 0 { line.append(to: &bytes) }
    if bytes.isEmpty { return }
    do throws(Fault) {
      let log = try current(at: steady)
      try log.append(bytes)
      if isLooked { return }
      isLooked = true
      if try log.size() < SettleLog.largest { return }
      self.log = nil
    } catch {
      complain("\(error.text); items settled meanwhile are not in the statistics")
      (failed, log) = (steady, nil)
      return
    }
    do throws(Fault) { try CompactionPlan(queue).run(closing: SettleLog.largest) } catch {
      complain("\(error.text); the statistics are not compacted and take more room meanwhile")
    }
  }

  // Once: the message would be the same for each of a million items.
  private func complain(_ text: String) {
    if !hasComplained { queue.report(text) }
    hasComplained = true
  }

  private func current(at steady: SteadyInstant) throws(Fault) -> Descriptor {
    if let log, steady - opened < SettleLog.reopening { return log }
    let directory = try queue.statsDirectory()
    let file = try Descriptor.create(StatsName.log, in: directory, O_WRONLY | O_APPEND)
    log = file
    opened = steady
    isLooked = false
    return file
  }
}

/// Limits the tags that are distinguished to the first ones: a tag for each run would use unbounded
/// memory.
package struct KnownTags {
  private var known: Set<String> = [others]

  package static let most = 32
  /// Later tags are counted under this one, which cannot be given as a tag.
  package static let others = "*"

  package init() {}

  package mutating func shown(_ tag: String?) -> String? {
    guard let tag, !known.contains(tag) else { return tag }
    // One of them is `others`.
    if known.count > KnownTags.most { return KnownTags.others }
    known.insert(tag)
    return tag
  }
}

/// A line of stats/log: items of one batch that were settled together with one outcome
/// (pipe-queue(5), STATS).
///
///     CRC32C TIME TAG OUTCOME SERVICE ITEMS WAITS
struct SettledLine {
  enum Outcome: String, CaseIterable {
    case done, retried, buried
  }

  /// When they were settled.
  var time: Instant
  /// nil: no tag was given.
  var tag: String?
  let outcome: Outcome
  /// From claimed until settled, microseconds.
  var service: Int
  var items: Int
  /// Time from accepted to claimed, each with the number of items; only for done items.
  var waits: [(microseconds: Int, count: Int)] = []

  /// The newline comes first, so that a torn line does not spoil the next one.
  func append(to out: inout [UInt8]) {
    let start = out.count
    out.append(newline)
    out.append(contentsOf: repeatElement(space, count: 9))
    appendDecimal(Int(time.microseconds), to: &out)
    out.append(space)
    out += (tag ?? "-").utf8
    out.append(space)
    out += outcome.rawValue.utf8
    out.append(space)
    appendDecimal(service, to: &out)
    out.append(space)
    appendDecimal(items, to: &out)
    out.append(space)
    for (position, wait) in waits.enumerated() {
      if position > 0 { out.append(SettledLine.comma) }
      appendDecimal(wait.microseconds, to: &out)
      if wait.count == 1 { continue }
      out.append(SettledLine.star)
      appendDecimal(wait.count, to: &out)
    }
    if waits.isEmpty { out.append(dash) }
    out.fillChecksum(from: start + 1)
  }

  private static let comma: UInt8 = 0x2c
  private static let star: UInt8 = 0x2a
}

extension SettledLine {
  /// Parses a line without its newline.
  init?(_ text: UnsafeRawBufferPointer) {
    guard let rest = checked(text) else { return nil }
    var columns = FieldSplitter(rest)
    guard let time = columns.number(before: space), let tag = columns.next(before: space),
      let word = columns.next(before: space),
      let outcome = Outcome.allCases.first(where: { word.elementsEqual($0.rawValue.utf8) }),
      let service = columns.number(before: space), let items = columns.number(before: space),
      let waits = columns.remainder
    else { return nil }
    self.init(
      time: Instant(microseconds: time), tag: tagName(tag), outcome: outcome, service: service,
      items: items)
    guard outcome == .done else { return }
    var list = FieldSplitter(waits)
    while let piece = list.next(before: SettledLine.comma) {
      var parts = FieldSplitter(piece)
      guard let wait = parts.number(before: SettledLine.star) else { return nil }
      self.waits.append((wait, parts.isAtEnd ? 1 : parts.number(before: space) ?? 0))
    }
    guard self.waits.reduce(0, { $0 &+ $1.count }) == items else { return nil }
  }
}

func tagName(_ column: UnsafeRawBufferPointer) -> String? {
  column.elementsEqual([dash]) ? nil : String(decoding: column, as: UTF8.self)
}

extension Queue {
  // The ends of this many files are read, this many bytes of each.
  private static let tagFiles = 8
  private static let tagBytes = 64 << 10

  /// Returns tags of settled batches, the latest first, from the ends of the newest statistics: a tag
  /// that was not used recently may be missing.
  package func recentTags() throws(Fault) -> [String] {
    guard let directory = try Directory.open("stats", in: root) else { return [] }
    let closed = try directory.statsFiles().sorted { $0.numbers.upperBound > $1.numbers.upperBound }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Queue.tagBytes, alignment: 8)
    defer { buffer.deallocate() }
    var known: Set<String> = []
    var found: [String] = []
    for name in [StatsName.log] + closed.prefix(Queue.tagFiles - 1).map(\.text) {
      guard let file = try Descriptor.open(name, in: directory, O_RDONLY) else { continue }
      let count = try file.read(into: buffer, at: max(0, file.size() - buffer.count))
      var lines = FieldSplitter(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      var tags: [String] = []
      while let line = lines.nextLine() {
        if let tag = SettledLine(line)?.tag ?? CompactedLine(line)?.tag { tags.append(tag) }
      }
      found += tags.reversed().filter { known.insert($0).inserted }
    }
    return found
  }
}
