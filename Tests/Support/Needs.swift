import Foundation
import Glibc
package import Testing

/// A requirement of a test. If it is missing, the test is skipped, and a line on stdout says so: a
/// runner that wants all tests looks for `SKIPPED:`.
package struct Needs: TestTrait, SuiteTrait {
  private let missing: @Sendable () -> String?
  package var isRecursive: Bool { true }

  /// `missing`: why the test cannot run here; nil if it can.
  package init(_ missing: @escaping @Sendable () -> String?) { self.missing = missing }

  package func prepare(for test: Test) async throws {
    guard !test.isSuite, let reason = missing() else { return }
    // A single write, since other tests print at the same time.
    let line = "SKIPPED: \(test.displayName ?? test.name): \(reason)\n"
    try FileHandle.standardOutput.write(contentsOf: Data(line.utf8))
    try await ConditionTrait.enabled(if: false, Comment(rawValue: reason)).prepare(for: test)
  }
}

extension Trait where Self == Needs {
  package static func needs(_ programs: String...) -> Needs {
    Needs { programs.lazy.compactMap(lacks).first }
  }

  /// Requires an strace that may trace here.
  package static var needsStrace: Needs { Needs { Tracing.missing } }
}

/// Why a program cannot be run; nil if it is installed.
package func lacks(_ program: String) -> String? {
  let path = (ProcessInfo.processInfo.environment["PATH"] ?? "") + ":/usr/sbin:/sbin"
  return location(of: program, in: path) == nil ? "\(program) is not installed" : nil
}

private enum Tracing {
  static let missing: String? =
    lacks("strace")
    ?? ((try? Command("strace", "-o", "/dev/null", "true").run().ending) == .exited(0)
      ? nil : "strace may not trace here")
}
