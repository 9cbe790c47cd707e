import Foundation
import Glibc
import TestSupport
import Testing

@Suite(
  "examples/sinks/kafka and brokers that refuse", .needs("jq", "kcat"),
  .needsModule("confluent_kafka", of: "confluent-kafka"))
struct KafkaSinkTests {
  private let scratch: Scratch

  /// A mock broker that refuses three topics, and the first request to produce as if one message
  /// were too long; only the C interface of librdkafka can do that.
  private static let program = """
    import ctypes, sys
    from confluent_kafka import KafkaError
    path = next(line.split()[-1] for line in open("/proc/self/maps") if "librdkafka" in line)
    kafka = ctypes.CDLL(path)
    kafka.rd_kafka_new.restype = kafka.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    kafka.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    words = ctypes.create_string_buffer(512)
    client = ctypes.c_void_p(kafka.rd_kafka_new(0, None, words, 512))
    cluster = ctypes.c_void_p(kafka.rd_kafka_mock_cluster_new(client, 1))
    for topic, error in [
      (b"missing", KafkaError.UNKNOWN_TOPIC_OR_PART), (b"wrong", KafkaError.TOPIC_EXCEPTION),
      (b"forbidden", KafkaError.TOPIC_AUTHORIZATION_FAILED),
    ]:
      kafka.rd_kafka_mock_topic_set_error(cluster, topic, error)
    size = ctypes.c_size_t(1)
    kafka.rd_kafka_mock_push_request_errors(
      cluster, ctypes.c_short(0), size, KafkaError.MSG_SIZE_TOO_LARGE)
    print(kafka.rd_kafka_mock_cluster_bootstraps(cluster).decode(), flush=True)
    sys.stdin.read()
    """

  init() throws { scratch = try Scratch() }

  private func server() throws -> (Child, String) {
    let child = try scratch.start(["python3", "-c", KafkaSinkTests.program], sinkEnvironment)
    return (child, try #require(child.line()))
  }

  private func run(_ topic: String, _ more: [String: String]) throws -> Run {
    try scratch.sh(Scratch.sink("kafka") + " \(topic)", sinkEnvironment.merging(more) { $1 })
  }

  @Test(
    "a topic that is missing, invalid or forbidden stops the consumer with Kafka's words",
    arguments: [
      ("missing", "Broker: Unknown topic or partition", 78), ("wrong", "Broker: Invalid topic", 78),
      ("forbidden", "Broker: Topic authorization failed", 77),
    ])
  func topics(topic: String, words: String, status: Int) throws {
    let (server, brokers) = try server()
    defer { server.signal(SIGKILL) }
    try scratch.store("1")
    let run = try run(
      topic,
      ["KAFKA_BROKERS": brokers, "KAFKA_OPTIONS": "topic.metadata.propagation.max.ms=100"])
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.hasPrefix("kafka: \(topic): \(words)\n"), run.story)
    #expect(run.errors.contains(": exit \(status); "), run.story)
    #expect(try scratch.attempts() == ["1 1"])
  }

  @Test("a topic that is found wrong amid a large batch is reported with the broker's words")
  func amid() throws {
    let (server, brokers) = try server()
    defer { server.signal(SIGKILL) }
    try scratch.store(1...60_000)
    // The producer learns of the topic while it takes the batch, so it refuses the remaining messages itself.
    let run = try scratch.sh(
      Scratch.sink("kafka", "--size 60000 --stream") + " wrong",
      sinkEnvironment.merging(["KAFKA_BROKERS": brokers]) { $1 })
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.hasPrefix("kafka: wrong: Broker: Invalid topic\n"), run.story)
  }

  @Test("a batch that is larger than the producer's own queue is produced in parts")
  func full() throws {
    let (server, brokers) = try server()
    defer { server.signal(SIGKILL) }
    try scratch.store(1...200)
    try run(
      "jobs", ["KAFKA_BROKERS": brokers, "KAFKA_OPTIONS": "queue.buffering.max.messages=10"]
    ).expect("")
    try scratch.sh("kcat -C -q -e -b \(brokers) -t jobs | sort -n | cmp - <(seq 200)").expect("")
  }

  @Test("after a refused request only messages that are refused alone are buried")
  func together() throws {
    let (server, brokers) = try server()
    defer { server.signal(SIGKILL) }
    try scratch.store(1...200)
    try run("jobs", ["KAFKA_BROKERS": brokers]).expect("")
    try scratch.sh("kcat -C -q -e -b \(brokers) -t jobs | sort -n | cmp - <(seq 200)").expect("")
  }

  @Test(
    "settings that librdkafka rejects stop the sink before it takes anything",
    arguments: [
      ("nonsense", "not NAME=VALUE,NAME=VALUE"), ("a=b", "No such configuration property: \"a\""),
      ("batch.size=much", "Invalid value for configuration property \"batch.size\""),
    ])
  func options(options: String, words: String) throws {
    try scratch.store("1")
    let run = try run("jobs", ["KAFKA_OPTIONS": options])
    run.expect("", errors: nil, status: 69)
    #expect(run.errors.hasPrefix("kafka: KAFKA_OPTIONS: \(words)\n"), run.story)
    #expect(run.errors.contains(": exit 78; "), run.story)
    #expect(try scratch.attempts() == ["1 1"])
  }

  @Test("unreachable brokers are reported once, and once more when the sink gives up")
  func noise() throws {
    try scratch.store("1")
    let run = try run("jobs", ["KAFKA_BROKERS": "127.0.0.1:1", "SINK_WAIT": "2"])
    run.expect("", errors: nil, status: 69)
    let lines = run.errors.split(separator: "\n")
    #expect(lines.count == 3, run.story)
    #expect(lines[0].hasSuffix("; trying again for 2 s"), run.story)
    #expect(lines[1].hasPrefix("kafka: ") && lines[1].contains("Connection refused"), run.story)
  }
}
