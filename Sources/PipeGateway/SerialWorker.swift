internal import NIOConcurrencyHelpers
package import PipeIO
internal import Synchronization

/// Serves items on a thread of its own, off the event loop. Items that arrive while it is busy are
/// served together.
package final class SerialWorker<Clerk, Item: Sendable>: Sendable {
  private struct Pending {
    var items: [Item] = []
    var isOver = false
  }

  private enum Bell { case silent, rung, gone }

  private let pending = Mutex(Pending())
  private let bell = ConditionLock(value: Bell.silent)
  private let clerk: Mutex<Clerk>
  private let serve: @Sendable (inout Clerk, [Item]) -> Void

  package init(
    _ clerk: sending Clerk, _ serve: @escaping @Sendable (inout Clerk, [Item]) -> Void
  ) throws(Fault) {
    self.clerk = Mutex(clerk)
    self.serve = serve
    try startThread { self.work() }
  }

  /// False: the item was refused, because `most` items already wait.
  @discardableResult
  package func put(_ item: Item, upTo most: Int = .max) -> Bool {
    let count = pending.withLock { all in
      if all.items.count >= most { return 0 }
      all.items.append(item)
      return all.items.count
    }
    if count == 1 { ring() }
    return count > 0
  }

  package func put(_ items: [Item]) {
    guard !items.isEmpty else { return }
    let count = pending.withLock { all in
      all.items += items
      return all.items.count
    }
    if count == items.count { ring() }
  }

  /// Waits until all items put before are served and the thread has ended.
  package func finish() {
    pending.withLock { $0.isOver = true }
    ring()
    bell.lock(whenValue: .gone)
    bell.unlock()
  }

  private func ring() {
    bell.lock()
    bell.unlock(withValue: .rung)
  }

  private func work() {
    while true {
      bell.lock(whenValue: .rung)
      bell.unlock(withValue: .silent)
      let taken = pending.withLock { all in
        let taken = all
        all.items.removeAll(keepingCapacity: true)
        return taken
      }
      if !taken.items.isEmpty { clerk.withLock { serve(&$0, taken.items) } }
      if taken.isOver { break }
    }
    bell.lock()
    bell.unlock(withValue: .gone)
  }
}
