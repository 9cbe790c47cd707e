import Foundation
import TestSupport

/// The output of `pipe stats --json`.
struct Figures {
  let root: [String: Any]

  /// `figures["latency/total/p99.9"]`; nil for `null` and for a missing member.
  subscript(path: String) -> Double? { found(path) as? Double }

  func isNull(_ path: String) -> Bool { found(path) is NSNull }

  /// Items in a state: HIGH, MEDIUM, LOW.
  func items(_ state: String) -> [Int] { priorities("items/\(state)").map { Int($0 ?? -1) } }

  func priorities(_ path: String) -> [Double?] {
    ["HIGH", "MEDIUM", "LOW"].map { self["\(path)/\($0)"] }
  }

  /// Waiting items in each column of the ages.
  func ages(_ priority: String) -> [Int] { found("ages/\(priority)") as? [Int] ?? [] }

  /// Acknowledged and failed items, on which success, latency and counters must agree.
  var settled: [Int] {
    [
      "success/acknowledged", "success/failed", "latency/wait/count", "latency/service/count",
      "latency/total/count", "counters/pipe_acknowledged_items_total",
      "counters/pipe_failed_items_total",
    ].map { Int(self[$0] ?? -1) }
  }

  private func found(_ path: String) -> Any? {
    path.split(separator: "/").reduce(root as Any?) { ($0 as? [String: Any])?[String($1)] }
  }
}

extension Scratch {
  /// Runs `pipe stats --json`.
  func figures(_ options: String...) throws -> Figures {
    let run = try run([Binary.path, "stats", "--json"] + options)
    guard run.ending == .exited(0), run.errors.isEmpty, run.lines.count == 1,
      let root = try run.objects().first
    else { throw Failure("one line of figures was expected: \(run)") }
    return Figures(root: root)
  }
}

/// The value of `settled` after this many items were acknowledged and failed.
func settled(_ acknowledged: Int, failed: Int = 0) -> [Int] {
  [acknowledged, failed, acknowledged, acknowledged, acknowledged, acknowledged, failed]
}

extension String {
  /// The names of the members of a JSON text, in order.
  var members: [String] { matches(of: #/"([^"]*)":/#).map { String($0.1) } }
}
