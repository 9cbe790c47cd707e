import Foundation
import TestSupport
import Testing

/// The binary that users get: the tests' own build needs the shared libraries of the toolchain.
enum ReleaseBuild {
  /// $PIPE_RELEASE, or where the command of the README leaves it.
  static let path: String = {
    let given = ProcessInfo.processInfo.environment["PIPE_RELEASE"] ?? ""
    return given.isEmpty ? Repository.path + "/.build/release/pipe" : given
  }()

  static let missing: String? = {
    guard let scratch = try? Scratch(),
      let run = try? scratch.sh("test -x '\(path)' && ! ldd '\(path)' > libraries 2>&1"),
      run.ending == .exited(0)
    else { return "\(path) is not a static release build (build it as README.md says)" }
    let versions = try? [path, Binary.path].map { try scratch.run([$0, "--version"]).output }
    return versions?[0] == versions?[1] ? nil : "\(path) is of another version (build it again)"
  }()
}

extension Trait where Self == Needs {
  /// Requires a static release build of this version.
  static var needsRelease: Needs { Needs { ReleaseBuild.missing } }

  static var needsRoot: Needs { Needs { getuid() == 0 ? nil : "not root" } }
}
