/// Why items of an entry are not done.
package struct Explanation {
  /// Items of the entry, from and to, counted from 1, that share a fate.
  package struct Run {
    package var items: ClosedRange<Int>
    package let fate: Fate
    /// Attempts at the first of them that did not end well.
    package let history: [Attempt]
  }

  package enum Fate {
    /// Ready; `ahead` items come before it.
    case ready(ahead: Int)
    /// Handed out. `holder` is nil where the clock holds it.
    case claimed(token: EntryID, attempt: Int, holder: String?, since: Int64?, until: Int64?)
    /// Waits for a time, after `attempts` attempts.
    case later(due: Int64, attempts: Int)
    case dead(isDropped: Bool)
    /// No intact line held it when its turn came.
    case lost(isDropped: Bool)
    case done
  }

  package let id: EntryID
  package let priority: Priority
  package let created: Int64
  package let accepted: Int64
  package let items: Int
  package let runs: [Run]
  package let pace: PaceView?
}

/// How items leave the queue.
package struct PaceView {
  /// Microseconds between the starts of batches; 0 where the last one was started without a pace.
  package let every: Int64
  /// Microseconds until the next may start.
  package let wait: Int64
  /// Microseconds since the last was started.
  package let sinceLast: Int64
  package let size: Int
  /// Items a second recently; nil where too few have left to tell.
  package let rate: Double?

  /// Microseconds until an item with `ahead` items before it is handed out, if all goes on as it did recently; nil
  /// where nothing has been handed out for so long that it cannot be told.
  package func estimate(ahead: Int) -> Int64? {
    if every > 0, sinceLast / 10 < max(6_000_000, every) {
      let turns = Double(ahead / max(1, size)) * Double(every)
      return wait + Int64(min(PaceView.most, turns))
    }
    guard let rate, rate > 0, sinceLast < 60_000_000 else { return nil }
    return Int64(min(PaceView.most, Double(ahead) / rate * 1e6))
  }

  /// Some thirty years, which is as good as never. Microseconds.
  private static let most = 1e15
}
