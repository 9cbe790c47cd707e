import NIOCore
import NIOHTTP1
import Testing

@testable import PipeGateway

@Suite("Reading requests")
struct RequestReaderTests {
  private var reader = RequestReader(limits)

  private mutating func begin(
    _ head: HTTPRequestHead, refusal: Response? = nil, isCrowded: Bool = false
  ) -> Response? {
    let admission = Admission(headers: [("a", "1")], refusal: refusal)
    return reader.begin(
      head, Request(head, client: ""), admission, isCrowded: isCrowded, at: second(7))
  }

  private mutating func append(_ count: Int, hold: (Int) -> Bool = { _ in true }) -> Response? {
    reader.append(ByteBuffer(repeating: 0x61, count: count), hold: hold)
  }

  private mutating func takeContinue() -> Bool { reader.takeContinue() }

  private mutating func end(isLast: Bool = false) throws -> (slot: PipelineSlot, request: Request?)
  {
    let ended = reader.end(isLast: isLast)
    return try #require(ended)
  }

  private let refusal = Response(401)

  @Test("a request ends with the whole body and its length")
  mutating func whole() throws {
    #expect(begin(head(.POST)) == nil)
    #expect(reader.isReading)
    #expect(append(3) == nil)
    #expect(append(97) == nil)
    let (slot, request) = try end()
    #expect(request?.body == [UInt8](repeating: 0x61, count: 100))
    #expect(slot.held == 100)
    #expect(slot.began == second(7))
    #expect(slot.headers.map(\.name) == ["a"])
    #expect(slot.response == nil)
    #expect(!slot.isLast)
    #expect(reader.isIdle)
  }

  @Test("a request starts without the body of the one before")
  mutating func next() throws {
    _ = begin(head(.POST))
    _ = append(3)
    _ = reader.end(isLast: false)
    _ = begin(head(.POST))
    _ = append(1)
    #expect(try end().request?.body.count == 1)
  }

  @Test(
    "a request is refused at its head if the head is malformed or there is no memory for a body")
  mutating func heads() {
    #expect(begin(head(.GET, "a"))?.status == 400)
    #expect(begin(head(.POST), isCrowded: true)?.status == 503)
    #expect(begin(head(.GET, "a"), refusal: refusal, isCrowded: true)?.status == 400)
  }

  @Test("a body over the limit is refused before memory is reserved for it")
  mutating func long() {
    _ = begin(head(.POST))
    _ = append(100)
    var isAsked = false
    let response = append(1) { _ in
      isAsked = true
      return true
    }
    #expect(response?.status == 413)
    #expect(!isAsked)
  }

  @Test("a body for which there is no memory is refused")
  mutating func crowded() {
    _ = begin(head(.POST))
    var counts: [Int] = []
    let response = append(9) { count in
      counts.append(count)
      return false
    }
    #expect(response?.status == 503)
    #expect(counts == [9])
  }

  @Test("a refused request with a short body is read to its end, and the next one can follow")
  mutating func shortRefused() throws {
    #expect(begin(head(.POST), refusal: refusal) == nil)
    #expect(append(1 << 16) { _ in false } == nil)
    let (slot, request) = try end()
    #expect(request == nil)
    #expect(slot.response?.status == 401)
    #expect(slot.response?.headers.map(\.name) == ["a"])
    #expect(slot.held == 0)
    #expect(reader.isIdle)
  }

  @Test("a refused request with a long body is refused before its end")
  mutating func longRefused() {
    #expect(begin(head(.POST), refusal: refusal) == nil)
    #expect(append(1 << 16) == nil)
    #expect(append(1)?.status == 401)
    reader = RequestReader(ConnectionLimits(body: 1 << 20, connections: 1))
    #expect(begin(head(.POST, "/", [("content-length", "65536")]), refusal: refusal) == nil)
    #expect(begin(head(.POST, "/", [("content-length", "65537")]), refusal: refusal) != nil)
    #expect(begin(head(.POST, "/", [("expect", "100-continue")]), refusal: refusal) != nil)
  }

  @Test("100 Continue is owed once, to a client of HTTP/1.1 that has sent none of its body")
  mutating func continues() {
    let expect = [("expect", "100-continue")]
    _ = begin(head(.POST, "/", expect))
    #expect(takeContinue())
    #expect(!takeContinue())
    _ = begin(head(.POST, "/", expect))
    _ = append(1)
    #expect(!takeContinue())
    _ = begin(head(.POST, "/", expect, version: .http1_0))
    #expect(!takeContinue())
    _ = begin(head(.POST))
    #expect(!takeContinue())
    _ = begin(head(.POST, "/", expect))
    _ = reader.end(isLast: false)
    #expect(!takeContinue())
  }

  @Test(
    "the last request of a connection stops its reader",
    arguments: [
      (head(.GET, "/", [("connection", "close")]), false, false),
      (head(.GET, "/", version: .http1_0), false, false), (head(), true, false),
      (head(.GET, "/", [("connection", "Upgrade"), ("upgrade", "h2c")]), false, true),
    ])
  mutating func last(_ head: HTTPRequestHead, _ isStopping: Bool, _ stopsDecoder: Bool) throws {
    _ = begin(head)
    #expect(try end(isLast: isStopping).slot.isLast)
    #expect(reader.isDiscarding)
    #expect(reader.isDecoderStopped == stopsDecoder)
  }

  @Test("a refusal drops the body and discards all further input")
  mutating func refuse() {
    _ = begin(head(.POST, "/a"))
    _ = append(5)
    let (slot, dropped) = reader.refuse(Response(413), at: second(9))
    #expect(dropped == 5)
    #expect(slot.response?.status == 413)
    #expect(slot.response?.headers.map(\.name) == ["a"])
    #expect(slot.head?.uri == "/a")
    #expect(slot.began == second(7))
    #expect(slot.isLast)
    #expect(slot.held == 0)
    #expect(reader.isDiscarding)
    #expect(append(5) { _ in false } == nil)
    #expect(reader.end(isLast: false) == nil)
    #expect(reader.discardInput() == 0)
  }

  @Test("input that is not a request is refused without a head")
  mutating func malformed() {
    let (slot, dropped) = reader.refuse(Response(400), at: second(9))
    #expect(dropped == 0)
    #expect(slot.head == nil)
    #expect(slot.began == second(9))
    #expect(reader.isDiscarding)
  }

  @Test("a refused CONNECT stops the decoder")
  mutating func connect() throws {
    let refusal = try #require(begin(head(.CONNECT, "a:80")))
    _ = reader.refuse(refusal)
    #expect(reader.isDecoderStopped)
  }

  @Test("a body or an end without a head is ignored")
  mutating func nothing() {
    #expect(append(1) { _ in false } == nil)
    #expect(reader.end(isLast: false) == nil)
    #expect(reader.isIdle)
  }

  @Test("blanks after a header value are not part of it")
  func blanks() {
    let trimmed = head(.GET, "/", [("a", "b \t "), ("c", " d"), ("e", "")]).trimmed
    #expect(trimmed.headers.map(\.value) == ["localhost", "b", " d", ""])
  }
}
