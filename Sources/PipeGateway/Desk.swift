internal import NIOPosix
internal import Synchronization

/// Serves on a thread of its own, off the event loop: all that came while it was busy together.
package final class Desk<Clerk, Item: Sendable>: Sendable {
  private let pending = Mutex<[Item]>([])
  private let clerk: Mutex<Clerk>
  private let thread = NIOThreadPool(numberOfThreads: 1)
  private let serve: @Sendable (inout Clerk, [Item]) -> Void

  package init(
    _ clerk: sending Clerk, _ serve: @escaping @Sendable (inout Clerk, [Item]) -> Void
  ) {
    self.clerk = Mutex(clerk)
    self.serve = serve
    thread.start()
  }

  /// False: it was not taken, because `most` wait already.
  @discardableResult
  package func put(_ item: Item, upTo most: Int = .max) -> Bool {
    let count = pending.withLock { all in
      if all.count >= most { return 0 }
      all.append(item)
      return all.count
    }
    if count == 1 { serveSoon() }
    return count > 0
  }

  package func put(_ items: [Item]) {
    guard !items.isEmpty else { return }
    let count = pending.withLock { all in
      all += items
      return all.count
    }
    if count == items.count { serveSoon() }
  }

  /// Waits until what was put before is served.
  package func finish() {
    try? thread.syncShutdownGracefully()
  }

  private func serveSoon() {
    thread.submit { _ in
      let all = self.pending.withLock { all in
        let taken = all
        all.removeAll(keepingCapacity: true)
        return taken
      }
      self.clerk.withLock { self.serve(&$0, all) }
    }
  }
}
