import Foundation
import Glibc
import Testing

@Suite("serve: who looks on", .needs("curl"))
struct ViewerTests {
  @Test("events are for those who have the token")
  func needsToken() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch, "--token-file", try scratch.token())
    let refused = try gateway.get("/events")
    #expect(refused.status == 401 && refused.headers["www-authenticate"] == "Bearer", "\(refused)")
    let event = try Events(scratch, gateway, Scratch.authorization).next()
    #expect(event["can_retry"] as? Bool == true)
  }

  @Test("SIGTERM ends the gateway though somebody looks on, and tells those that it is over")
  func endsAtOnce() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let events = try Events(scratch, gateway)
    let deaf = try Wire(gateway.port, buffer: 4096)
    deaf.send(Gateway.request("GET", "/events"))
    _ = try events.next()
    gateway.stop().expect("", errors: nil)
    // 18 where the answer is cut off.
    events.curl.finish().expect(nil)
  }

  @Test("who looks on without reading keeps nobody waiting, and is let go")
  func dropsWhoNeverReads() throws {
    let scratch = try Scratch()
    // An event longer than the kernel keeps of it.
    try scratch.fillWithDead()
    let gateway = try Gateway(scratch, "--access-log")
    let before = try gateway.sockets()
    let deaf = try (0..<20).map { _ in try Wire(gateway.port, buffer: 4096) }
    for wire in deaf { wire.send(Gateway.request("GET", "/events")) }
    let events = try Events(scratch, gateway)
    let size = try events.next().description.utf8.count
    // Until there is only who reads.
    while try gateway.sockets() > before + 1 { _ = try events.next() }
    for _ in deaf {
      let served = (gateway.child.complaint() ?? "").object
      #expect(served["target"] as? String == "/events")
      // No more than the first few were ever taken for it.
      #expect(served["bytes"] as? Int ?? .max < 5 * size, "\(served)")
    }
  }

  @Test("a hundred can look on, and one more is told to come later")
  func refusesTooMany() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let wires = try (0..<100).map { _ in try Wire(gateway.port) }
    for wire in wires {
      // Without chunks, so that its end is seen in the bytes.
      wire.send("GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n")
      #expect(try wire.head().hasPrefix("HTTP/1.0 200 "))
    }
    let refused = try gateway.get("/events")
    #expect(refused.status == 503 && refused.headers["retry-after"] == "10", "\(refused)")
  }

  @Test("where the queue goes away the events end, and who asks again is told why")
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
  /// How many it has open, and those that it was born with.
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

  /// A file with a token.
  func token() throws -> String {
    try write(Scratch.secret + "\n", to: "token")
    return path("token")
  }

  /// Fifty dead letters, of which there is much to tell.
  func fillWithDead() throws {
    try store(count: 50)
    let reason = String(repeating: "x", count: 1000)
    try sh("pipe batch --size 50 -n 1 --hold 1m | pipe ack --bury --reason \(reason)").expect()
  }
}
