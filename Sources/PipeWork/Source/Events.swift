internal import PipeIO

/// Additional descriptors to wait for, and the events that were found.
final class Events {
  private(set) var wanted: [(fd: Int32, interest: Poller.Interest)] = []
  private var first = 0
  private var poller = Poller()

  func clear() { wanted.removeAll(keepingCapacity: true) }

  func want(_ fd: Int32, _ interest: Poller.Interest = .reading) {
    wanted.append((fd, interest))
  }

  func add(to poller: inout Poller) {
    for (position, event) in wanted.enumerated() {
      let index = poller.watch(event.fd, for: event.interest)
      if position == 0 { first = index }
    }
  }

  func note(_ poller: Poller) { self.poller = poller }

  /// Whether the last wait found an event at descriptor `fd`.
  func isReady(_ fd: Int32) -> Bool {
    wanted.firstIndex { $0.fd == fd }.map { poller.isReady(first + $0) } ?? false
  }
}

/// First in, first out; removed elements are released.
struct FIFO<Element> {
  private var all: [Element?] = []
  private var head = 0

  var isEmpty: Bool { head == all.count }
  var first: Element? { isEmpty ? nil : all[head] }
  var last: Element? { all.last ?? nil }

  mutating func append(_ element: Element) { all.append(element) }

  mutating func removeFirst() {
    all[head] = nil
    head += 1
    if head == all.count || head > 1024 {
      all.removeFirst(head)
      head = 0
    }
  }

  mutating func removeLast() {
    all.removeLast()
    if head == all.count { self = FIFO() }
  }

  mutating func removeAll() { self = FIFO() }
  var elements: [Element] { all[head...].compactMap { $0 } }
}
