import Foundation
import Testing

@testable import PipeIO
@testable import PipeQueue

/// `PIPE_SEED=<number>` runs that schedule alone, `PIPE_SCHEDULES=<number>` runs that many.
@Suite("The scheduler")
struct SchedulerTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let seed = environment["PIPE_SEED"].flatMap { UInt64($0) }
  private static let count = environment["PIPE_SCHEDULES"].flatMap { Int($0) } ?? 10_000
  /// Shares that run side by side.
  private static let shares = seed == nil ? 4 : 1

  @Test(
    "the scheduler does what a simple model of it does in 10,000 random schedules",
    arguments: 0..<shares)
  func model(share: Int) throws {
    let shared = "/dev/shm"
    let isThere = FileManager.default.isWritableFile(atPath: shared)
    let directory =
      (isThere ? shared : NSTemporaryDirectory()) + "/pipe-model.\(getpid()).\(share)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    if let seed = Self.seed {
      try run(seed, directory)
      return
    }
    for number in stride(from: share, to: Self.count, by: Self.shares) {
      guard try run(UInt64(number), directory) else { return }
    }
  }

  @discardableResult
  private func run(_ seed: UInt64, _ directory: String) throws -> Bool {
    let schedule = try Schedule(seed: seed, in: directory)
    do {
      try schedule.run()
      return true
    } catch {
      Issue.record(
        """
        PIPE_SEED=\(seed): \(error)
        \(schedule.log.joined(separator: "\n"))
        """)
      return false
    }
  }
}
