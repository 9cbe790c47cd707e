internal import PipeRender
internal import PipeIO
internal import PipeQueue

/// The lines between the queue and a worker: those that wait to be handed out, and those handed out and
/// not answered. Bounded, so that memory is, and so that other consumers get their share.
///
/// Items on their last attempt are handed out alone, one at a time, when nothing else is: should they be
/// the worker's death, no other is buried for it.
final class StreamWindow {
  private let size: Int
  private let lastAttempt: Int
  private let isPaced: Bool
  var waiting = FIFO<StreamLine>()
  var open = UnansweredLines()
  var flights = InFlightClaims()

  /// Items handed out and not answered, at the most; but one line may have more.
  static let mostItems = 1024
  /// Bytes of data of the claims that are held, at the most; but one item may have more.
  static let mostBytes = 4 << 20
  /// Items claimed at once: few claims for many lines.
  private static let portion = 256

  /// `size`: items a line, at the most. Where there is a pace each line is a batch of its own.
  init(size: Int, lastAttempt: Int, isPaced: Bool) {
    self.size = size
    self.isPaced = isPaced
    self.lastAttempt = lastAttempt
  }

  var isEmpty: Bool { open.isEmpty && waiting.isEmpty }
  var isAllHandedOut: Bool { waiting.isEmpty }
  /// Items handed out and not answered.
  var items: Int { open.items }
  /// The line that was handed out first, of those without an answer.
  var oldest: StreamLine? { open.oldest }
  /// When it became that. Microseconds of `Clock.steady`.
  var oldestSince: Int64 { open.oldestSince }

  /// Lines to claim at once.
  private var portion: Int { isPaced ? 1 : max(1, StreamWindow.portion / size) }

  var wantsMore: Bool {
    waiting.isEmpty && !hasLast
      && (items == 0
        || items + portion * size <= StreamWindow.mostItems
          && flights.bytes < StreamWindow.mostBytes)
  }

  /// Items to claim now, for so many lines at the most.
  func wanted(lines: Int) -> Int { min(portion, lines) * size }
  var wantedBytes: Int { max(1, StreamWindow.mostBytes - flights.bytes) }

  /// Returns how many lines it makes.
  func add(_ claim: consuming Claim) -> Int {
    let step = claim.attempt >= lastAttempt ? 1 : size
    let count = (claim.items.count + step - 1) / step
    var tokens: [EntryID] = []
    for number in 0..<count { tokens.append(claim.token(number)) }
    let flight = InFlightClaim(claim)
    flights.add(flight)
    for (number, token) in tokens.enumerated() {
      let items = number * step..<min(flight.items.count, (number + 1) * step)
      waiting.append(StreamLine(flight, items, token: token))
    }
    return count
  }

  /// Puts in what may be handed out.
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

  /// Settles what was answered or goes back.
  func settle(_ claimer: Claimer) throws(Fault) { try flights.settle(claimer) }

  func isLast(_ line: StreamLine) -> Bool { line.flight.attempt >= lastAttempt }

  // Such a line is alone.
  private var hasLast: Bool { open.oldest.map(isLast) ?? false }
}

/// Lines that were handed out and are not answered.
struct UnansweredLines {
  private var byToken: [EntryID: StreamLine] = [:]
  /// As handed out; the answered ones are passed over.
  private var order = FIFO<StreamLine>()
  /// Items without an answer.
  private(set) var items = 0
  /// When the oldest line became that. Microseconds of `Clock.steady`.
  private(set) var oldestSince: Int64 = 0

  var isEmpty: Bool { byToken.isEmpty }
  /// The one that was handed out first.
  var oldest: StreamLine? { order.first }

  subscript(token: EntryID) -> StreamLine? { byToken[token] }

  /// In the order in which they were handed out.
  var inOrder: [StreamLine] { order.elements.filter { $0.open > 0 } }

  mutating func append(_ line: StreamLine) {
    if isEmpty { oldestSince = Clock.steady() }
    byToken[line.token] = line
    order.append(line)
    items += line.items.count
  }

  /// So many items of a line are open no more.
  mutating func reduce(by count: Int) { items -= count }

  /// The line has nothing left to be answered.
  mutating func close(_ line: StreamLine) {
    byToken[line.token] = nil
    guard order.first === line else { return }
    while let first = order.first, first.open == 0 { order.removeFirst() }
    oldestSince = Clock.steady()
  }

  /// Takes off the one that was handed out last, if it begins at `byte` of what the worker gets or behind.
  mutating func removeLast(from byte: Int) -> StreamLine? {
    guard let line = order.last, line.bytes.lowerBound >= byte else { return nil }
    order.removeLast()
    return line
  }
}
