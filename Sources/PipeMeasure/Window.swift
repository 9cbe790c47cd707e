internal import PipeIO
internal import PipeQueue
internal import PipeStats

/// The period over which rates are computed. With `since` it ends now and begins no earlier than
/// the first known event; without, it runs from the first event to the last.
struct Window {
  /// Items accepted in the period.
  let accepted: Int
  /// Microseconds since the epoch; nil: no events, or all at one instant.
  let start: Int64?
  let seconds: Double?

  /// `since`: microseconds; nil: the whole retention period.
  init(_ measurement: Measurement, _ since: Int64?, _ activity: Activity) throws(Fault) {
    let (queue, now) = (measurement.queue, measurement.now)
    guard let since else {
      let all = try queue.arrivals(since: max(0, now - queue.settings.retain))
      accepted = all.items
      let first = [all.first, activity.first].compactMap { $0 }.min()
      let last = [all.last, activity.last].compactMap { $0 }.max()
      (start, seconds) = Window.span(first, last)
      return
    }
    let all = try queue.arrivals(since: 0)
    let asked = now - since
    let arrivals = try queue.arrivals(since: asked)
    accepted = arrivals.items
    let isOlder = all.first.map { $0 < asked } ?? false
    let first = [arrivals.first, activity.first].compactMap { $0 }.min()
    (start, seconds) = Window.span(isOlder ? asked : first, now)
  }

  private static func span(_ first: Int64?, _ last: Int64?) -> (Int64?, Double?) {
    guard let first, let last, last > first else { return (nil, nil) }
    return (first, inSeconds(last - first))
  }

  func rate(of items: Int) -> Double? { seconds.map { Double(items) / $0 } }
}

/// Prints each message once: a repeated reading repeats its errors.
package final class OncePerMessage {
  private let print: (String) -> Void
  private var said: Set<String> = []

  /// Messages remembered before all are forgotten; some contain a process id.
  private static let most = 1000

  package init(_ print: @escaping (String) -> Void) { self.print = print }

  package func say(_ text: String) {
    if said.count >= OncePerMessage.most { said.removeAll() }
    if said.insert(text).inserted { print(text) }
  }
}
