import Foundation
import TestSupport

extension Scratch {
  /// The words of `status` for an entry and for each of its slices.
  func words(_ id: String) throws -> [String] {
    let line = try one("status", id)
    let batches = line["batches"] as? [[String: Any]] ?? []
    return ([line] + batches).map { $0["status"] as? String ?? "none" }
  }

  /// The runs of an entry's items in `explain --json`.
  func runs(_ id: String) throws -> [[String: Any]] {
    try one("explain", "--json", id)["runs"] as? [[String: Any]] ?? []
  }

  /// Range and state of each run, as `1-3 done`.
  func fates(_ id: String) throws -> [String] {
    try runs(id).map { run in
      let (from, to) = (run["from"] as? Int ?? 0, run["to"] as? Int ?? 0)
      return "\(from == to ? "\(from)" : "\(from)-\(to)") \(run["state"] as? String ?? "none")"
    }
  }

  /// The single object that the command prints.
  func one(_ arguments: String...) throws -> [String: Any] {
    let run = try run([Binary.path] + arguments)
    let objects = try run.objects()
    guard objects.count == 1 else { throw Failure("one object was expected: \(run)") }
    return objects[0]
  }
}

extension Scratch {
  /// Waits until a signal that strace(1) injected has stopped its program; `log` is the file of its option -o. The
  /// state of the process cannot tell, because strace stops it at each call.
  func waitUntilStopped(_ log: String) throws {
    try wait(until: { try lines(of: log).contains("--- stopped by SIGSTOP ---") }, "its stop")
  }
}
