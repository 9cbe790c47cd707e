import Foundation
import TestSupport

/// An error that a system call is made to return.
struct Injection {
  let outcome: String
  /// As in strace(1), with N for the number of the call.
  let when: String

  /// A selection, for commands with many calls.
  static let some = [
    Injection(outcome: "error=ENOSPC", when: "N"), Injection(outcome: "error=EIO", when: "N"),
    Injection(outcome: "error=EDQUOT", when: "N+"),
  ]

  static let all =
    ["ENOSPC", "EDQUOT", "EIO"].flatMap { code in
      ["N", "N+"].map { Injection(outcome: "error=\(code)", when: $0) }
    } + interruptions

  /// The effect of a signal; three in a row at most, since endless interruptions would never end.
  static let interruptions = ["N", "N..N+2"].map { Injection(outcome: "error=EINTR", when: $0) }

  var isInterruption: Bool { outcome == "error=EINTR" }

  func apply(to command: Command, at call: Call) -> Command {
    let last = "\(call.ordinal + 2)"
    let when = when.replacingOccurrences(of: "N+2", with: last)
      .replacingOccurrences(of: "N", with: "\(call.ordinal)")
    return command.failing(call.name, outcome, when: when)
  }
}

extension Call {
  private static let failing: Set = [
    "write", "pwrite64", "fdatasync", "fsync", "renameat2", "openat", "openat2", "ftruncate",
    "flock",
  ]

  /// Whether it can fail in a healthy state, or in place of a call that can: which flock is the Nth
  /// can depend on the other processes.
  var canFail: Bool { Call.failing.contains(name) }
}

/// Documented exit statuses.
let documented: Set<Int32> = [0, 1, 65, 66, 69, 73, 74, 75, 76, 77, 78]
