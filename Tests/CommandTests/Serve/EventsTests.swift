import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Server-sent events", .needs("curl"))
struct EventsTests {
  @Test("an event has what stats --json prints, and the next one has later changes")
  func tellsStats() throws {
    let scratch = try Scratch()
    try scratch.fillWithHistory()
    let gateway = try Gateway(scratch)
    let events = try Events(scratch, gateway)
    let told = try #require(try events.next()["stats"] as? [String: Any])
    let printed = try scratch.one("stats", "--json")
    #expect(Set(told.keys) == Set(printed.keys))
    // Ages depend on the instant.
    for name in printed.keys where name != "oldest_ready_seconds" && name != "ages" {
      #expect(try sorted(told[name]) == sorted(printed[name]), "\(name)")
    }
    try scratch.store(#"{"priority":"LOW","n":1}"#)
    while try events.next().ready("LOW") != 1 {}
  }

  @Test("an event lists the claims in flight, their start and their holder")
  func tellsFlights() throws {
    let scratch = try Scratch()
    let gate = try Gate(scratch)
    try scratch.store("1", #"{"priority":"HIGH","n":1}"#)
    let held = try scratch.one("batch", "--size", "1", "-n", "1", "--hold", "10m")
    let worker = try scratch.start("consume", "--", "sh", "-c", "echo; read go < gate")
    #expect(worker.line() == "")
    let gateway = try Gateway(scratch)
    let flight = try #require(try Events(scratch, gateway).next()["in_flight"] as? [String: Any])
    let claims = try #require(flight["claims"] as? [[String: Any]])
    #expect(flight["more"] as? Int == 0)
    #expect(claims.map { $0["priority"] as? String } == ["HIGH", "MEDIUM"])
    #expect(claims.map { $0["items"] as? Int } == [1, 1])
    #expect(claims.map { $0["attempt"] as? Int } == [1, 1])
    #expect(claims[0]["claim"] as? String == held["claim"] as? String)
    #expect(claims[0]["holder"] is NSNull && claims[0]["until"] is String)
    let holder = claims[1]["holder"] as? String ?? ""
    #expect(holder.hasPrefix("process \(worker.process) ("), "\(holder)")
    #expect(claims[1]["until"] is NSNull && claims[1]["since"] is String)
    gate.letPass()
    worker.finish().expect(errors: nil)
  }

  @Test("an event lists the first 50 dead letters with their reasons, and counts the others")
  func tellsDead() throws {
    let scratch = try Scratch()
    let long = #""\#(String(repeating: "é", count: 150))""#
    try scratch.store(long)
    try scratch.store(count: 59)
    try scratch.sh("pipe consume -j 8 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    let gateway = try Gateway(scratch)
    let dead = try #require(try Events(scratch, gateway).next()["dead"] as? [String: Any])
    let letters = try #require(dead["letters"] as? [[String: Any]])
    let printed = try scratch.pipe("dead").expect().objects()
    #expect(dead["more"] as? Int == 10)
    for name in ["id", "item", "priority", "reason", "died_at"] {
      let expected = printed.prefix(50).map { "\($0[name] ?? "")" }
      #expect(letters.map { "\($0[name] ?? "")" } == expected, "\(name)")
    }
    #expect(letters.allSatisfy { $0["attempts"] as? Int == 1 })
    // A cut after 200 bytes would split a character.
    #expect(letters[0]["data"] as? String == long.prefix(100).description)
    #expect(letters[0]["data_bytes"] as? Int == 302)
  }

  @Test("the minutes of an event add up to what was accepted, done and failed in the last hour")
  func tellsMinutes() throws {
    let scratch = try Scratch()
    try scratch.fillWithHistory()
    let gateway = try Gateway(scratch)
    let event = try Events(scratch, gateway).next()
    let minutes = try #require(event["minutes"] as? [[String: Any]])
    let sum = { (name: String) in minutes.reduce(0) { $0 + ($1[name] as? Int ?? 0) } }
    #expect(minutes.count == 60)
    #expect(["accepted", "acknowledged", "failed", "count"].map(sum) == [12, 6, 3, 6])
    for minute in minutes {
      let isDone = minute["count"] as? Int != 0
      #expect((minute["p50"] is Double) == isDone && (minute["p99"] is Double) == isDone)
    }
  }

  @Test("all subscribers get the same measurement")
  func sharesMeasurement() throws {
    let scratch = try Scratch()
    let gateway = try Gateway(scratch)
    let (one, other) = (try Events(scratch, gateway), try Events(scratch, gateway))
    _ = try (one.next(), other.next())
    let time = try #require(try other.next()["time"] as? String)
    var shown = ""
    while shown < time { shown = try one.next()["time"] as? String ?? "~" }
    #expect(shown == time)
  }
}

/// The object as JSON with sorted keys.
private func sorted(_ object: Any?) throws -> String {
  let data = try JSONSerialization.data(withJSONObject: try #require(object), options: .sortedKeys)
  return String(decoding: data, as: UTF8.self)
}

/// The events of a gateway, read by curl.
final class Events {
  let curl: Child

  init(_ scratch: Scratch, _ gateway: Gateway, _ headers: String...) throws {
    let options = headers.flatMap { ["-H", $0] }
    curl = try scratch.start(["curl", "-sSN", gateway.address + "/events"] + options)
  }

  func next() throws -> [String: Any] {
    guard let line = curl.line(), line.hasPrefix("data: "), curl.line() == "" else {
      throw Failure("no event: \(curl.finish())")
    }
    return String(line.dropFirst(6)).object
  }
}

extension Dictionary where Key == String, Value == Any {
  /// The ready items of a priority in an event.
  func ready(_ priority: String) -> Int? {
    let stats = self["stats"] as? [String: Any]
    let items = stats?["items"] as? [String: Any]
    return (items?["ready"] as? [String: Any])?[priority] as? Int
  }
}

extension Scratch {
  /// Twelve items: six are done, three are dead and three are ready.
  func fillWithHistory() throws {
    try store(#"{"ids":[1,2,3,4,5,6],"priority":"HIGH"}"#)
    try sh("pipe consume --size 4 -- true").expect(errors: nil)
    try store("10", "11", "12")
    try sh("pipe consume -- sh -c 'echo no such customer >&2; exit 65'")
      .expect(errors: nil, status: 1)
    try store("20", "21", #"{"priority":"HIGH","n":1}"#)
  }
}
