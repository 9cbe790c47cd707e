import Foundation
import Glibc
import TestSupport
import Testing

/// A stand-in, a cluster of librdkafka's own mock brokers: it speaks the protocol, keeps everything
/// in memory, and lasts as long as its process. It ends with the test.
final class KafkaServer {
  private let child: Child
  let environment: [String: String]

  init(_ scratch: Scratch) throws {
    let modules = ProcessInfo.processInfo.environment["PYTHONPATH"] ?? ""
    let program = """
      import confluent_kafka, sys
      cluster = confluent_kafka.Producer({"test.mock.num.brokers": 1, "log_level": 0})
      brokers = cluster.list_topics(timeout=300).brokers.values()
      print(",".join("%s:%d" % (broker.host, broker.port) for broker in brokers), flush=True)
      sys.stdin.read()
      """
    child = try scratch.start(["python3", "-c", program], ["PYTHONPATH": modules])
    guard let brokers = child.line() else { throw Failure("no server: \(child.finish())") }
    environment = [
      "KAFKA_BROKERS": brokers, "PYTHONPATH": modules, "PYTHONDONTWRITEBYTECODE": "1",
    ]
  }

  func pause() { child.signal(SIGSTOP) }

  func resume() { child.signal(SIGCONT) }
}
