internal import Glibc
internal import PipeIO

/// Notes what is settled in stats/log, one write each time: a kill takes nothing with it, and nobody waits
/// for a flush. Many write to it at once, and whoever finds it large closes it and folds what was closed before.
final class SettleLog {
  private let queue: Queue
  private var log: Descriptor?
  private var opened: Int64 = 0
  private var isLooked = false
  private var failed: Int64?
  private var bytes: [UInt8] = []
  private var hasComplained = false

  /// Bytes of a log that is closed.
  private static let largest = 1 << 20
  /// How long a log stays open unasked: less than `CompactionPlan.patience`. Microseconds.
  private static let reopening: Int64 = 1_000_000

  init(_ queue: Queue) { self.queue = queue }

  /// A full disk must not keep an item from being settled: what cannot be noted is left out.
  func note(_ lines: some Sequence<SettledLine>, at steady: Int64) {
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

  // Once: it would be the same for each of a million items.
  private func complain(_ text: String) {
    if !hasComplained { queue.report(text) }
    hasComplained = true
  }

  private func current(at steady: Int64) throws(Fault) -> Descriptor {
    if let log, steady - opened < SettleLog.reopening { return log }
    let directory = try queue.statsDirectory()
    let file = try Descriptor.create(StatsName.log, in: directory, O_WRONLY | O_APPEND)
    log = file
    opened = steady
    isLooked = false
    return file
  }
}

/// The tags that are told apart: the first that come. A tag for each run would take memory without bound.
package struct KnownTags {
  private var known: Set<String> = [others]

  package static let most = 32
  /// What comes later is under this one, which is no tag that can be given.
  package static let others = "*"

  package init() {}

  package mutating func shown(_ tag: String?) -> String? {
    guard let tag, !known.contains(tag) else { return tag }
    // One of them is that of the others.
    if known.count > KnownTags.most { return KnownTags.others }
    known.insert(tag)
    return tag
  }
}
