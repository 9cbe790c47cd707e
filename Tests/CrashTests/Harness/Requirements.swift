import Glibc
import TestSupport
import Testing

extension Trait where Self == Needs {
  /// Requires such file systems in mounted images.
  static func needsDisks(_ kinds: Disk.Kind...) -> Needs {
    Needs { kinds.lazy.compactMap { lacks("mkfs.\($0.rawValue)") }.first ?? Mounting.missing }
  }
}

/// Why this machine lets a test mount nothing; nil if it does.
private enum Mounting {
  static let missing: String? = {
    guard getuid() == 0 else { return "not root, so nothing can be mounted" }
    guard let scratch = try? Scratch(.memory),
      let disk = try? Disk(.ext4, in: scratch, megabytes: 8), (try? disk.mount()) != nil
    else { return "no loop device that can be mounted" }
    disk.unmount()
    return nil
  }()
}
