import Foundation
import TestSupport
import Testing

/// Clients that are slow, and clients that are many.
@Suite("Slow and many clients")
struct HostileSlowTests {
  /// A client, and the bytes that it still sends one by one.
  private struct Slow {
    let connection: Connection
    var rest: ArraySlice<UInt8>

    init(_ gateway: Gateway, _ start: String, _ rest: String = "") throws {
      connection = try Connection(gateway.port)
      connection.send(start)
      self.rest = Array(rest.utf8)[...]
    }
  }

  private static let head =
    "POST /log HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"

  // Takes half a minute: the limit is the gateway's.
  @Test("a client that is silent or too slow is disconnected, and others are served meanwhile")
  func slow() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let much = String(repeating: "a", count: 1000)
    var silent = [try Slow(gateway, ""), try Slow(gateway, "POST /log", much)]
    silent.append(try Slow(gateway, "POST /log HTTP/1.1\r\nX: y\r\n", much))
    var told = [
      try Slow(gateway, HostileSlowTests.head), try Slow(gateway, HostileSlowTests.head, much),
    ]
    told.append(
      try Slow(gateway, Gateway.request("GET", "/health") + HostileSlowTests.head, much))
    #expect(try told[2].connection.reply().status == 200)
    var second = 0
    try wait(
      until: {
        let now = Int(uptime())
        if now != second {
          second = now
          for index in silent.indices { trickle(&silent[index]) }
          for index in told.indices { trickle(&told[index]) }
          let reply = try gateway.post("/log", "\(now)")
          #expect(reply.status == 202)
        }
        return (silent + told).allSatisfy { $0.connection.isOver }
      }, "the end of slow clients")
    for client in told { #expect(try client.connection.reply().status == 408) }
    for client in silent { #expect(client.connection.rest().isEmpty) }
  }

  private func trickle(_ client: inout Slow) {
    client.connection.look()
    if client.connection.isOver { return }
    if let byte = client.rest.popFirst() { client.connection.send([byte]) }
  }

  @Test(
    "ten thousand idle connections need less than 100 MiB, and other clients are served",
    .needsFiles)
  func idle() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let connections = try (0..<10_000).map { _ in try Connection(gateway.port) }
    let entry = try gateway.post("/log", "1")
    #expect(entry.status == 202)
    #expect(try gateway.memory() < 100 << 20)
    let id = try entry.receipt()
    // Late connections: the gateway closes one that sends nothing for half a minute.
    connections[9998].send(Gateway.request("GET", "/status/\(id)"))
    #expect(try connections[9998].reply().status == 200)
    // The last connection was accepted as well.
    connections[9999].send(Gateway.request("POST", "/log", body: "2"))
    #expect(try connections[9999].reply().status == 202)
    gateway.stop().expect("", errors: nil)
  }

  @Test("a connection over the limit is closed at once and reported, and there is room again later")
  func tooMany() throws {
    let scratch = try Scratch()
    let limit = ["bash", "-c", "ulimit -n 128; exec \"$@\"", "-"]
    let gateway = try Gateway(scratch, under: limit)
    var connections = try (0..<64).map { _ in try Connection(gateway.port) }
    connections[63].send(Gateway.request("GET", "/health"))
    #expect(try connections[63].reply().status == 200)
    let further = try Connection(gateway.port)
    #expect(further.rest().isEmpty && further.isOver)
    let line = gateway.child.errorLine()
    #expect(
      line
        == "pipe serve: connections refused: 1; 64 are open, the most that the limit"
        + " of open files allows (ulimit -n)", "\(line ?? "")")
    connections.removeLast(10)
    try wait(until: {
      let connection = try Connection(gateway.port)
      connection.send(Gateway.request("POST", "/log", body: "1"))
      return (try? connection.reply().status) == 202
    })
    connections[0].send(Gateway.request("GET", "/health"))
    #expect(try connections[0].reply().status == 200)
  }

  @Test("of a thousand large bodies at once, some are refused for now and the others are stored")
  func largeBodies() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let body = "\"" + String(repeating: "a", count: (1 << 20) - 2) + "\""
    let crowd = try Crowd(1000, gateway.port, Gateway.request("POST", "/log", body: body))
    var most = 0
    try crowd.work { most = max(most, try gateway.memory()) }
    let stored = crowd.statuses.count { $0 == 202 }
    #expect(stored > 0 && stored < 1000)
    #expect(crowd.statuses.allSatisfy { $0 == 202 || $0 == 503 })
    #expect(crowd.heads.allSatisfy { $0.contains("HTTP/1.1 202") || $0.contains("retry-after: 1") })
    #expect(most < 512 << 20, "\(most)")
    #expect(try gateway.post("/log", "1").status == 202)
    let listed = try scratch.sh("pipe list | wc -l").expect().lines
    #expect(listed == ["\(stored + 1)"])
  }
}
