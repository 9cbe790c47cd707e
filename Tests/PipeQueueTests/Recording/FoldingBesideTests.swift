import Foundation
import Synchronization
import Testing

@testable import PipeIO
@testable import PipeQueue
import PipeTime

/// Items that are recorded for certain, and items that are about to be recorded.
private final class Progress: Sendable {
  let begun = Atomic(0)
  let noted = Atomic(0)
  let writers = Atomic(0)
}

@Suite("Concurrent folding")
struct FoldingBesideTests {
  private let scratch: ScratchQueue

  init() throws { scratch = try ScratchQueue() }

  /// Runs each of them in a thread of its own, to the end.
  private func together(_ bodies: (@Sendable () throws -> Void)...) throws {
    let failures = Mutex<[any Error]>([])
    let all = bodies
    DispatchQueue.concurrentPerform(iterations: all.count) { number in
      do { try all[number]() } catch { failures.withLock { $0.append(error) } }
    }
    for error in failures.withLock({ $0 }) { throw error }
  }

  /// Records items one by one, and folds them as if a minute had passed each time.
  private static func work(_ path: String, _ rounds: Int, _ progress: Progress) throws {
    defer { progress.writers.subtract(1, ordering: .sequentiallyConsistent) }
    let queue = try Queue(path: path)
    for round in 0..<rounds {
      progress.begun.add(1, ordering: .sequentiallyConsistent)
      SettleLog(queue).note([.done()], at: 0)
      progress.noted.add(1, ordering: .sequentiallyConsistent)
      if round % 3 == 0 {
        try CompactionPlan(queue, at: Clock.now() + TimeSpan.seconds(61)).run(closing: 1)
      }
    }
  }

  @Test("a reader never counts an item twice, and misses none")
  func reader() throws {
    let progress = Progress()
    progress.writers.store(1, ordering: .sequentiallyConsistent)
    let path = scratch.path
    let wrong = Mutex<[String]>([])
    try together(
      { try FoldingBesideTests.work(path, 1500, progress) },
      {
        let queue = try Queue(path: path)
        var readings = 0
        while progress.writers.load(ordering: .sequentiallyConsistent) > 0 || readings == 0 {
          let least = progress.noted.load(ordering: .sequentiallyConsistent)
          let found = try Tally(queue).done
          let most = progress.begun.load(ordering: .sequentiallyConsistent)
          readings += 1
          if !(least...most ~= found) {
            wrong.withLock { $0.append("\(found) of \(least) to \(most)") }
          }
        }
      })
    #expect(wrong.withLock { $0 } == [])
    #expect(try Tally(scratch.queue).done == 1500)
  }

  @Test("concurrent folders fold everything once")
  func folders() throws {
    let path = scratch.path
    for _ in 0..<9 {
      scratch.note(.done())
      try scratch.fold()
    }
    let fold: @Sendable () throws -> Void = {
      let queue = try Queue(path: path)
      for round: Int64 in 0..<300 {
        try CompactionPlan(queue, at: Clock.now() + TimeSpan.seconds(round * 61)).run(closing: 1)
      }
    }
    try together(fold, fold, fold)
    #expect(try Tally(scratch.queue).done == 9)
    #expect(!scratch.statsNames.contains { $0.hasPrefix("log") }, "\(scratch.statsNames)")
  }

  @Test("lines written to a log that was just closed count")
  func lateWriter() throws {
    let recorder = SettleLog(scratch.queue)
    recorder.note([.done()], at: 0)
    try scratch.fold()
    recorder.note([.done()], at: 999_999)
    #expect(scratch.statsNames == ["log.1"])
    #expect(try Tally(scratch.queue).done == 2)
    recorder.note([.done()], at: 1_000_000)
    #expect(scratch.statsNames == ["log", "log.1"], "after a second it takes the new one")
    try scratch.fold(in: 3, closing: .max)
    try scratch.fold(in: 64, closing: .max)
    #expect(scratch.statsNames == ["1.1-1", "log"])
    #expect(try Tally(scratch.queue).done == 3)
  }
}
