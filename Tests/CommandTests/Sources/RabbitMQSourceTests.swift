import Foundation
import Glibc
import TestSupport
import Testing

@Suite("examples/sources/rabbitmq", .needsRabbitMQ)
struct RabbitMQSourceTests {
  private let scratch: Scratch
  private let server: RabbitMQServer
  private let queue = "source.\(UUID().uuidString.prefix(8))"

  init() throws {
    scratch = try Scratch()
    server = try RabbitMQServer.shared.get()
  }

  @Test("a message is stored byte for byte as soon as it comes, and then acknowledged")
  func stores() throws {
    try publish("'{\"n\": 1.50}'")
    let source = try scratch.start(command(["--reject", "bad"]), server.environment)
    let reader = try scratch.start("consume", "--follow", "-n", "3", "--size", "1")
    #expect(reader.line() == #"{"n": 1.50}"#)
    try publish("'[1,\\r\\n2]'")
    #expect(reader.line() == "[1,  2]")
    try publish("'3'")
    // It acknowledges what it has before it takes the next message.
    #expect(reader.line() == "3")
    source.signal(SIGTERM)
    source.finish().expect("", ending: .killed(SIGTERM))
    #expect(try server.depth(queue) <= 1)
  }

  @Test("a source killed between the receipt and the acknowledgement stores nothing twice")
  func killed() throws {
    try publish("*[str(n) for n in range(1, 501)]")
    let fatal = try scratch.afterEach("enqueue", do: "kill -9 $PPID")
    let run = try once(["--reject", "bad"], fatal)
    #expect(run.ending == .killed(SIGKILL), run.story)
    try wait(until: { try server.depth(queue) == 500 }, "all back in the broker")
    try once(["--reject", "bad"]).expect("")
    #expect(try server.depth(queue) == 0)
    try scratch.expectEach(to: 500)
  }

  @Test("equal messages are stored once if they share an id, and all others are stored")
  func ids() throws {
    try publish("1, 1, 2, 2, 3", id: "None if body == '1' else 'same'")
    try once(["--reject", "bad"]).expect("")
    try scratch.pipe("consume").expect("1\n1\n2\n3\n")
  }

  @Test("a message that is not JSON goes to the dead-letter exchange and blocks nothing")
  func deadLetters() throws {
    try server.ask(
      """
      c.queue_declare('\(queue).dead', durable=True)
      c.queue_declare('\(queue)', durable=True, arguments={'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': '\(queue).dead'})
      """, in: scratch)
    try publish("'1', 'poison', '', '2', '\\ud800'.encode('utf-8', 'surrogatepass'), 'a\\nb'")
    let run = try once(["--dead-letter"]).expect("", errors: nil)
    #expect(run.errors.contains(": byte 1: expected a value"), run.story)
    try scratch.pipe("consume").expect("1\n2\n")
    #expect(try server.depth(queue) == 0)
    try wait(until: { try server.depth(queue + ".dead") == 4 })
  }

  @Test("with --reject a message that is not JSON is kept in a file before it is acknowledged")
  func kept() throws {
    try publish("'1', 'poison', '2'")
    try once(["--reject", "bad"]).expect("", errors: nil)
    try scratch.sh("cat bad; pipe consume").expect("poison\n1\n2\n")
    #expect(try server.depth(queue) == 0)
  }

  @Test("--reject or --dead-letter is required, since the broker might drop rejected messages")
  func nowhere() throws {
    try publish("'1'")
    try once([]).expect(
      "", errors: "rabbitmq: one of the arguments --reject --dead-letter is required; see --help\n",
      status: 64)
    #expect(try server.depth(queue) == 1)
  }

  @Test("messages that the queue has no room for stay in the broker")
  func full() throws {
    try scratch.prepare("init", "--max-items", "1")
    try publish("'1', '2'")
    let run = try once(["--reject", "bad"], scratch.impatient())
    #expect(run.ending == .exited(75), run.story)
    try wait(until: { try server.depth(queue) == 2 }, "all back in the broker")
  }

  @Test("the source exits with 69 if the broker stays away, and with 78 if its queue is missing")
  func away() throws {
    let nobody = ["RABBITMQ_URL": "amqp://127.0.0.1:1/", "SOURCE_WAIT": "0"]
    let away = try once(["--reject", "bad"], nobody)
    away.expect(
      "",
      errors: "rabbitmq: [Errno 111] Connection refused; trying again for 0 s\n"
        + "rabbitmq: [Errno 111] Connection refused\n", status: 69)
    try once(["--reject", "bad"]).expect(
      "", errors: "rabbitmq: NOT_FOUND - no queue '\(queue)' in vhost '/'\n", status: 78)
  }

  @Test("an idle source sleeps, and reacts at once")
  func sleeps() throws {
    try publish("'1'")
    let source = try scratch.start(command(["--reject", "bad"]), server.environment)
    let reader = try scratch.start("consume", "--follow", "-n", "2", "--size", "1")
    #expect(reader.line() == "1")
    try wait(until: { try server.depth(queue) == 0 })
    let (start, before) = (uptime(), try switches(of: source))
    // By a clock: a process that polls every 20 ms has run fifty times by then.
    try wait(until: { uptime() > start + 1 })
    #expect(try switches(of: source) - before < 20)
    try publish("'2'")
    #expect(reader.line() == "2")
    try server.ask("c.queue_delete('\(queue)')", in: scratch)
    source.finish().expect("", errors: "rabbitmq: \(queue): the queue was deleted\n", status: 78)
  }

  @Test(
    "a wrong setting is named, the status is 78, and no password is shown",
    arguments: [
      ("SOURCE_WAIT", "1m", ": '1m' is not a number of seconds"),
      ("RABBITMQ_URL", "127.0.0.1:5672", " is not like amqp://USER:PASSWORD@HOST:5672/%2F"),
      ("RABBITMQ_URL", "http://x", " is not like amqp://USER:PASSWORD@HOST:5672/%2F"),
      ("RABBITMQ_URL", "amqp://me:secret/2@x/", " is not like amqp://USER:PASSWORD@HOST:5672/%2F"),
    ])
  func settings(name: String, value: String, words: String) throws {
    try once(["--reject", "bad"], [name: value]).expect(
      "", errors: "rabbitmq: \(name)\(words)\n", status: 78)
  }

  private func publish(_ bodies: String, id: String = "os.urandom(8).hex()") throws {
    let program = """
      c.queue_declare('\(queue)', durable=True, passive=\(try isThere() ? "True" : "False"))
      c.confirm_delivery()
      for number, body in enumerate([str(b) if isinstance(b, int) else b for b in [\(bodies)]]):
        c.basic_publish('', '\(queue)', body, P(delivery_mode=2, message_id=\(id)))
      """
    try server.ask(program, in: scratch)
  }

  private func isThere() throws -> Bool {
    let program = """
      try: c.queue_declare('\(queue)', passive=True); print('there')
      except pika.exceptions.ChannelClosedByBroker: pass
      """
    return try server.ask(program, in: scratch) == ["there"]
  }

  /// How often a process has gone to sleep.
  private func switches(of child: Child) throws -> Int {
    let line = "grep ^voluntary_ctxt_switches /proc/\(child.process)/status | cut -f 2"
    return Int(try scratch.sh(line).lines.first ?? "") ?? -1
  }

  private func command(_ options: [String]) -> [String] {
    [Scratch.example("sources/rabbitmq")] + options + [queue]
  }

  private func once(_ options: [String], _ more: [String: String] = [:]) throws -> Run {
    try scratch.run(command(["--once"] + options), server.environment.merging(more) { $1 })
  }
}
