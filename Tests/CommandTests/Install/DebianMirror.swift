import Foundation
import TestSupport
import Testing

extension Trait where Self == Needs {
  /// Requires the mirror of Debian that apt uses here.
  static var needsMirror: Needs { Needs { DebianMirror.missing } }
}

enum DebianMirror {
  private static let find = """
    . /etc/os-release
    mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list* | head -n 1)
    mirror=${mirror% }
    """

  private static let proxies = ProcessInfo.processInfo.environment.filter {
    $0.key.lowercased().hasSuffix("_proxy")
  }

  static let missing: String? = {
    let line = """
      \(find)
      [ "$ID" = debian ] &&
        curl -sfL -m 20 -o release "${mirror%/}/dists/$VERSION_CODENAME/Release"
      """
    guard let run = try? Scratch().sh(line, proxies), run.ending == .exited(0) else {
      return "no mirror of Debian can be reached (curl)"
    }
    return nil
  }()

  /// Makes a minimal Debian of the release that runs here.
  static func install(in scratch: Scratch, _ directory: String) throws {
    // The mounts end with the namespace, even if the test is killed.
    let line = """
      \(find)
      exec unshare -m \
        debootstrap --variant=minbase "$VERSION_CODENAME" \(directory) "$mirror" > log 2>&1
      """
    let run = try scratch.sh(line, proxies)
    guard run.ending == .exited(0) else {
      throw Failure("debootstrap failed: \(try scratch.sh("tail -n 20 log").output)")
    }
  }
}
