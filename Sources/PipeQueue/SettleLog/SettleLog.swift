internal import Glibc
internal import PipeIO
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
