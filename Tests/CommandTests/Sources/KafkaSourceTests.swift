import Glibc
import TestSupport
import Testing

@Suite(
  "examples/sources/kafka", .needs("kcat"),
  .needsModule("confluent_kafka", of: "confluent-kafka"))
struct KafkaSourceTests {
  private let scratch: Scratch
  private let source = [Scratch.example("sources/kafka"), "--reject", "bad", "jobs"]

  init() throws { scratch = try Scratch() }

  @Test(
    "a wrong setting is named, and the status is 78",
    arguments: [
      ("SOURCE_WAIT", "1m", "SOURCE_WAIT: '1m' is not a number of seconds"),
      ("KAFKA_OPTIONS", "nonsense", "KAFKA_OPTIONS: 'nonsense' is not NAME=VALUE"),
      (
        "KAFKA_OPTIONS", "foo=1",
        "KAFKA_OPTIONS or KAFKA_BROKERS: No such configuration property: \"foo\""
      ),
    ])
  func settings(name: String, value: String, words: String) throws {
    let server = try KafkaServer(scratch)
    try scratch.run(source, server.environment.merging([name: value]) { $1 }).expect(
      "", errors: "kafka: \(words)\n", status: 78)
  }

  @Test("brokers that go away are reported once, and the source still ends at SIGTERM")
  func away() throws {
    var server: KafkaServer? = try KafkaServer(scratch)
    let environment = server?.environment ?? [:]
    try scratch.sh("echo 1 | kcat -P -b $KAFKA_BROKERS -t jobs", environment).expect(
      "", errors: nil)
    let child = try scratch.start(source, environment)
    let reader = try scratch.start("consume", "--follow", "-n", "1")
    #expect(reader.line() == "1")
    server = nil
    var line = child.errorLine()
    while let said = line, said != "kafka: all brokers are unavailable" { line = child.errorLine() }
    #expect(line != nil)
    // The source polls twenty times a second meanwhile.
    let start = uptime()
    try wait(until: { uptime() > start + 0.5 })
    child.signal(SIGTERM)
    let run = child.finish()
    #expect(run.ending == .exited(0), run.story)
    #expect(run.errors.split(separator: "\n").count < 5, run.story)
  }

  @Test("brokers that were never reachable are reported in one line")
  func never() throws {
    let environment = try KafkaServer(scratch).environment
    let nobody = environment.merging(["KAFKA_BROKERS": "127.0.0.1:1", "SOURCE_WAIT": "1"]) { $1 }
    try scratch.run(source, nobody).expect(
      "", errors: "kafka: Failed to get metadata: Local: Broker transport failure\n", status: 69)
  }
}
