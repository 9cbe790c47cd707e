import Foundation
import Glibc

/// A directory that is removed with the test.
final class Scratch {
  let path: String

  /// In memory if possible: these tests need no disk, except those that have disks in image files.
  static let base: String = {
    let memory = "/dev/shm"
    let base = access(memory, W_OK) == 0 ? memory : NSTemporaryDirectory()
    removeLeftovers(base)
    return base
  }()

  init() throws {
    path = "\(Scratch.base)/pipe-crash.\(getpid()).\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
  }

  func path(_ name: String) -> String { "\(path)/\(name)" }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  // Removes what a run killed by a signal has left, including its mounts.
  private static func removeLeftovers(_ base: String) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: base)) ?? [] {
      let pieces = name.split(separator: ".")
      guard pieces.first == "pipe-crash", pieces.count > 2, let process = pid_t(pieces[1]),
        kill(process, 0) != 0
      else { continue }
      for place in mountPoints(below: "\(base)/\(name)/") { umount2(place, Int32(MNT_DETACH)) }
      try? FileManager.default.removeItem(atPath: "\(base)/\(name)")
    }
  }

  private static func mountPoints(below prefix: String) -> [String] {
    let mounts = (try? String(contentsOfFile: "/proc/mounts", encoding: .utf8)) ?? ""
    return mounts.split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first }
      .map(String.init).filter { $0.hasPrefix(prefix) }
  }
}

enum Binary {
  /// $PIPE_BINARY, or the binary that the build left beside the tests.
  static let path: String = {
    if let given = ProcessInfo.processInfo.environment["PIPE_BINARY"], !given.isEmpty {
      return given
    }
    let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
    var directory = URL(fileURLWithPath: bundle)
    while directory.path.contains(".xctest") { directory.deleteLastPathComponent() }
    return directory.appendingPathComponent("pipe").path
  }()
}
