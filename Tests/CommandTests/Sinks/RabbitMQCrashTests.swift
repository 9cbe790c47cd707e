import Foundation
import Glibc
import TestSupport
import Testing

@Suite("RabbitMQ in both directions", .needsRabbitMQ)
struct RabbitMQCrashTests {
  private let scratch: Scratch
  private let server: RabbitMQServer
  private let sink: String
  private let source: [String]

  init() throws {
    scratch = try Scratch()
    server = try RabbitMQServer(scratch)
    sink = "--size 1000 --stream -- \(Scratch.example("sinks/rabbitmq")) jobs"
    source = [Scratch.example("sources/rabbitmq"), "--reject", "rejected", "jobs"]
  }

  @Test("100,000 records pass a broker that crashes and consumers that are killed, each once")
  func crashes() throws {
    try scratch.store(1...40_000)
    try server.ask("c.queue_declare('jobs', durable=True)", in: scratch)
    try server.flush()
    try interrupted()
    let taker = try scratch.start(source, target)
    try wait(until: {
      try scratch.sh("pipe consume \(sink)", server.environment).expect(errors: nil)
      return try scratch.unsettled() == 0
    })
    try wait(for: 100_000, "record", count: stored)
    taker.signal(SIGTERM)
    taker.finish().expect("", ending: .killed(SIGTERM))
    let numbers = try scratch.sh("pipe consume -q target").expect().lines.compactMap { Int($0) }
    #expect(numbers.count == 100_000)
    #expect(numbers.sorted() == Array(1...100_000))
  }

  /// Sink and source run together: the broker crashes, and once both have resumed each is killed.
  private func interrupted() throws {
    let taker = try scratch.start(source, target)
    let giver = try scratch.start(
      line: "pipe consume --follow \(sink)", server.environment.merging(patient) { $1 })
    try wait(until: { stored() > 0 }, "the first")
    try standStill(storing: 40_001...70_000)
    server.crash()
    try server.start()
    // More than it had before it hung.
    try wait(for: 45_001, "record", count: stored)
    kill(-taker.process, SIGKILL)
    taker.reap()
    try standStill(storing: 70_001...100_000)
    giver.signal(SIGKILL)
    giver.reap()
    server.resume()
  }

  /// Pauses the broker while the sink has published messages that it does not confirm.
  private func standStill(storing numbers: ClosedRange<Int>) throws {
    server.pause()
    try scratch.store(numbers)
    try scratch.waitForClaim()
  }

  private var target: [String: String] {
    server.environment.merging(["PIPE_QUEUE": scratch.path("target")]) { $1 }
      .merging(patient) { $1 }
  }

  /// The start of a broker may take minutes on a busy machine.
  private let patient = ["SINK_WAIT": "1800", "SOURCE_WAIT": "1800"]

  // The queue does not exist before the source has stored something.
  private func stored() -> Int { (try? scratch.unsettled(in: "target")) ?? 0 }
}
