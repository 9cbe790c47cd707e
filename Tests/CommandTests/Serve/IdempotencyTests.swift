import Foundation
import TestSupport
import Testing

@Suite("Repeated requests")
struct IdempotencyTests {
  private let scratch: Scratch
  private let gateway: Gateway

  init() throws {
    scratch = try Scratch()
    gateway = try Gateway(scratch)
  }

  private func keyed(_ path: String, _ body: String, _ key: String) throws -> Reply {
    try gateway.post(path, body, "Idempotency-Key: \(key)")
  }

  private static let conflict = "this Idempotency-Key was used for a different request"

  private func expectConflict(
    _ path: String, _ body: String, _ key: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let reply = try keyed(path, body, key)
    #expect(reply.status == 422, "\(reply)", sourceLocation: location)
    #expect(try reply.detail() == Self.conflict, sourceLocation: location)
  }

  @Test("a repeated id request gets the same id, even from a restarted gateway")
  func requests() throws {
    let id = try gateway.post("/ingest", #"{"ids":[1,2],"priority":"HIGH"}"#).receipt()
    let again = try gateway.post("/ingest", #"{"priority":"HIGH","ids":[1, 2]}"#)
    #expect(try again.status == 200 && again.receipt() == id)
    for other in [#"{"ids":[2,1],"priority":"HIGH"}"#, #"{"ids":[1,2]}"#, #"{"ids":[1,2,3]}"#] {
      #expect(try gateway.post("/ingest", other).receipt() != id)
    }
    gateway.stop().expect("", errors: nil)
    let next = try Gateway(scratch)
    #expect(try next.post("/ingest", #"{"ids":[1,2],"priority":"HIGH"}"#).receipt() == id)
    #expect(try next.counters()["ingested"] == 4)
  }

  @Test("id requests that repeat at the same time get one id")
  func together() throws {
    let request = Gateway.request("POST", "/ingest", body: #"{"ids":[7]}"#)
    let connection = try Connection(gateway.port)
    connection.send(String(repeating: request, count: 20))
    let ids = try (0..<20).map { _ in try connection.reply().receipt() }
    #expect(Set(ids).count == 1)
    try scratch.pipe("consume").expect("7\n")
  }

  @Test("a repeated record without a key is stored again")
  func records() throws {
    for path in ["/ingest", "/log", "/ingest"] {
      #expect(try gateway.post(path, #"{"a":1}"#).status == 202)
    }
    try scratch.pipe("consume").expect("{\"a\":1}\n{\"a\":1}\n{\"a\":1}\n")
  }

  @Test("a repeated key gets the same id and status, even from a restarted gateway")
  func keys() throws {
    let record = try keyed("/ingest", #"{"a":1}"#, "one")
    let request = try keyed("/ingest", #"{"ids":[1]}"#, "two")
    let log = try keyed("/log", "[1]", "three")
    #expect([record, request, log].map(\.status) == [202, 200, 202])
    func expectSame() throws {
      for (reply, first) in [
        (try keyed("/ingest", #" {"a":1}"# + "\n", "one"), record),
        (try keyed("/ingest", #"{"ids":[ 1 ],"priority":"MEDIUM"}"#, "two"), request),
        (try keyed("/log", "[1]", "three"), log),
      ] { #expect(reply.status == first.status && reply.body == first.body, "\(reply)") }
    }
    try expectSame()
    #expect(try keyed("/ingest", #"{"a":1}"#, "One").receipt() != record.receipt())
    gateway.stop().expect("", errors: nil)
    let next = try Gateway(scratch)
    #expect(
      try next.post("/ingest", #"{"a":1}"#, "Idempotency-Key: one").receipt() == record.receipt())
    try scratch.pipe("consume").expect("{\"a\":1}\n1\n[1]\n{\"a\":1}\n")
  }

  @Test("a key with another body, priority or kind is refused, and counted once")
  func conflicts() throws {
    #expect(try keyed("/ingest", #"{"ids":[1,2]}"#, "k").status == 200)
    try expectConflict("/ingest", #"{"ids":[1,2],"priority":"HIGH"}"#, "k")
    try expectConflict("/ingest", #"{"ids":[2,1]}"#, "k")
    try expectConflict("/ingest", #"{"a":1}"#, "k")
    try expectConflict("/log", "[1,2]", "k")
    #expect(try keyed("/ingest", #"{"priority":"HIGH"}"#, "k").status == 422)
    #expect(try keyed("/log", #"{"priority":"HIGH","a":1}"#, "l").status == 202)
    try expectConflict("/ingest", #"{"priority":"HIGH","a":1}"#, "l")
    #expect(try keyed("/ingest", #"{"ids":[1,2]}"#, "k").status == 200)
    #expect(try gateway.counters() == ["ingested": 2, "failed": 6, "errors": 0])
  }

  @Test("a rejected request does not use up its key")
  func rejected() throws {
    #expect(try keyed("/ingest", "bad", "k").status == 422)
    #expect(try keyed("/ingest", #"{"ids":[]}"#, "k").status == 400)
    #expect(try keyed("/ingest", #"{"a":1}"#, "k").status == 202)
  }

  @Test(
    "a key may be any that a header can hold",
    arguments: [
      #""8e03978e-40d5-43dd-bc93-6894a57f9324""#, #"a\"b'c,d;e=f{}"#, "a  b", "?",
      String(repeating: "k", count: 4095),
    ])
  func oddKeys(key: String) throws {
    let id = try keyed("/ingest", #"{"a":1}"#, key).receipt()
    #expect(try keyed("/ingest", #"{"a":1}"#, key).receipt() == id)
    #expect(try keyed("/ingest", #"{"a":1}"#, key + "x").receipt() != id)
    try expectConflict("/ingest", #"{"a":2}"#, key)
    try scratch.pipe("consume").expect("{\"a\":1}\n{\"a\":1}\n")
  }

  @Test("an empty, long or non-ASCII key is refused, and so is a key for many lines")
  func badKeys() throws {
    let empty = try keyed("/ingest", #"{"a":1}"#, "")
    #expect(try empty.status == 400 && empty.detail() == "Idempotency-Key is empty")
    let connection = try Connection(gateway.port)
    let head = Gateway.request("POST", "/log", ["Content-Length: 1", "Idempotency-Key: x"])
    let parts = head.components(separatedBy: "Key: x")
    connection.send(
      Array(parts[0].utf8) + Array("Key: ".utf8) + [0xff] + Array(parts[1].utf8) + [0x31])
    let odd = try connection.reply()
    let ascii = "Idempotency-Key has characters other than printable ASCII"
    #expect(try odd.status == 400 && odd.detail() == ascii)
    for key in ["käse", "a\tb"] {
      let reply = try keyed("/log", "1", key)
      #expect(try reply.status == 400 && reply.detail() == ascii)
    }
    let long = try keyed("/log", "1", String(repeating: "k", count: 4097))
    #expect(
      try long.status == 400 && long.detail() == "Idempotency-Key is longer than 4096 characters")
    let lines = try gateway.ask(
      "POST", "/ingest", ["Content-Type: application/x-ndjson", "Idempotency-Key: k"], body: "{}")
    #expect(
      try lines.status == 400
        && lines.detail() == "Idempotency-Key is for one entry, not for lines")
    #expect(try gateway.counters() == ["ingested": 0, "failed": 0, "errors": 0])
  }

  @Test("requests with one key on many connections at one instant are one entry")
  func race() throws {
    let connections = try (0..<16).map { _ in try Connection(gateway.port) }
    let request = Gateway.request("POST", "/log", ["Idempotency-Key: k"], body: "5")
    for connection in connections { connection.send(String(request.dropLast())) }
    for connection in connections { connection.send("5") }
    let replies = try connections.map { try $0.reply() }
    #expect(Set(replies.map(\.status)) == [202])
    #expect(Set(try replies.map { try $0.receipt() }).count == 1)
    try scratch.pipe("consume").expect("5\n")
  }
}
