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
    try server.ask("c.queue_declare('jobs', durable=True)", in: scratch)
    try interrupted()
    let taker = try scratch.start(source, target)
    try wait(until: {
      try scratch.sh(sink, server.environment).expect(errors: nil)
      return try scratch.unsettled() == 0
    })
    try wait(until: { stored() >= 100_000 }, "the last of 100,000 records")
    taker.signal(SIGTERM)
    taker.finish().expect("", ending: .killed(SIGTERM))
    let numbers = try scratch.sh("pipe consume -q target").expect().lines.compactMap { Int($0) }
    #expect(numbers.count == 100_000)
    #expect(numbers.sorted() == Array(1...100_000))
  }

  /// Sink and source at work at the same time: the broker crashes, and when both go on each is killed.
  private func interrupted() throws {
    let taker = try scratch.start(source, target)
    let giver = try scratch.start(["bash", "-c", "exec \(sink)"], server.environment)
    try wait(until: { stored() > 0 })
    server.crash()
    let (before, already) = (try scratch.unsettled(), stored())
    #expect(before > 20_000, "the middle was missed")
    try server.start()
    try wait(until: { try scratch.unsettled() < before - 10_000 })
    giver.signal(SIGKILL)
    giver.reap()
    #expect(try scratch.unsettled() > 0, "the middle was missed")
    // More than it may have had from the broker before.
    try wait(until: { stored() > already + 2_000 })
    kill(-taker.process, SIGKILL)
    taker.reap()
    #expect(stored() < 100_000, "the middle was missed")
  }

  private var target: [String: String] {
    server.environment.merging(["PIPE_QUEUE": scratch.path("target")]) { $1 }
  }

  // Before the source has stored anything there is no such queue.
  private func stored() -> Int { (try? scratch.unsettled(in: "target")) ?? 0 }
}
