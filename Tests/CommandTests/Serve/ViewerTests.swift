import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Event subscribers", .needs("curl"))
struct ViewerTests {
  @Test("events need the token")
  func needsToken() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch, "--token-file", try scratch.token())
    let refused = try gateway.get("/events")
    #expect(refused.status == 401 && refused.headers["www-authenticate"] == "Bearer", "\(refused)")
    let event = try Events(scratch, gateway, Scratch.authorization).next()
    #expect(event["can_retry"] as? Bool == true)
  }

  @Test("SIGTERM ends the gateway despite its subscribers, and ends their streams")
  func endsAtOnce() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let events = try Events(scratch, gateway)
    let deaf = try Connection(gateway.port, buffer: 4096)
    deaf.send(Gateway.request("GET", "/events"))
    _ = try events.next()
    gateway.stop().expect("", errors: nil)
    // 18 if the response is cut off.
    events.curl.finish().expect(nil)
  }

  @Test("a subscriber that does not read delays no other client and is disconnected")
  func dropsWhoNeverReads() throws {
    let scratch = try Scratch()
    // An event longer than the kernel's buffer for it.
    try scratch.fillWithDead()
    let gateway = try Gateway(scratch, "--access-log")
    let before = try gateway.sockets()
    let deaf = try (0..<20).map { _ in try Connection(gateway.port, buffer: 4096) }
    for connection in deaf { connection.send(Gateway.request("GET", "/events")) }
    let events = try Events(scratch, gateway)
    let size = try events.next().description.utf8.count
    // Until only the subscriber that reads is left.
    while try gateway.sockets() > before + 1 { _ = try events.next() }
    for _ in deaf {
      let served = (gateway.child.errorLine() ?? "").object
      #expect(served["target"] as? String == "/events")
      // Only the first few events were taken for it.
      #expect(served["bytes"] as? Int ?? .max < 5 * size, "\(served)")
    }
  }

  @Test("a hundred clients can subscribe, and one more gets 503 with Retry-After")
  func refusesTooMany() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let connections = try (0..<100).map { _ in try Connection(gateway.port) }
    for connection in connections {
      // Without chunks, so that the end of its head shows in the bytes.
      connection.send("GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n")
      #expect(try connection.head().hasPrefix("HTTP/1.0 200 "))
    }
    let refused = try gateway.get("/events")
    #expect(refused.status == 503 && refused.headers["retry-after"] == "10", "\(refused)")
  }

  @Test("events end when the queue is removed, and a later subscriber learns why")
  func endsWithQueue() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let events = try Events(scratch, gateway)
    _ = try events.next()
    try FileManager.default.removeItem(atPath: scratch.path("queue"))
    while let line = events.curl.line() { #expect(line == "" || line.hasPrefix("data: ")) }
    events.curl.finish().expect(nil)
    let refused = try gateway.get("/events")
    #expect(refused.status == 503)
    #expect(try refused.detail().contains("was removed while in use"))
  }
}

extension Gateway {
  /// Number of its open sockets, including those it started with.
  func sockets() throws -> Int {
    let directory = "/proc/\(child.process)/fd"
    return try FileManager.default.contentsOfDirectory(atPath: directory).count { name in
      let target = try? FileManager.default.destinationOfSymbolicLink(
        atPath: "\(directory)/\(name)")
      return target?.hasPrefix("socket:") ?? false
    }
  }
}

extension Scratch {
  static let secret = "correct-horse-battery-staple"
  static let authorization = "Authorization: Bearer \(secret)"

  /// Path of a file with a token.
  func token() throws -> String {
    try write(Scratch.secret + "\n", to: "token")
    return path("token")
  }

  /// Fifty dead letters with long reasons.
  func fillWithDead() throws {
    try store(count: 50)
    let reason = String(repeating: "x", count: 1000)
    try sh("pipe batch --size 50 -n 1 --hold 1m | pipe ack --bury --reason \(reason)").expect()
  }
}
