import Foundation
import Glibc
import TestSupport
import Testing

@Suite("examples/sinks/rabbitmq", .needsRabbitMQ)
struct RabbitMQSinkTests {
  private let scratch: Scratch
  private let server: RabbitMQServer
  private let queue = "sink.\(UUID().uuidString.prefix(8))"

  init() throws {
    scratch = try Scratch()
    server = try RabbitMQServer.shared.get()
  }

  @Test("an item is a persistent message with its own bytes, named by its receipt")
  func message() throws {
    let ids = try scratch.store(#"{"n": 1.50}"#, #"{"ids":[7,8]}"#)
    try run().expect("")
    let lines = try server.ask(
      "for p, body in take('\(queue)'): print(p.message_id, p.delivery_mode, body)", in: scratch)
    #expect(lines == ["\(ids[0]) 2 {\"n\": 1.50}", "\(ids[1]) 2 7", "\(ids[1])-2 2 8"])
    let declared = "c.queue_declare('\(queue)', durable=True); print('durable')"
    #expect(try server.ask(declared, in: scratch) == ["durable"])
  }

  @Test("only the message of a batch that is too long is buried, with the broker's words")
  func tooLong() throws {
    let long = "\"\(String(repeating: "x", count: 100_000))\""
    let lines = (1...500).map { "\($0)\n" }.joined() + long + "\n" + "501\n"
    try scratch.prepare("enqueue", "--raw", "--quiet", input: lines)
    try run().expect("", errors: nil, status: 1)
    try scratch.sh("pipe dead | jq -r .reason").expect(
      "PRECONDITION_FAILED - message size 100002 is larger than configured max size 100000\n")
    // Some may be published twice: the broker closed the channel before it had confirmed all.
    let bodies = try server.ask(
      "for body in {p.message_id: b for p, b in take('\(queue)')}.values(): print(body)",
      in: scratch)
    #expect(bodies.compactMap { Int($0) }.sorted() == Array(1...501))
    // The same with nothing else in the batch.
    try scratch.store(long)
    try run().expect("", errors: nil, status: 1)
  }

  @Test("the sink waits for a full queue, no attempt counted")
  func refused() throws {
    try server.ask(
      "c.queue_declare('\(queue)', durable=True, arguments="
        + "{'x-max-length': 3, 'x-overflow': 'reject-publish'})", in: scratch)
    try scratch.store("1", "2", "3", "4", "5")
    let line = Scratch.sink("rabbitmq") + " \(queue)"
    let sink = try scratch.start(line: line, server.environment)
    #expect(sink.errorLine()?.contains("no room (basic.nack); trying again") == true)
    let take = "for p, body in take('\(queue)'): print(body)"
    // As soon as there is room the others may come, in any order.
    let first = try server.ask(take, in: scratch)
    sink.finish().expect("", errors: nil)
    let all = try first + server.ask(take, in: scratch)
    #expect(Array(all.prefix(3)) == ["1", "2", "3"] && all.sorted() == ["1", "2", "3", "4", "5"])
    try scratch.store("1", "2", "3", "4")
    let full = try run().expect("", errors: nil, status: 69)
    #expect(full.errors.contains("no room (basic.nack)"), full.story)
    #expect(try scratch.attempts().last == "4 1")
  }

  @Test("the broker may confirm messages one by one or many at once")
  func confirms() throws {
    let program = #"for i in range(1, 5001): print(i, 20000 * "0" if i % 7 == 0 else "", sep="")"#
    try scratch.sh("python3 -c '\(program)' | pipe enqueue --raw --quiet").expect("")
    try run().expect("")
    #expect(try server.depth(queue) == 5000)
  }

  @Test("the sink learns the maximum message length once, and publishes nothing twice after that")
  func limit() throws {
    let long = "\"\(String(repeating: "x", count: 100_000))\""
    try scratch.store(long)
    try scratch.sh("pipe batch -n 1 --hold 1h > first").expect("")
    try scratch.prepare("enqueue", "--raw", "--quiet", input: "1\n".repeated(100) + long)
    try scratch.sh("pipe batch -n 1 --size 200 --hold 1h > second").expect("")
    let command = [Scratch.example("sinks/rabbitmq"), queue]
    let sink = try scratch.start(command, server.environment)
    sink.feed(try scratch.read("first"))
    #expect(sink.line()?.contains("larger than configured max size") == true)
    sink.feed(try scratch.read("second"))
    #expect(sink.line()?.contains("larger than configured max size") == true)
    sink.finish().expect(errors: "")
    #expect(try server.depth(queue) == 100)
  }

  @Test("a message that no queue takes stops the sink and is not lost")
  func unroutable() throws {
    try scratch.store("1")
    let run = try run(["RABBITMQ_EXCHANGE": "amq.direct"])
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.contains("312 NO_ROUTE: no queue takes"), run.story)
    #expect(try scratch.attempts() == ["1 1"])
  }

  @Test("when the binding goes away midway, each message is either in the queue or comes again")
  func returned() throws {
    try server.ask(
      "c.exchange_declare('\(queue).x'); c.queue_declare('\(queue)', durable=True); "
        + "c.queue_bind('\(queue)', '\(queue).x', '\(queue)')", in: scratch)
    let program = #"for i in range(20000): print(i, 1000 * "0", sep=".")"#
    try scratch.sh("python3 -c '\(program)' | pipe enqueue --raw --quiet").expect("")
    let line = Scratch.sink("rabbitmq", "--size 20000 --stream") + " \(queue)"
    let more = server.environment.merging(["RABBITMQ_EXCHANGE": "\(queue).x"]) { $1 }
    let sink = try scratch.start(line: line, more)
    try server.ask(
      "while not c.queue_declare('\(queue)', passive=True).method.message_count: pass\n"
        + "c.queue_unbind('\(queue)', '\(queue).x', '\(queue)')", in: scratch)
    let run = sink.finish().expect("", errors: nil, status: 69)
    #expect(run.errors.contains("312 NO_ROUTE: no queue takes"), run.story)
    let left = try scratch.pipe("consume").expect().lines.count
    #expect(left > 0 && left < 20_000)
    try wait(until: { try server.depth(queue) + left == 20_000 })
  }

  @Test(
    "wrong settings stop the sink, no attempt counted",
    arguments: [
      ("transient", [:], "406 PRECONDITION_FAILED - inequivalent arg 'durable'"),
      ("x", ["RABBITMQ_EXCHANGE": "nothing"], "404 NOT_FOUND - no exchange 'nothing'"),
      (
        "x", ["RABBITMQ_URL": "amqp://127.0.0.1:1/"],
        "rabbitmq: 127.0.0.1:1: [Errno 111] Connection refused\n"
      ), ("x", ["RABBITMQ_URL": "http://x"], "RABBITMQ_URL: not an address like amqp://HOST"),
      ("x", ["RABBITMQ_URL": "amqp://x?color=red"], "RABBITMQ_URL: Unknown URL parameter"),
      ("", [:], "rabbitmq: no queue given"),
    ])
  func settings(queue: String, more: [String: String], words: String) throws {
    try server.ask("c.queue_declare('transient', durable=False)", in: scratch)
    try scratch.store("1")
    let run = try run(queue, more)
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.contains(words), run.story)
    #expect(try scratch.attempts() == ["1 1"])
  }

  @Test("a wrong password stops the sink")
  func password() throws {
    try scratch.store("1")
    let address = (server.environment["RABBITMQ_URL"] ?? "").replacing(":guest@", with: ":wrong@")
    let run = try run(["RABBITMQ_URL": address])
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.contains("ACCESS_REFUSED"), run.story)
  }

  private func run(_ more: [String: String] = [:]) throws -> Run { try run(queue, more) }

  private func run(_ queue: String, _ more: [String: String]) throws -> Run {
    // The broker is running, so a longer wait changes nothing.
    try scratch.sh(
      "pipe consume --size 1000 --stream -- \(Scratch.example("sinks/rabbitmq")) \(queue)",
      ["SINK_WAIT": "0"].merging(server.environment) { $1 }.merging(more) { $1 })
  }
}

extension String {
  fileprivate func repeated(_ count: Int) -> String { String(repeating: self, count: count) }
}
