import Foundation
import Glibc
import TestSupport
import Testing

/// The contents of stats/ when a consumer starts.
enum RecordingForm: String, CaseIterable, CustomTestStringConvertible {
  case nothing = "of an older queue"
  case log = "with a log"
  /// A log to be closed, two to be folded, a torn file folded from them, seven files that make
  /// eight with it, and a log that was folded long ago.
  case full = "with a log to be closed, and more to be folded"

  var testDescription: String { rawValue }

  /// Waiting items.
  static let waiting = 3

  func command(_ queue: TestQueue, delivering file: String) -> Command {
    queue.consuming("--size", "1").writing(to: file)
  }

  func prepare(_ queue: TestQueue) throws {
    try queue.store(1...8)
    if self == .log { try queue.consumeSome(2) }
    if self == .full { try fill(queue) }
    try queue.consumeSome(8 - RecordingForm.waiting - (try queue.acknowledged()))
    if self == .nothing { try queue.sh("rm -r stats") }
    if self == .full { try queue.padLog() }
  }

  private func fill(_ queue: TestQueue) throws {
    try queue.consumeSome(2)
    try queue.sh("mv stats/log stats/log.1; truncate -s 1M stats/log")
    try queue.waitUntilStatsRest()
    // Closes the log and folds the one before.
    try queue.consumeSome(1)
    guard try queue.names(in: "stats").sorted() == ["1.1-1", "log.1", "log.2"] else {
      throw Failure("not folded: \(try queue.names(in: "stats"))")
    }
    try queue.sh(
      """
      cd stats
      mv log.2 log.9
      cp log.1 log.8
      head -c -30 1.1-1 > 1.8-8
      for n in 2 3 4 5 6 7; do cp 1.1-1 1.$n-$n; done
      """)
    try queue.ageFolded()
  }

  /// The files in stats/ after a complete run of a consumer.
  var names: [String] {
    self == .full
      ? (1...7).map { "1.\($0)-\($0)" } + ["1.8-9", "2.1-9", "log", "log.10", "log.8", "log.9"]
      : ["log"]
  }
}

extension TestQueue {
  func store(_ numbers: ClosedRange<Int>) throws {
    let stored = try enqueue(numbers.map { .record($0) })
    guard stored.receipts.count == numbers.count else { throw Failure("\(stored)") }
  }

  func consumeSome(_ count: Int) throws {
    if count > 0 { try consuming("--size", "1", "-n", "\(count)").mustRun() }
  }

  /// Runs a command line in the queue.
  func sh(_ line: String) throws {
    try Command("env", "-C", path, "sh", "-ec", line).mustRun()
  }

  /// Makes all folded files older than the minute for which their inputs are kept.
  func ageFolded() throws {
    try sh("find stats -name '[1-9]*' -exec touch -d '2 minutes ago' {} +")
  }

  /// Makes the next consumer close the log.
  func padLog() throws { try sh("echo >> stats/log; truncate -s '>1M' stats/log") }

  /// Waits until the closed logs are old enough to be folded: untouched for two seconds.
  func waitUntilStatsRest() throws {
    for name in try names(in: "stats") where name.hasPrefix("log.") {
      try waitUntilUntouched("\(path)/stats/\(name)")
    }
  }
}

/// Copies of a queue whose logs age together.
final class RestingCopies {
  private let original: TestQueue
  private var ready: [TestQueue] = []
  private var made = 0

  init(_ original: TestQueue) { self.original = original }

  func make(_ count: Int) throws {
    for _ in 0..<count {
      made += 1
      let copy = try original.copy(to: "\(original.path).\(made)")
      if FileManager.default.fileExists(atPath: copy.path + "/stats") { try copy.ageFolded() }
      ready.append(copy)
    }
  }

  /// Puts a copy in the place of `queue`; its files keep their times.
  func take(_ queue: TestQueue) throws {
    if ready.isEmpty { try make(1) }
    let copy = ready.removeFirst()
    if FileManager.default.fileExists(atPath: copy.path + "/stats") {
      try copy.waitUntilStatsRest()
    }
    try? FileManager.default.removeItem(atPath: queue.path)
    try FileManager.default.moveItem(atPath: copy.path, toPath: queue.path)
  }
}
