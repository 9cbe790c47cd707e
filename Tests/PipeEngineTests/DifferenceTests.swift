#if Postgres
  import Foundation
  import TestSupport
  import Testing

  /// `ENGINE_SEED=<number>` runs that schedule alone, `ENGINE_SCHEDULES=<number>` runs that many.
  @Suite("The two engines, side by side", .needsPostgresServer)
  struct DifferenceTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let seed = environment["ENGINE_SEED"].flatMap { UInt64($0) }
    private static let count = environment["ENGINE_SCHEDULES"].flatMap { Int($0) } ?? 200
    /// Shares that run side by side.
    private static let shares = seed == nil ? 2 : 1

    private let scratch: Scratch
    private let server: PostgresServer

    init() throws {
      scratch = try Scratch()
      server = try PostgresServer(scratch)
    }

    @Test(
      "random schedules have the same batches in a directory and in PostgreSQL",
      arguments: 0..<shares)
    func random(share: Int) throws {
      if let seed = Self.seed {
        _ = try run(seed)
        return
      }
      for seed in stride(from: share, to: Self.count, by: Self.shares) {
        guard try run(UInt64(seed)) else { return }
      }
    }

    private func run(_ seed: UInt64) throws -> Bool {
      let schedule = try EngineSchedule(
        seed: seed, scratch.path("."), "postgres://postgres@127.0.0.1:\(server.port)/postgres")
      do {
        try schedule.run()
        try schedule.remove()
        return true
      } catch {
        Issue.record(
          """
          ENGINE_SEED=\(seed): \(error)
          \(schedule.log.joined(separator: "\n"))
          \(schedule.files.joined(separator: "\n"))
          """)
        return false
      }
    }
  }
#endif
