import Foundation
import Glibc
import TestSupport
import Testing

/// A file system in an image file. While it is mounted, the image holds what a power cut leaves.
final class Disk {
  enum Kind: String, CaseIterable, CustomTestStringConvertible {
    case ext4, btrfs, xfs
    var testDescription: String { rawValue }
    /// About the minimum size of each.
    var megabytes: Int {
      switch self {
      case .ext4: 64
      case .btrfs: 128
      case .xfs: 300
      }
    }
  }

  let kind: Kind
  let image: String
  /// Its mount point.
  let path: String
  private var isMounted = false

  /// Creates the file system.
  init(_ kind: Kind, in scratch: Scratch, megabytes: Int? = nil, options more: [String] = []) throws
  {
    self.kind = kind
    image = scratch.path("\(kind.rawValue).image")
    path = scratch.path("disk")
    try Command("truncate", "-s", "\(megabytes ?? kind.megabytes)M", image).mustRun()
    // Without -m 0 root never sees a full disk.
    let options = kind == .ext4 ? ["-q", "-m", "0"] : ["-q"]
    try Command(["mkfs.\(kind.rawValue)"] + options + more + [image]).mustRun()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  /// A copy of the image of `other` as it is now. Two of one btrfs cannot be mounted at once.
  init(copying other: Disk, to name: String) throws {
    kind = other.kind
    path = other.path
    image = URL(fileURLWithPath: other.image).deletingLastPathComponent().path + "/" + name
    try Command("cp", "--sparse=always", other.image, image).mustRun()
  }

  /// The commit interval is longer than any test: only flushed data is on the disk.
  func mount() throws {
    let options = kind == .xfs ? "loop,nouuid" : "loop,commit=600"
    try Command("mount", "-o", options, image, path).mustRun()
    isMounted = true
  }

  func unmount() {
    guard isMounted else { return }
    isMounted = false
    if (try? Command("umount", path).run().ending) == .exited(0) { return }
    // A process that another test has just forked may still have a file of it open. The image must be whole: it may
    // be copied next.
    _ = try? Command("sync", "-f", path).run()
    _ = try? Command("umount", "-l", path).run()
  }

  /// Runs `body` with the file system mounted.
  func mounted<Result>(_ body: () throws -> Result) throws -> Result {
    try mount()
    defer { unmount() }
    return try body()
  }

  func discard() {
    unmount()
    unlink(image)
  }

  deinit { unmount() }
}
