import Foundation

extension Child {
  /// Waits until it sleeps in poll(2): ppoll is call 271 on x86-64 and 73 on 64-bit Arm.
  package func waitUntilIdle() throws {
    try wait(
      until: {
        ["271", "73"].contains(try read("syscall").split(separator: " ").first)
      }, "its rest")
  }

  package func waitUntilStopped() throws {
    try wait(until: { try state() == "T" }, "its stop")
  }

  /// Waits until it is stopped, also by a tracer, or has ended. Returns whether it is stopped.
  package func waitUntilStoppedOrEnded() throws -> Bool {
    try wait(until: { try "TtZ".contains(state()) }, "its stop")
    return try state() != "Z"
  }

  /// Waits until it waits in flock(2), which is call 73 on x86-64 and 32 on 64-bit Arm, or has ended.
  package func waitUntilLockedOrEnded() throws {
    try wait(
      until: {
        try state() == "Z"
          || ["73", "32"].contains(try read("syscall").split(separator: " ").first)
      }, "its wait for a lock")
  }

  private func state() throws -> Substring {
    try read("stat").split(separator: " ").dropFirst(2).first ?? ""
  }

  /// Waits until it watches a queue.
  package func waitUntilWatching() throws {
    let directory = "/proc/\(process)/fd"
    try wait(
      until: {
        try FileManager.default.contentsOfDirectory(atPath: directory).contains {
          (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/\($0)"))
            == "anon_inode:inotify"
        }
      }, "a look at the queue")
  }

  /// Waits until it has taken a signal that was sent to it.
  package func waitUntilTaken(_ number: Int32) throws {
    try wait(
      until: {
        let line = try read("status").split(separator: "\n").first { $0.hasPrefix("ShdPnd:") }
        let pending = line.flatMap { UInt64($0.dropFirst(8), radix: 16) }
        return pending.map { $0 & 1 << UInt64(number - 1) == 0 } ?? false
      }, "a look at the signal")
  }

  private func read(_ name: String) throws -> String {
    try String(contentsOfFile: "/proc/\(process)/\(name)", encoding: .utf8)
  }
}
