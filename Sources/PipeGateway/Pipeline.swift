internal import NIOCore
internal import NIOHTTP1

/// A request whose response has not been sent.
struct PipelineSlot {
  /// nil: the request could not be read.
  let head: HTTPRequestHead?
  let began: NIODeadline
  /// Bytes of the request's body.
  let held: Int
  /// Headers added to those of the response.
  let headers: [(name: String, value: String)]
  /// No request after this one is read.
  let isLast: Bool
  private(set) var response: Response?
  /// nil: the response is not an event stream.
  private(set) var subscriber: Subscriber?
  /// Whether a handler has the request.
  fileprivate var isInHand = false

  init(
    head: HTTPRequestHead?, began: NIODeadline, held: Int,
    headers: [(name: String, value: String)], isLast: Bool
  ) {
    self.head = head
    self.began = began
    self.held = held
    self.headers = headers
    self.isLast = isLast
  }

  mutating func respond(_ response: Response, _ subscriber: Subscriber? = nil) {
    self.response = response.with(headers)
    self.subscriber = subscriber
  }
}

/// The requests of one connection that have no response yet. Responses leave in the order of the
/// requests, although handlers may process several at the same time.
struct Pipeline {
  private var slots = CircularBuffer<PipelineSlot>(initialCapacity: 1)
  /// Requests not yet dispatched to a handler.
  private var waiting = CircularBuffer<(number: Int, request: Request)>(initialCapacity: 1)
  /// Number of the request in the first slot. The first request of a connection has number 1.
  private var first = 1
  /// Number of slots whose request a handler has, and whether these requests are small posts, which
  /// others may join.
  private var inHand = 0
  private var isLightInHand = false
  private let capacity: Int

  /// `capacity`: the most requests that are read before the first of them has its response.
  init(capacity: Int) { self.capacity = capacity }

  var isEmpty: Bool { slots.isEmpty }

  /// Whether another request may be read.
  var hasRoom: Bool { slots.count < capacity }

  /// Adds a request. nil: the slot has its response already, and no handler gets the request.
  mutating func append(_ slot: PipelineSlot, _ request: Request?) {
    if let request { waiting.append((first + slots.count, request)) }
    slots.append(slot)
  }

  /// The next request for a handler, with its number. nil: there is none, or it must wait. Handlers
  /// get several requests at once only if all are small posts, since responses are kept until the
  /// client takes them.
  mutating func dispatch() -> (number: Int, request: Request)? {
    guard let next = waiting.first, inHand < capacity else { return nil }
    let isLight = next.request.isLight
    guard inHand == 0 || isLight && isLightInHand else { return nil }
    waiting.removeFirst()
    slots[index(of: next.number)].isInHand = true
    inHand += 1
    isLightInHand = isLight
    return next
  }

  /// Stores the response to a request. Returns false if its slot is gone.
  mutating func respond(
    to number: Int, _ response: Response, _ subscriber: Subscriber? = nil
  ) -> Bool {
    guard number >= first, number < first + slots.count else { return false }
    slots[index(of: number)].respond(response, subscriber)
    return true
  }

  /// Removes the first request if it has its response.
  mutating func takeDue() -> (slot: PipelineSlot, response: Response)? {
    guard let slot = slots.first, let response = slot.response else { return nil }
    slots.removeFirst()
    first += 1
    if slot.isInHand { inHand -= 1 }
    return (slot, response)
  }

  /// Drops all requests, which get no response. Returns the number of bytes of their bodies.
  mutating func removeAll() -> Int {
    let held = slots.reduce(0) { $0 + $1.held }
    for slot in slots { slot.subscriber?.leave() }
    first += slots.count
    inHand = 0
    slots.removeAll()
    waiting.removeAll()
    return held
  }

  private func index(of number: Int) -> CircularBuffer<PipelineSlot>.Index {
    slots.index(slots.startIndex, offsetBy: number - first)
  }
}

extension Request {
  fileprivate var isLight: Bool { method == "POST" && body.count <= 1 << 16 }
}
