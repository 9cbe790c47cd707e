/// First in, first out; what has left it is not kept.
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
