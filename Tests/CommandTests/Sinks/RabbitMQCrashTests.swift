import Foundation
import Glibc
import Testing

@Suite("RabbitMQ, both ways", .needsRabbitMQ)
struct RabbitMQCrashTests {
  private let scratch: Scratch
  private let server: RabbitMQServer
  private let sink: String
  private let source: [String]

  init() throws {
    scratch = try Scratch()
    server = try RabbitMQServer(scratch)
    sink = "pipe consume --size 1000 --stream -- \(Scratch.example("sinks/rabbitmq")) jobs"
    source = [Scratch.example("sources/rabbitmq"), "--reject", "rejected", "jobs"]
  }

  @Test(
    "100,000 records come through a broker that crashes and consumers that are killed, each once")
  func crashes() throws {
    try scratch.sh("seq 100000 | pipe enqueue --raw --quiet").expect("")
    try publish()
    let target = server.environment.merging(["PIPE_QUEUE": scratch.path("target")]) { $1 }
    try take(target)
    try scratch.run(source + ["--once"], target).expect("", errors: nil)
    let numbers = try scratch.sh("pipe consume -q target").expect().lines.compactMap { Int($0) }
    #expect(numbers.count == 100_000)
    #expect(numbers.sorted() == Array(1...100_000))
  }

  private func publish() throws {
    let consumer = try scratch.start(["bash", "-c", "exec \(sink)"], server.environment)
    try wait(until: { try left() < 90_000 })
    server.crash()
    let before = try left()
    try server.start()
    try wait(until: { try left() < before - 10_000 })
    consumer.signal(SIGKILL)
    consumer.reap()
    #expect(try left() > 10_000, "the middle was missed")
    try wait(until: {
      try scratch.sh(sink, server.environment).expect(errors: nil)
      return try left() == 0
    })
  }

  private func take(_ target: [String: String]) throws {
    let first = try scratch.start(source, target)
    try wait(until: { try stored() > 10_000 })
    server.crash()
    let before = try stored()
    try server.start()
    try wait(until: { try stored() > before + 10_000 })
    kill(-first.process, SIGKILL)
    first.reap()
    #expect(try stored() < 95_000, "the middle was missed")
  }

  private func left() throws -> Int { try ready(in: "queue") }

  private func stored() throws -> Int { try ready(in: "target") }

  private func ready(in queue: String) throws -> Int {
    let line =
      "pipe stats -q \(queue) --json 2> /dev/null | jq '[.items | .ready, .claimed | .[]] | add'"
    return Int(try scratch.sh(line).lines.first ?? "") ?? 0
  }
}
