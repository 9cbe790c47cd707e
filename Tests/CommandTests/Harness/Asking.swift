import Foundation
import Glibc

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
    let run = try run([Scratch.binary] + arguments)
    let objects = try run.objects()
    guard objects.count == 1 else { throw Failure("one object was expected: \(run)") }
    return objects[0]
  }

  /// Lines of a file; empty if the file does not exist.
  func lines(of name: String) throws -> [String] {
    guard FileManager.default.fileExists(atPath: path(name)) else { return [] }
    let text = String(decoding: try read(name), as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      .dropLast(1)
  }
}

extension Dictionary where Key == String, Value == Any {
  /// The data of a batch line's items, as `[1, 2]`.
  var data: [Int] {
    (self["items"] as? [[String: Any]] ?? []).map { $0["data"] as? Int ?? -1 }
  }
}

extension String {
  /// The line as a JSON object; empty if it is not one.
  var object: [String: Any] {
    (try? JSONSerialization.jsonObject(with: Data(utf8)) as? [String: Any]) ?? [:]
  }
}

/// Seconds by a clock that cannot be set, as in /proc/uptime.
func uptime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_BOOTTIME, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Shell commands that append to `log` when they ran and what they read: `6.25 1 2 3`
let stamp = "read up rest < /proc/uptime; echo $up $(tr '\\n' ' ') >> log"

/// A line that `stamp` wrote.
struct Stamp {
  let time: Double
  let data: String

  init(_ line: String) {
    let words = line.split(separator: " ", maxSplits: 1)
    time = words.first.flatMap { Double($0) } ?? 0
    data = words.count > 1 ? words[1].trimmingCharacters(in: .whitespaces) : ""
  }
}
