import Foundation
import Glibc
import TestSupport
import Testing

/// systemd as the manager of a user, with no other unit than the worker's. Its mounts, control
/// groups and processes are its own, and go with it.
final class UserManager {
  static let unit = Repository.path + "/examples/worker/pipe-worker@.service"

  private let scratch: Scratch
  private let child: Child

  /// The unit uses the queue, the files and the binary of the test.
  init(_ scratch: Scratch) throws {
    self.scratch = scratch
    // A manager of a user cannot change users. It cannot make mounts read-only here either.
    try scratch.sh(
      """
      mkdir -p units runtime && chmod 700 runtime
      sed -e 's|/usr/local/bin/pipe|\(Binary.path)|' -e 's|/etc/pipe/|\(scratch.path)/|' \
        -e 's|=/var/lib/pipe/.*|=\(scratch.path("queue"))|' \
        -e '/^User=/d' -e '/^Group=/d' -e '/^StateDirectory/d' -e '/^Protect/d' \
        -e 's|^Type=.*|&\\nWorkingDirectory=\(scratch.path)|' \
        '\(UserManager.unit)' > units/pipe-worker@.service
      for name in basic shutdown; do echo '[Unit]' > units/$name.target; done
      """
    ).mustSucceed()
    child = try scratch.start(UserManager.program, variables(of: scratch))
    guard child.line() == "ready" else { throw Failure("systemd did not start: \(child.finish())") }
  }

  private static let program = [
    "unshare", "-m", "-p", "-C", "-f", "--kill-child", "--propagation", "private", "bash", "-c",
    """
    mount -t tmpfs none /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit
    mount -t tmpfs none /run && mkdir -p /run/systemd/system && mount -t proc none /proc || exit
    # systemd moves all processes of its group: none of the others may be in it.
    group=$(mktemp -d /sys/fs/cgroup/pipe-test.XXXXXX) && echo $$ > $group/cgroup.procs || exit
    /lib/systemd/systemd --user --log-target=null --unit=basic.target &
    until systemctl --user is-active --quiet basic.target; do kill -0 $! || exit; done 2> starting
    echo ready
    # systemd listens only to processes of its own namespace.
    while read -r line; do systemctl --user $line; echo "status $?"; done
    kill -KILL $! && wait $!
    echo $$ > /sys/fs/cgroup/cgroup.procs && find $group -depth -type d -exec rmdir {} \\;
    """,
  ]

  /// What systemctl prints with these arguments, and its status.
  @discardableResult
  func systemctl(_ arguments: String) throws -> (output: String, status: String) {
    child.feed(arguments + "\n")
    var output: [String] = []
    while let line = child.line() {
      if line.hasPrefix("status ") { return (output.joined(), String(line.dropFirst(7))) }
      output.append(line)
    }
    throw Failure("systemd has ended: \(child.finish())")
  }

  /// The state of the worker, in systemd's words.
  func state() throws -> String { try systemctl("show -P SubState pipe-worker@jobs").output }

  func stop() throws { try child.finish().mustSucceed() }

  static let missing: String? = {
    if let reason = lacks("systemctl") ?? lacks("unshare") { return reason }
    guard getuid() == 0 else { return "not root" }
    let works = (try? UserManager(Scratch()).stop()) != nil
    return works ? nil : "systemd cannot run here as the manager of a user"
  }()
}

private func variables(of scratch: Scratch) -> [String: String] {
  ["XDG_RUNTIME_DIR": scratch.path("runtime"), "SYSTEMD_UNIT_PATH": scratch.path("units")]
}

extension Trait where Self == Needs {
  /// Requires a systemd that can run in namespaces of its own.
  static var needsUserManager: Needs { Needs { UserManager.missing } }
}
