internal import PipeIO
internal import PipeQueue

/// Lines that were handed out and are not answered.
struct OpenLines {
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
