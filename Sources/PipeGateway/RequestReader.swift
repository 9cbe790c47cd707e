internal import NIOCore
internal import NIOHTTP1

/// The request being read on a connection. Keeps a body within the limit, discards the body of a
/// refused request, and discards everything after the last request.
struct RequestReader {
  private enum State {
    /// No request has begun since the last one ended.
    case idle
    /// The request lacks its body until its end.
    case reading(HTTPRequestHead, Request, began: NIODeadline)
    case discarding
  }

  private let limits: ConnectionLimits
  private var state = State.idle
  /// Of the request being read, or else of the last one.
  private var admission = Admission()
  /// Empty unless a request is being read.
  private var body: [UInt8] = []
  /// Bytes received and discarded of the body of a refused request.
  private var discarded = 0
  /// The client waits for 100 Continue before it sends the body.
  private var isContinueOwed = false
  /// The decoder has stopped: further input would pile up in it.
  private(set) var isDecoderStopped = false

  init(_ limits: ConnectionLimits) { self.limits = limits }

  var isIdle: Bool { if case .idle = state { true } else { false } }

  var isReading: Bool { if case .reading = state { true } else { false } }

  var isDiscarding: Bool { if case .discarding = state { true } else { false } }

  /// Begins a request. Returns the response to refuse it with, or nil. `isCrowded`: there is no
  /// room for more bodies.
  mutating func begin(
    _ head: HTTPRequestHead, _ request: Request, _ admission: Admission, isCrowded: Bool,
    at now: NIODeadline = .now()
  ) -> Response? {
    state = .reading(head, request, began: now)
    self.admission = admission
    discarded = 0
    if let error = RequestError(head, limits) { return error.response }
    if isCrowded { return RequestError.crowded.response }
    if let refusal = admission.refusal, head.hasLongBody { return refusal }
    isContinueOwed = head.expectsContinue
    return nil
  }

  /// Whether 100 Continue must be sent now. Returns true once.
  mutating func takeContinue() -> Bool {
    defer { isContinueOwed = false }
    return isContinueOwed
  }

  /// Appends a piece of the body. Returns the response to refuse the request with, or nil. `hold`:
  /// reserves memory for a number of bytes, or returns false.
  mutating func append(_ piece: ByteBuffer, hold: (Int) -> Bool) -> Response? {
    guard case .reading(let head, _, _) = state else { return nil }
    isContinueOwed = false
    let count = piece.readableBytes
    if let refusal = admission.refusal {
      discarded += count
      return discarded > HTTPRequestHead.shortBody ? refusal : nil
    }
    if body.count + count > limits.body { return RequestError.tooLong(limits).response }
    guard hold(count) else { return RequestError.crowded.response }
    if body.isEmpty {
      body.reserveCapacity(min(head.contentLength ?? 0, HTTPRequestHead.shortBody))
    }
    body.append(contentsOf: piece.readableBytesView)
    return nil
  }

  /// Ends the request. Returns its slot, and the request with its body unless it was refused.
  /// `isLast`: no further request is read.
  mutating func end(isLast: Bool) -> (slot: PipelineSlot, request: Request?)? {
    guard case .reading(let head, var request, let began) = state else { return nil }
    isContinueOwed = false
    isDecoderStopped = head.stopsDecoder
    let isLast = isLast || !head.isKeepAlive || isDecoderStopped
    state = isLast ? .discarding : .idle
    var slot = PipelineSlot(
      head: head, began: began, held: body.count, headers: admission.headers, isLast: isLast)
    if let refusal = admission.refusal {
      slot.respond(refusal)
      return (slot, nil)
    }
    swap(&request.body, &body)
    return (slot, request)
  }

  /// Refuses the request being read, or input that is not a request. Closing at once would take the
  /// response from a client that is still sending, so the rest is read for a while and discarded.
  /// Returns the slot with the response, and the number of body bytes dropped.
  mutating func refuse(
    _ response: Response, at now: NIODeadline = .now()
  ) -> (slot: PipelineSlot, dropped: Int) {
    var (head, began): (HTTPRequestHead?, NIODeadline) = (nil, now)
    if case .reading(let found, _, let start) = state { (head, began) = (found, start) }
    isDecoderStopped = head?.stopsDecoder == true
    var slot = PipelineSlot(
      head: head, began: began, held: 0, headers: admission.headers, isLast: true)
    slot.respond(response)
    return (slot, discardInput())
  }

  /// Discards all input from now on. Returns the number of body bytes dropped.
  mutating func discardInput() -> Int {
    let dropped = body.count
    body = []
    state = .discarding
    isContinueOwed = false
    return dropped
  }
}
