import Foundation
import TestSupport
import Testing

@Suite("Limits of the gateway")
struct TableLimitTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test("a body of --max-body bytes is stored, and a longer one gets 413")
  func bodies() throws {
    let gateway = try Gateway(scratch, "--max-body", "1KiB")
    func record(_ length: Int) -> String {
      "\"" + String(repeating: "x", count: length - 2) + "\""
    }
    func chunked(_ body: String) throws -> Reply {
      let connection = try Connection(gateway.port)
      connection.send(Gateway.request("POST", "/log", ["Transfer-Encoding: chunked"]))
      for part in [body.prefix(500), body.dropFirst(500)] {
        connection.send(String(part.utf8.count, radix: 16) + "\r\n\(part)\r\n")
      }
      connection.send("0\r\n\r\n")
      return try connection.reply()
    }
    #expect(try gateway.post("/log", record(1024)).status == 202)
    #expect(try chunked(record(1024)).status == 202)
    for reply in [try gateway.post("/log", record(1025)), try chunked(record(1025))] {
      #expect(reply.status == 413, "\(reply)")
      #expect(try reply.detail() == "the body is longer than 1024 bytes")
    }
    #expect(try gateway.counters() == ["ingested": 2, "failed": 0, "errors": 0])
  }

  private func expectFull(
    _ reply: Reply, _ words: String = "the queue is full",
    at location: SourceLocation = #_sourceLocation
  ) throws {
    #expect(reply.status == 503, "\(reply)", sourceLocation: location)
    #expect(try reply.detail().contains(words), "\(reply)", sourceLocation: location)
    #expect(
      Int(reply.headers["retry-after"] ?? "") ?? 0 > 0, "\(reply)", sourceLocation: location)
  }

  @Test("a full queue gets 503 with Retry-After, and entries are stored once it has room")
  func fullQueue() throws {
    try scratch.prepare("init", "--max-items", "3")
    let gateway = try Gateway(scratch)
    let id = try gateway.post("/ingest", #"{"ids":[1,2]}"#).receipt()
    let keyed = try gateway.post("/log", "3", "Idempotency-Key: k").receipt()
    for (path, body) in [("/log", "4"), ("/ingest", #"{"a":4}"#), ("/ingest", #"{"ids":[4]}"#)] {
      try expectFull(try gateway.post(path, body))
    }
    let lines = try gateway.ask(
      "POST", "/ingest", ["Content-Type: application/x-ndjson"], body: "4\nbad\n{\"ids\":[4]}\n")
    try expectFull(lines)
    #expect(try gateway.counters() == ["ingested": 2, "failed": 1, "errors": 5])
    let health = try gateway.get("/health")
    try expectFull(health)
    #expect(try health.object()["status"] as? String == "unhealthy")

    let again = try gateway.post("/ingest", #"{"ids":[1,2]}"#)
    #expect(try again.status == 200 && again.receipt() == id, "an earlier entry needs no room")
    #expect(try gateway.post("/log", "3", "Idempotency-Key: k").receipt() == keyed)
    #expect(try gateway.post("/log", "4", "Idempotency-Key: k").status == 422)
    #expect(try gateway.post("/ingest", "bad").status == 422)
    #expect(try gateway.get("/status/\(id)").status == 200)

    try scratch.pipe("consume").expect("1\n2\n3\n")
    #expect(try gateway.get("/health").status == 200)
    #expect(try gateway.post("/log", "4").status == 202)
    #expect(try gateway.counters() == ["ingested": 3, "failed": 3, "errors": 5])
  }

  @Test("an entry that has room is stored even beside one that has none")
  func besides() throws {
    try scratch.prepare("init", "--max-items", "5")
    let gateway = try Gateway(scratch)
    let id = try gateway.post("/ingest", #"{"ids":[1]}"#).receipt()
    let connection = try Connection(gateway.port)
    let bodies = [
      #"{"ids":[11,12,13,14,15,16]}"#, #"{"ids":[2]}"#, #"{"ids":[1]}"#, #"{"a":1}"#,
      #"{"ids":[21,22,23,24,25,26]}"#, #"{"b":1}"#,
    ]
    connection.send(bodies.map { Gateway.request("POST", "/ingest", body: $0) }.joined())
    let replies = try bodies.map { _ in try connection.reply() }
    #expect(replies.map(\.status) == [503, 200, 200, 202, 503, 202])
    try expectFull(
      replies[0],
      ": the entry is too large for this queue: 6 items, at most 5 allowed (pipe init --max-items)")
    #expect(try replies[2].receipt() == id)
    #expect(try gateway.counters() == ["ingested": 4, "failed": 0, "errors": 2])
    try scratch.pipe("consume").expect(
      "1\n2\n{\"a\":1}\n{\"b\":1}\n", "in the order in which they came")
  }

  @Test("/metrics gives the same figures as pipe stats --prometheus", .needs("promtool"))
  func metrics() throws {
    try scratch.store(#"{"ids":[1,2,3,4],"priority":"HIGH"}"#, "5")
    try scratch.prepare("consume", "-n", "2", "--size", "4", "--", "true")
    let gateway = try Gateway(scratch)
    #expect(try gateway.post("/ingest", "bad").status == 422)
    let reply = try gateway.get("/metrics")
    try scratch.pipe("stats", "--prometheus").expect(reply.body)
    try scratch.sh("promtool check metrics", input: reply.body).expect("")
  }
}
