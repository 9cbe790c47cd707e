import Foundation
import Glibc

/// An empty directory, with `pipe` in the PATH and no queue yet. It is removed with the test.
package final class Scratch {
  package enum Place {
    case disk
    /// If possible: for tests that need no disk, or have their own in an image file.
    case memory

    fileprivate var path: String { self == .disk ? Place.temporary : Place.fast }

    private static let temporary: String = {
      let path = URL(fileURLWithPath: NSTemporaryDirectory()).path
      removeLeftovers(in: path)
      return path
    }()

    private static let fast: String = {
      guard access("/dev/shm", W_OK) == 0 else { return temporary }
      removeLeftovers(in: "/dev/shm")
      return "/dev/shm"
    }()
  }

  /// Working directory of commands, and their HOME.
  package let path: String
  private let base: String
  /// The `pipe` in the PATH.
  package let binary: String

  package init(_ place: Place = .disk, binary: String = Binary.path) throws {
    self.binary = binary
    base = "\(place.path)/pipe-test.\(getpid()).\(UUID().uuidString.prefix(8))"
    path = base + "/work"
    for directory in [path, base + "/bin"] {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }
    try FileManager.default.createSymbolicLink(
      atPath: base + "/bin/pipe", withDestinationPath: binary)
  }

  deinit {
    // A test may have removed the permission to look inside.
    chmod(path + "/queue", 0o700)
    try? FileManager.default.removeItem(atPath: base)
  }

  /// The variables of commands: nothing of the test's own but its PATH.
  package var environment: [String: String] {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    return [
      "PATH": "\(base)/bin:\(path):/usr/sbin:/sbin", "HOME": self.path, "LC_ALL": "C",
      "PIPE_QUEUE": self.path + "/queue",
      // A crash must show at once, without a minute of symbol lookup.
      "SWIFT_BACKTRACE": "enable=no",
    ]
  }

  package func path(_ name: String) -> String { "\(path)/\(name)" }

  package func write(_ bytes: [UInt8], to name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
  }

  package func write(_ text: String, to name: String) throws {
    try write(Array(text.utf8), to: name)
  }

  package func read(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path(name))))
  }

  /// Complete lines of a file; none if the file does not exist.
  package func lines(of name: String) throws -> [String] {
    FileManager.default.fileExists(atPath: path(name)) ? completeLines(try read(name)) : []
  }

  /// Mode bits of a file.
  package func mode(_ name: String) -> Int {
    var status = stat()
    return lstat(path(name), &status) == 0 ? Int(status.st_mode) & 0o7777 : -1
  }

  package func names(in name: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path(name)).sorted()
  }
}

/// Removes what a run killed by a signal has left, including its mounts.
private func removeLeftovers(in base: String) {
  for name in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] {
    let pieces = name.split(separator: ".")
    guard pieces.first == "pipe-test", pieces.count > 2, let process = pid_t(pieces[1]),
      kill(process, 0) != 0, errno == ESRCH
    else { continue }
    for place in mountPoints(below: "\(base)/\(name)/") { umount2(place, Int32(MNT_DETACH)) }
    try? FileManager.default.removeItem(atPath: "\(base)/\(name)")
  }
}

private func mountPoints(below prefix: String) -> [String] {
  let mounts = (try? String(contentsOfFile: "/proc/mounts", encoding: .utf8)) ?? ""
  return mounts.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first }
    .map(String.init).filter { $0.hasPrefix(prefix) }
}
