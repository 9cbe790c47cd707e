import NIOCore
import NIOEmbedded
import NIOHTTP1
import Synchronization
import Testing

@testable import PipeGateway

/// A connection without a socket: parts of requests go in, parts of responses come out.
private final class Wire {
  let channel = EmbeddedChannel()
  let connection: Connection
  private let arrived = Arrived()

  init(admit: @escaping @Sendable (Request) -> Admission = { _ in Admission() }) throws {
    let arrived = arrived
    let connections = Connections(
      channel.embeddedEventLoop, limits, record: nil, everySecond: nil, notice: { _ in },
      admit: admit
    ) { requests in arrived.all.withLock { $0 += requests } }
    connection = Connection(connections)
    try channel.pipeline.syncOperations.addHandler(connection)
  }

  /// Requests that handlers have.
  var requests: [PendingRequest] {
    channel.embeddedEventLoop.run()
    return arrived.all.withLock { $0 }
  }

  func send(_ head: HTTPRequestHead, _ body: String = "") throws {
    try channel.writeInbound(HTTPServerRequestPart.head(head))
    if !body.isEmpty {
      try channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(string: body)))
    }
    try channel.writeInbound(HTTPServerRequestPart.end(nil))
  }

  /// What has been sent since the last call: statuses, bodies, and `.` after each response.
  func received() throws -> [String] {
    var found: [String] = []
    while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
      switch part {
      case .head(let head): found.append("\(head.status.code)")
      case .body(.byteBuffer(let body)) where body.readableBytes > 0:
        found.append(String(buffer: body))
      case .body: break
      case .end: found.append(".")
      }
    }
    return found
  }

  var isOpen: Bool {
    channel.embeddedEventLoop.run()
    return channel.isActive
  }

  func connect() throws { try channel.connect(to: SocketAddress(ipAddress: "::1", port: 1)).wait() }

  deinit {
    _ = try? channel.finish(acceptAlreadyClosed: true)
    arrived.all.withLock { $0 = [] }
  }
}

private final class Arrived: Sendable {
  let all = Mutex<[PendingRequest]>([])
}

@Suite("Connections")
struct ConnectionTests {
  private func text(_ text: String) -> Response { Response(200, "text/plain", Array(text.utf8)) }

  @Test("a connection sends responses in the order of its requests, whichever is ready first")
  func order() throws {
    let wire = try Wire()
    try wire.send(head(.POST, "/1"), "a")
    try wire.send(head(.POST, "/2"), "b")
    let requests = wire.requests
    #expect(requests.map(\.request.path) == ["/1", "/2"])
    requests[1].respond(text("second"))
    #expect(try wire.received().isEmpty)
    requests[0].respond(text("first"))
    #expect(try wire.received() == ["200", "first", ".", "200", "second", "."])
  }

  @Test("a connection sends 100 Continue once all earlier requests are answered")
  func continues() throws {
    let wire = try Wire()
    try wire.send(head(.POST, "/1"))
    try wire.channel.writeInbound(
      HTTPServerRequestPart.head(head(.POST, "/2", [("expect", "100-continue")])))
    #expect(try wire.received().isEmpty)
    try #require(wire.requests.first).respond(text("first"))
    #expect(try wire.received() == ["200", "first", ".", "100"])
  }

  @Test("a response to HEAD has no body")
  func heads() throws {
    let wire = try Wire()
    try wire.send(head(.HEAD))
    try #require(wire.requests.first).respond(text("body"))
    #expect(try wire.received() == ["200", "."])
  }

  @Test("a connection releases the memory of a body with its response")
  func memory() throws {
    let wire = try Wire()
    try wire.send(head(.POST), "four")
    #expect(wire.connection.connections.held == 4)
    try #require(wire.requests.first).respond(text(""))
    #expect(wire.connection.connections.held == 0)
  }

  @Test("a connection that closes releases the memory of unanswered bodies")
  func closing() throws {
    let wire = try Wire()
    try wire.send(head(.POST), "four")
    try wire.channel.writeInbound(HTTPServerRequestPart.head(head(.POST)))
    try wire.channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(string: "five!")))
    let connections = wire.connection.connections
    #expect(connections.held == 9)
    _ = try wire.channel.finish()
    #expect(connections.held == 0)
  }

  @Test("a connection answers a late request with 408 and reads no request after it")
  func late() throws {
    let wire = try Wire()
    try wire.connect()
    try wire.channel.writeInbound(HTTPServerRequestPart.head(head(.POST)))
    wire.connection.expire(.distantFuture)
    #expect(try wire.received().first == "408")
    try wire.send(head(.POST), "next")
    #expect(wire.requests.isEmpty)
  }

  @Test("a connection without a request closes when its time is over")
  func idle() throws {
    let wire = try Wire()
    try wire.connect()
    wire.connection.expire(.now())
    #expect(wire.isOpen)
    wire.connection.expire(.distantFuture)
    #expect(!wire.isOpen)
    #expect(try wire.received().isEmpty)
  }

  @Test("a stopping server answers the requests it has and reads no others")
  func stopping() throws {
    let wire = try Wire()
    try wire.connect()
    try wire.send(head(.POST), "one")
    wire.connection.connections.isStopping = true
    wire.connection.stop()
    #expect(wire.isOpen)
    try #require(wire.requests.first).respond(text("first"))
    try wire.send(head(.POST), "two")
    #expect(try wire.received() == ["200", "first", "."])
    #expect(wire.requests.count == 1)
  }

  @Test("a stopping server closes a connection without a request")
  func stoppingIdle() throws {
    let wire = try Wire()
    try wire.connect()
    wire.connection.connections.isStopping = true
    wire.connection.stop()
    #expect(!wire.isOpen)
  }

  @Test("a refused request gets the headers and the status of its admission")
  func refused() throws {
    let wire = try Wire { _ in Admission(refusal: Response(401)) }
    try wire.send(head(.POST), "body")
    try wire.send(head(.POST), "body")
    #expect(try wire.received() == ["401", ".", "401", "."])
    #expect(wire.requests.isEmpty)
    #expect(wire.connection.connections.held == 0)
  }
}
