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
  /// Starts `pipe` under strace(1), which stops it for the test when it has made the call for the given time (with
  /// `directory`: the call on this path), and waits until it is stopped. The file `calls` lists the call, and those
  /// of `tracing`. The state of the process cannot tell, because strace stops it at each call.
  func startStopped(
    at call: String, in directory: String? = nil, time: Int = 1, tracing: [String] = [],
    _ arguments: String...
  ) throws -> Child {
    try? FileManager.default.removeItem(atPath: path("calls"))
    let calls = ([call] + tracing).joined(separator: ",")
    let child = try start(
      ["strace", "-D", "-y", "-o", path("calls"), "-e", "trace=\(calls)"]
        + ["-e", "inject=\(call):signal=STOP:when=\(time)"]
        + (directory.map { ["-P", path($0)] } ?? []) + [binary] + arguments)
    try wait(until: { try lines(of: "calls").contains("--- stopped by SIGSTOP ---") }, "its stop")
    return child
  }
}
