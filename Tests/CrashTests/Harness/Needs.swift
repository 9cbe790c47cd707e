import Foundation
import Glibc
import Testing

/// A requirement of a test. If it is missing, the test is skipped, and a line on stdout says so: a
/// runner that wants all tests looks for `SKIPPED:`.
struct Needs: TestTrait, SuiteTrait {
  let missing: @Sendable () -> String?
  var isRecursive: Bool { true }

  func prepare(for test: Test) async throws {
    guard !test.isSuite, let reason = missing() else { return }
    print("SKIPPED: \(test.displayName ?? test.name): \(reason)")
    try await ConditionTrait.enabled(if: false, Comment(rawValue: reason)).prepare(for: test)
  }
}

extension Trait where Self == Needs {
  static var needsStrace: Needs { Needs { Machine.tracing } }

  /// Requires such file systems in mounted images.
  static func needsDisks(_ kinds: Disk.Kind...) -> Needs {
    Needs {
      kinds.lazy.compactMap { Machine.lacks("mkfs.\($0.rawValue)") }.first ?? Machine.mounting
    }
  }
}

/// Why this machine does not let a test do something; nil if it does.
private enum Machine {
  static let tracing: String? =
    lacks("strace")
    ?? (isFine(Command("strace", "-o", "/dev/null", "true")) ? nil : "strace may not trace here")

  static let mounting: String? = {
    guard getuid() == 0 else { return "not root, so nothing can be mounted" }
    guard let scratch = try? Scratch(), let disk = try? Disk(.ext4, in: scratch, megabytes: 8),
      (try? disk.mount()) != nil
    else { return "no loop device that can be mounted" }
    disk.unmount()
    return nil
  }()

  static func lacks(_ program: String) -> String? {
    let places = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return places.contains { access("\($0)/\(program)", X_OK) == 0 }
      ? nil : "\(program) is not installed"
  }

  private static func isFine(_ command: Command) -> Bool {
    (try? command.run().ending) == .exited(0)
  }
}
