import Foundation
import TestSupport
import Testing

/// Entries posted while a paced consumer runs, and their status meanwhile.
@Suite("A gateway with a paced consumer")
struct TimelineTests {
  private let scratch: Scratch
  private let gateway: Gateway

  init() throws {
    scratch = try Scratch()
    gateway = try Gateway(scratch)
  }

  @Test("a later HIGH request is dispatched next, and no status is ever wrong")
  func timeline() throws {
    let gate = try Gate(scratch)
    // Each batch runs until the test lets it pass, and the next one starts only then.
    let handler = stamp + "; read go < gate"
    let consumer = try scratch.start(
      "consume", "--follow", "--size", "3", "--every", "5s", "--", "bash", "-c", handler)
    let start = uptime()
    let medium = try gateway.post("/ingest", #"{"ids":[1,2,3,4,5],"priority":"MEDIUM"}"#).receipt()
    try wait(until: { try stamps().count == 1 }, "the first batch")
    #expect(try words(medium) == ["triggered", "triggered", "yet_to_start"])

    let high = try gateway.post("/ingest", #"{"ids":[6,7,8,9],"priority":"HIGH"}"#).receipt()
    #expect(try words(high) == [String](repeating: "yet_to_start", count: 3))
    gate.letPass()
    try wait(until: { try words(medium)[1] == "completed" }, "the end of the first batch")
    #expect(try words(medium) == ["triggered", "completed", "yet_to_start"])

    try wait(until: { try stamps().count == 2 }, "the second batch")
    #expect(try words(high) == ["triggered", "triggered", "yet_to_start"])
    #expect(try words(medium) == ["triggered", "completed", "yet_to_start"])
    gate.letPass()
    try wait(until: { try stamps().count == 3 }, "the third batch")
    #expect(try words(high) == ["triggered", "completed", "triggered"])
    #expect(try words(medium) == ["triggered", "completed", "triggered"])
    gate.letPass()
    try wait(until: { try words(high)[0] == "completed" }, "the end of HIGH")
    try wait(until: { try words(medium)[0] == "completed" }, "the end of MEDIUM")
    #expect(try words(high) + words(medium) == [String](repeating: "completed", count: 6))

    #expect(try stamps().map(\.data) == ["1 2 3", "6 7 8", "9 4 5"])
    for (turn, stamp) in try stamps().enumerated() {
      #expect(stamp.time >= start + 5 * Double(turn) - 0.01, "turn \(turn): \(stamp)")
    }
    consumer.signal(SIGTERM)
    consumer.finish().expect("")
  }

  @Test("the status of an entry never steps back while many consumers work")
  func forward() throws {
    let consumers = try (0..<3).map { _ in
      try scratch.start("consume", "--follow", "--size", "2", "--", "cat")
    }
    let bodies = (0..<20).map { #"{"ids":[\#($0 * 5 + 1),\#($0 * 5 + 2),\#($0 * 5 + 3),7,8]}"# }
    let ids = try bodies.map { try gateway.post("/ingest", $0).receipt() }
    let order = ["yet_to_start", "triggered", "completed"]
    for id in ids {
      var last = [0, 0, 0]
      try wait(
        until: {
          let now = try words(id).map { try #require(order.firstIndex(of: $0)) }
          for (old, new) in zip(last, now) { #expect(new >= old, "\(id)") }
          #expect(now[0] == (Set(now.dropFirst()).count == 1 ? now[1] : 1), "\(now)")
          last = now
          return now[0] == 2
        }, "the end of \(id)")
    }
    for consumer in consumers {
      consumer.signal(SIGTERM)
      consumer.finish().expect(nil)
    }
  }

  private func stamps() throws -> [Stamp] { try scratch.lines(of: "log").map(Stamp.init) }

  /// The status of an entry and of each of its slices over HTTP.
  private func words(_ id: String) throws -> [String] {
    let reply = try gateway.get("/status/\(id)")
    #expect(reply.status == 200, "\(reply)")
    let status = try reply.object()
    let batches = status["batches"] as? [[String: Any]] ?? []
    return ([status] + batches).map { $0["status"] as? String ?? "none" }
  }
}
