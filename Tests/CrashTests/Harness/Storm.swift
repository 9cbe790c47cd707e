import Foundation
import Glibc
import TestSupport

/// Producers and consumers at work on one queue, killed by the dozen. The next step depends on what
/// came out of their pipes, never on a clock.
final class Storm {
  private let queue: TestQueue
  private var random: SplitMix
  private var producers: [Producer] = []
  private var consumers: [Consumer] = []
  private(set) var ledger = Ledger()
  private(set) var kills = 0
  /// Results of processes that were not killed, if their status is not 0.
  private(set) var failures: [Run] = []
  /// How a consumer may end that is too young to handle SIGTERM.
  private var goodbye = Ending.exited(0)
  private var number = 0
  private var waiting = 0

  /// The most entries that may be under way at once.
  private static let backlog = 200

  private final class Producer {
    let child: Child
    var fed: [Entry] = []
    var receipts = 0
    init(_ child: Child) { self.child = child }
  }

  private struct Consumer {
    let child: Child
    let index: Int
    /// The most items that its commands can hold; nil without a command.
    let hold: Int?
  }

  init(_ queue: TestQueue, producers count: Int, consumers: Int, seed: UInt64) throws {
    self.queue = queue
    random = SplitMix(seed: seed)
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    for _ in 0..<count { producers.append(try producer()) }
    for index in 0..<consumers { self.consumers.append(try consumer(index)) }
  }

  private func producer() throws -> Producer {
    Producer(try queue.enqueueing().holdingInput().start())
  }

  private func consumer(_ index: Int) throws -> Consumer {
    guard index % 2 == 0 else {
      return Consumer(child: try queue.consuming("--follow").start(), index: index, hold: nil)
    }
    let size = 1 + index % 3
    let handler = ["--", "sh", "-c", #"tee -a "$DELIVERED/$PIPE_CLAIM""#]
    let options = ["--follow", "--size", "\(size)", "-j", "2"]
    let command = Command([Binary.path, "consume", "-q", queue.path] + options + handler)
      .with("DELIVERED", directory)
    return Consumer(child: try command.start(), index: index, hold: size * 2)
  }

  // The input of commands, one file per claim: two that append to one file would mix their lines.
  private var directory: String { queue.scratch.path("delivered") }

  /// Runs until `limit` processes were killed.
  func rage(kills limit: Int) throws {
    var left = 1
    while kills < limit {
      for index in producers.indices { feed(producers[index]) }
      left -= try listen()
      guard left <= 0 else { continue }
      left = random.number(1...12)
      try strike()
    }
  }

  private func feed(_ producer: Producer) {
    guard producer.receipts == producer.fed.count, waiting < Storm.backlog else { return }
    let burst = (0...random.number(0...7)).map { _ in entry() }
    producer.fed += burst
    waiting += burst.count
    producer.child.feed(burst.text)
  }

  private func entry() -> Entry {
    number += 1
    let lane = random.pick(["HIGH", "MEDIUM", "LOW"])
    return random.number(0...7) == 0
      ? .ids(number, count: random.number(1...7), lane)
      : .record(number, lane, bytes: random.number(0...39) == 0 ? 20_000 : random.number(0...299))
  }

  /// Waits until something happens; returns the number of lines that were printed.
  private func listen() throws -> Int {
    let children = producers.map(\.child) + consumers.map(\.child)
    guard Child.pump(children) else { throw Failure("nothing happens any more") }
    var lines = 0
    for (index, child) in children.enumerated() {
      let count = child.output.linesAtHand().count
      lines += count
      if index < producers.count { producers[index].receipts += count } else { waiting -= count }
      if child.output.isAtEnd { try replace(index) }
    }
    return lines
  }

  private func strike() throws {
    kills += 1
    let index = random.number(0...producers.count + consumers.count - 1)
    if index < producers.count {
      producers[index].child.signal(SIGKILL)
    } else {
      let consumer = consumers[index - producers.count]
      ledger.held += try consumer.hold ?? killExactly(consumer.child)
      consumer.child.signal(SIGKILL)
    }
    try replace(index)
  }

  /// Reads the last output of a process that has ended, and starts another one in its place.
  private func replace(_ index: Int) throws {
    if index < producers.count {
      conclude(producers[index])
      producers[index] = try producer()
    } else {
      let consumer = consumers[index - producers.count]
      conclude(consumer)
      consumers[index - producers.count] = try self.consumer(consumer.index)
    }
  }

  /// Kills a consumer while no process can change now/, and returns how many items it held.
  private func killExactly(_ child: Child) throws -> Int {
    let now = open("\(queue.path)/now", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { close(now) }
    while flock(now, LOCK_SH) != 0 {}
    let slot = slot(of: child.process)
    child.signal(SIGKILL)
    child.reap()
    return try queue.claims().filter { $0.hasSuffix(".\(slot ?? "none")") }
      .reduce(0) { $0 + TestQueue.count($1) }
  }

  // The name in owners/ that it has open.
  private func slot(of process: pid_t) -> String? {
    let directory = "/proc/\(process)/fd"
    let links = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return links.compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)")
    }
    .first { $0.contains("/owners/") }?.split(separator: "/").last.map(String.init)
  }

  private func conclude(_ producer: Producer) {
    let result = producer.child.finish()
    ledger.feed(producer.fed, receipts: result.receipts)
    note(result)
  }

  private func conclude(_ consumer: Consumer) {
    let result = consumer.child.finish()
    if consumer.hold == nil { ledger.deliver(result.lines) }
    note(result)
  }

  private func note(_ result: Run) {
    if ![.exited(0), .killed(SIGKILL), goodbye].contains(result.ending) { failures.append(result) }
  }

  /// Lets all processes that still run end.
  func calm() {
    for producer in producers { conclude(producer) }
    goodbye = .killed(SIGTERM)
    for consumer in consumers { consumer.child.signal(SIGTERM) }
    for consumer in consumers { conclude(consumer) }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] {
      ledger.deliver(queue.lines(of: "\(directory)/\(name)"))
    }
  }
}
