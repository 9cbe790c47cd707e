import Foundation
import Glibc
import TestSupport
import Testing

extension Trait where Self == Needs {
  /// Requires a Python module; `package` is its name on PyPI.
  static func needsModule(_ module: String, of package: String) -> Needs {
    Needs {
      lacks("python3")
        ?? (imports(module) ? nil : "\(package) is not installed (a package of Python)")
    }
  }

  /// Requires a `faketime` that can set the clock of the `pipe` beside the tests.
  static var needsFakeTime: Needs {
    Needs { lacks("faketime") ?? (FakeTime.works ? nil : "faketime cannot set the clock of pipe") }
  }

  /// Requires that this process, and another at the same time, may open over ten thousand files.
  static var needsFiles: Needs {
    Needs {
      var limit = rlimit()
      let which = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
      getrlimit(which, &limit)
      limit.rlim_cur = min(limit.rlim_max, 1 << 16)
      setrlimit(which, &limit)
      return limit.rlim_cur >= 12_000 ? nil : "only \(limit.rlim_cur) files may be open (ulimit -n)"
    }
  }

  /// Requires that file permissions apply to the programs of a test; see `Unprivileged`.
  static var needsPermissions: Needs {
    Needs { Unprivileged.works ? nil : "root cannot lay down its capabilities here (setpriv)" }
  }
}

extension Trait where Self == Needs {
  /// Requires that this process is root and can run `pipe` as another user.
  static var needsUsers: Needs {
    Needs { Users.works ? nil : "not root, or other users cannot run this pipe (setpriv)" }
  }
}

/// User ids without an account on the system.
enum Users {
  static let (ann, bob, eve) = (54_321, 54_322, 54_323)
  /// Ann and Bob are members.
  static let group = 54_330

  /// Prefix that runs a shell line as this user.
  static func prefix(_ user: Int, group: Int? = nil) -> String {
    "setpriv --reuid \(user) --regid \(group ?? user) --clear-groups"
  }

  static let works: Bool = {
    guard getuid() == 0, let scratch = try? Scratch() else { return false }
    return (try? scratch.sh("\(prefix(ann)) pipe --version").ending) == .exited(0)
  }()
}

func imports(_ module: String) -> Bool {
  let path = ProcessInfo.processInfo.environment["PYTHONPATH"] ?? ""
  let program = ["python3", "-c", "import \(module)"]
  return (try? Scratch().run(program, ["PYTHONPATH": path]).ending) == .exited(0)
}

/// Root may open any file; without its capabilities it is like any other user.
enum Unprivileged {
  static let prefix =
    getuid() == 0 ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"] : []

  static let works: Bool = {
    guard let scratch = try? Scratch() else { return false }
    let line = "mkdir -m 0 closed; exec \(prefix.joined(separator: " ")) ls closed"
    return (try? scratch.sh(line).ending) != .exited(0)
      && (try? scratch.run(prefix + ["true"]).ending) == .exited(0)
  }()
}

private enum FakeTime {
  static let works: Bool = {
    guard let scratch = try? Scratch(binary: Binary.besideTests),
      (try? scratch.prepare("init")) != nil
    else { return false }
    let line = "faketime '2001-01-01 12:00:00' pipe stats | grep -q 'at 2001-01-01'"
    return (try? scratch.sh(line).ending) == .exited(0)
  }()
}
