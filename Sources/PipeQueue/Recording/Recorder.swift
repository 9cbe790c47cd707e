internal import Glibc
internal import PipeIO

/// Notes what is settled in stats/log, one write each time: a kill takes nothing with it, and nobody waits
/// for a flush. Many write to it at once, and whoever finds it large closes it and folds what was closed before.
final class Recorder {
  private let queue: Queue
  private var log: Descriptor?
  private var opened: Int64 = 0
  private var isLooked = false
  private var failed: Int64?
  private var bytes: [UInt8] = []
  private var hasComplained = false

  /// Bytes of a log that is closed.
  private static let largest = 1 << 20
  /// How long a log stays open unasked: less than `Folding.patience`. Microseconds.
  private static let reopening: Int64 = 1_000_000

  init(_ queue: Queue) { self.queue = queue }

  /// A full disk must not keep an item from being settled: what cannot be noted is left out.
  func note(_ lines: some Sequence<SettledLine>, at steady: Int64) {
    if queue.root.isShortOfRoom {
      return complain("the disk is full; statistics leave out what is settled meanwhile")
    }
    if let failed, steady - failed < Recorder.reopening { return }
    bytes.removeAll(keepingCapacity: true)
    for line in lines where line.items > 0 { line.append(to: &bytes) }
    if bytes.isEmpty { return }
    do throws(Fault) {
      let log = try current(at: steady)
      try log.append(bytes)
      if isLooked { return }
      isLooked = true
      if try log.size() < Recorder.largest { return }
      self.log = nil
    } catch {
      complain("\(error.text); statistics leave out what is settled meanwhile")
      (failed, log) = (steady, nil)
      return
    }
    do throws(Fault) { try Folding(queue).run(closing: Recorder.largest) } catch {
      complain("\(error.text); statistics take more room meanwhile")
    }
  }

  // Once: it would be the same for each of a million items.
  private func complain(_ text: String) {
    if !hasComplained { queue.report(text) }
    hasComplained = true
  }

  private func current(at steady: Int64) throws(Fault) -> Descriptor {
    if let log, steady - opened < Recorder.reopening { return log }
    let directory = try queue.statsDirectory()
    let file = try Descriptor.create(StatsName.log, in: directory, O_WRONLY | O_APPEND)
    log = file
    opened = steady
    isLooked = false
    return file
  }
}
