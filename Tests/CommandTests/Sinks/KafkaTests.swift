import Foundation
import Glibc
import TestSupport
import Testing

@Suite(
  "examples/sinks/kafka and examples/sources/kafka", .needs("kcat", "jq"),
  .needsModule("confluent_kafka", of: "confluent-kafka"))
struct KafkaTests {
  private let scratch: Scratch
  private let server: KafkaServer
  private let source = [Scratch.example("sources/kafka"), "--reject", "bad", "--once", "jobs"]

  init() throws {
    scratch = try Scratch()
    server = try KafkaServer(scratch)
  }

  @Test("100,000 records pass brokers that hang and clients that are killed, and none is lost")
  func crashes() throws {
    try scratch.store(1...60_000)
    let target = ["PIPE_QUEUE": scratch.path("target")]
    let sink = Scratch.sink("kafka", "--follow --size 500 --stream") + " jobs"
    let consumer = try scratch.start(line: sink, server.environment)
    try wait(until: { try scratch.unsettled() < 55_000 })
    // Meanwhile the source gets what is there, and dies before it can commit.
    let fatal = try scratch.afterEach("enqueue", do: "kill -9 $PPID").merging(target) { $1 }
    let taker = try scratch.start(source, sourceEnvironment(fatal))
    server.pause()
    try scratch.store(60_001...100_000)
    try scratch.waitForClaim()
    consumer.signal(SIGKILL)
    consumer.reap()
    server.resume()
    try wait(until: {
      try run().expect("", errors: nil)
      return try scratch.unsettled() == 0
    })
    // A message that was produced twice has the same key.
    let keys = try scratch.sh(
      "kcat -C -q -e -b $KAFKA_BROKERS -t jobs -f '%k %s\\n' | sort -u | wc -l", server.environment)
    #expect(keys.output == "100000\n", keys.story)
    let produced = try scratch.sh(
      "kcat -C -q -e -b $KAFKA_BROKERS -t jobs -f '%s\\n' | wc -l", server.environment)
    let killed = taker.finish()
    #expect(killed.ending == .killed(SIGKILL), killed.story)
    try take(target).expect("", errors: nil)
    let numbers = try scratch.sh("pipe consume -q target").expect().lines.compactMap { Int($0) }
    #expect("\(numbers.count)\n" == produced.output)
    #expect(Set(numbers) == Set(1...100_000))
  }

  @Test("an item is a message with its own bytes and its receipt as key")
  func message() throws {
    let ids = try scratch.store(#"{"n": 1.50}"#, #"{"ids":[7,8]}"#)
    try run().expect("")
    let messages = try scratch.sh(
      "kcat -C -q -e -b $KAFKA_BROKERS -t jobs -f '%k %s\\n' | sort", server.environment)
    messages.expect("\(ids[0]) {\"n\": 1.50}\n\(ids[1]) 7\n\(ids[1])-2 8\n")
  }

  @Test("only the message of a batch that is too long is buried, with Kafka's words")
  func tooLong() throws {
    let long = "\"\(String(repeating: "x", count: 1_000_000))\""
    let lines = (1...200).map { "\($0)\n" }.joined() + long + "\n" + "201\n"
    try scratch.prepare("enqueue", "--raw", "--quiet", input: lines)
    try run().expect("", errors: nil, status: 1)
    try scratch.sh("pipe dead | jq -r .reason | grep -c 'Broker: Message size too large'")
      .expect("1\n")
    let messages = try scratch.sh(
      "kcat -C -q -e -b $KAFKA_BROKERS -t jobs -f '%s\\n' | wc -l", server.environment)
    messages.expect("201\n")
  }

  @Test("unreachable brokers stop sink and source with 69, no attempt counted")
  func away() throws {
    try scratch.store("1")
    let nobody = ["KAFKA_BROKERS": "127.0.0.1:1", "SINK_WAIT": "1", "SOURCE_WAIT": "1"]
    try run(nobody).expect("", errors: nil, status: 69)
    #expect(try scratch.attempts() == ["1 1"])
    let source = try take(nobody)
    #expect(source.ending == .exited(69), source.story)
  }

  @Test("a message that is not JSON is kept and blocks nothing, and a group gets each message once")
  func poison() throws {
    try publish("1", "poison", "", "2")
    let run = try take().expect("", errors: nil)
    #expect(run.errors.contains("byte 1: expected a value"), run.story)
    try scratch.sh("grep . bad; pipe consume | sort").expect("poison\n1\n2\n")
    try publish("3")
    try take().expect("")
    try scratch.pipe("consume").expect("3\n")
  }

  @Test("a message that the queue has no room for is not committed and comes again")
  func full() throws {
    try scratch.prepare("init", "--max-items", "1")
    try publish("1", "2")
    let run = try take(scratch.impatient())
    #expect(run.ending == .exited(75), run.story)
    try scratch.prepare("init", "--max-items", "10")
    try take().expect("")
    try scratch.expectEach(to: 2)
  }

  private func publish(_ messages: String...) throws {
    let input = messages.map { "k:\($0)\n" }.joined()
    try scratch.sh("kcat -P -K: -b $KAFKA_BROKERS -t jobs", input: input, server.environment)
      .expect("", errors: nil)
  }

  private func run(_ more: [String: String] = [:]) throws -> Run {
    try scratch.sh(
      "pipe consume --size 1000 --stream -- \(Scratch.example("sinks/kafka")) jobs",
      server.environment.merging(more) { $1 })
  }

  private func take(_ more: [String: String] = [:]) throws -> Run {
    try scratch.run(source, sourceEnvironment(more))
  }

  private func sourceEnvironment(_ more: [String: String]) -> [String: String] {
    // How long a group waits for a killed member. With less, librdkafka's mock waits forever.
    let short = ["KAFKA_OPTIONS": "session.timeout.ms=3000,heartbeat.interval.ms=300"]
    return server.environment.merging(short) { $1 }.merging(more) { $1 }
  }
}
