internal import NIOConcurrencyHelpers
package import PipeIO
internal import Synchronization

/// Serves items on a thread of its own, off the event loop. Items that arrive while it is busy are
/// served together.
package final class SerialWorker<Handler, Item: Sendable>: Sendable {
  private struct Pending {
    var items: [Item] = []
    var isOver = false
  }

  private enum Wakeup { case none, pending, ended }

  private let pending = Mutex(Pending())
  private let wakeup = ConditionLock(value: Wakeup.none)
  private let handler: Mutex<Handler>
  private let serve: @Sendable (inout Handler, [Item]) -> Void

  package init(
    _ handler: sending Handler, _ serve: @escaping @Sendable (inout Handler, [Item]) -> Void
  ) throws(Fault) {
    self.handler = Mutex(handler)
    self.serve = serve
    try startThread { self.run() }
  }

  /// False: the item was refused, because `most` items already wait.
  @discardableResult
  package func put(_ item: Item, upTo most: Int = .max) -> Bool {
    let count = pending.withLock { all in
      if all.items.count >= most { return 0 }
      all.items.append(item)
      return all.items.count
    }
    if count == 1 { wake() }
    return count > 0
  }

  package func put(_ items: [Item]) {
    guard !items.isEmpty else { return }
    let count = pending.withLock { all in
      all.items += items
      return all.items.count
    }
    if count == items.count { wake() }
  }

  /// Waits until all items put before are served and the thread has ended.
  package func finish() {
    pending.withLock { $0.isOver = true }
    wake()
    wakeup.lock(whenValue: .ended)
    wakeup.unlock()
  }

  private func wake() {
    wakeup.lock()
    wakeup.unlock(withValue: .pending)
  }

  private func run() {
    while true {
      wakeup.lock(whenValue: .pending)
      wakeup.unlock(withValue: .none)
      let taken = pending.withLock { all in
        let taken = all
        all.items.removeAll(keepingCapacity: true)
        return taken
      }
      if !taken.items.isEmpty { handler.withLock { serve(&$0, taken.items) } }
      if taken.isOver { break }
    }
    wakeup.lock()
    wakeup.unlock(withValue: .ended)
  }
}
