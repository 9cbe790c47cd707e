import Foundation

@testable import PipeIO
@testable import PipeQueue
import PipeTime

extension ScratchQueue {
  func stats(_ name: String) -> String { "\(path)/stats/\(name)" }

  var statsNames: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path + "/stats")) ?? []).sorted()
  }

  /// Records like a consumer that has just started.
  func note(_ lines: SettledLine...) { note(lines) }

  func note(_ lines: [SettledLine]) { SettleLog(queue).note(lines, at: 0) }

  /// Closes the log and folds those closed before, as if `seconds` from now.
  func fold(in seconds: Int64 = 0, closing size: Int = 1) throws {
    try CompactionPlan(queue, at: Clock.now() + TimeSpan.seconds(seconds)).run(closing: size)
  }

  func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: stats(name))))
  }

  func write(_ bytes: some Sequence<UInt8>, to name: String) throws {
    try FileManager.default.createDirectory(
      atPath: path + "/stats", withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: stats(name)))
  }
}
