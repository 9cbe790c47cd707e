internal import PipeIO
internal import PipeEngine
internal import PipeRender
internal import PipeTime

/// The lines between the queue and a worker: those waiting to be handed out, and those handed out
/// and unanswered. The window is bounded to limit memory and to leave items for other consumers.
///
/// Items on their last attempt are handed out alone, one at a time, while no other line is
/// unanswered: if one kills the worker, no other item is buried with it.
final class StreamWindow {
  private let size: Int
  private let lastAttempt: Int
  private let isPaced: Bool
  var waiting = FIFO<StreamLine>()
  var open = UnansweredLines()
  var flights = InFlightClaims()

  /// Maximum items handed out and unanswered; one line alone may have more.
  static let mostItems = 1024
  /// Maximum bytes of data of the held claims; one item alone may have more.
  static let mostBytes = 4 << 20
  /// Items per claim: few claims for many lines.
  private static let portion = 256

  /// `size`: maximum items per line. With a pace, each line is a batch of its own.
  init(size: Int, lastAttempt: Int, isPaced: Bool) {
    self.size = size
    self.isPaced = isPaced
    self.lastAttempt = lastAttempt
  }

  var isEmpty: Bool { open.isEmpty && waiting.isEmpty }
  var isAllHandedOut: Bool { waiting.isEmpty }
  /// Items handed out and unanswered.
  var items: Int { open.items }
  /// The unanswered line that was handed out first.
  var oldest: StreamLine? { open.oldest }
  /// When it became the oldest. Of `Clock.steady`.
  var oldestSince: SteadyInstant { open.oldestSince }

  /// Lines per claim.
  private var portion: Int { isPaced ? 1 : max(1, StreamWindow.portion / size) }

  var wantsMore: Bool {
    waiting.isEmpty && !hasLast
      && (items == 0
        || items + portion * size <= StreamWindow.mostItems
          && flights.bytes < StreamWindow.mostBytes)
  }

  /// Items to claim now, for at most `lines` lines.
  func wanted(lines: Int) -> Int { min(portion, lines) * size }
  var wantedBytes: Int { max(1, StreamWindow.mostBytes - flights.bytes) }

  /// Adds a claim; returns the number of its lines.
  func add(_ claim: consuming Claim) -> Int {
    let step = claim.attempt >= lastAttempt ? 1 : size
    let count = (claim.items.count + step - 1) / step
    var tokens: [BatchID] = []
    for number in 0..<count { tokens.append(claim.token(number)) }
    let flight = InFlightClaim(claim)
    flights.add(flight)
    for (number, token) in tokens.enumerated() {
      let items = number * step..<min(flight.items.count, (number + 1) * step)
      waiting.append(StreamLine(flight, items, token: token))
    }
    return count
  }

  /// Writes the lines that may be handed out now.
  func handOut(to input: WorkerInput) {
    while let line = waiting.first {
      guard isLast(line) ? open.isEmpty : !hasLast else { return }
      waiting.removeFirst()
      let start = input.end
      let flight = line.flight
      input.append { out in
        BatchLine.append(
          line.token, flight.attempt, flight.items[line.items], data: flight.bytes, to: &out)
      }
      line.bytes = start..<input.end
      open.append(line)
    }
  }

  /// Settles the items that were answered or are given back.
  func settle(_ claimer: Claimer) throws(Fault) { try flights.settle(claimer) }

  func isLast(_ line: StreamLine) -> Bool { line.flight.attempt >= lastAttempt }

  // Whether a line on its last attempt is unanswered; it is then the only one.
  private var hasLast: Bool { open.oldest.map(isLast) ?? false }
}

/// Lines that were handed out and are unanswered.
struct UnansweredLines {
  private var byToken: [BatchID: StreamLine] = [:]
  /// In the order of handing out; answered lines stay until they are the first.
  private var order = FIFO<StreamLine>()
  /// Number of unanswered items.
  private(set) var items = 0
  /// When the oldest line became the oldest. Of `Clock.steady`.
  private(set) var oldestSince: SteadyInstant = .boot

  var isEmpty: Bool { byToken.isEmpty }
  /// The line that was handed out first.
  var oldest: StreamLine? { order.first }

  subscript(token: BatchID) -> StreamLine? { byToken[token] }

  /// In the order of handing out.
  var inOrder: [StreamLine] { order.elements.filter { $0.open > 0 } }

  mutating func append(_ line: StreamLine) {
    if isEmpty { oldestSince = Clock.steady() }
    byToken[line.token] = line
    order.append(line)
    items += line.items.count
  }

  /// `count` items of a line are no longer unanswered.
  mutating func reduce(by count: Int) { items -= count }

  /// Removes a line that has no unanswered items.
  mutating func close(_ line: StreamLine) {
    byToken[line.token] = nil
    guard order.first === line else { return }
    while let first = order.first, first.open == 0 { order.removeFirst() }
    oldestSince = Clock.steady()
  }

  /// Removes the last line handed out, if it begins at or after `byte` of the worker's input.
  mutating func removeLast(from byte: Int) -> StreamLine? {
    guard let line = order.last, line.bytes.lowerBound >= byte else { return nil }
    order.removeLast()
    return line
  }
}
