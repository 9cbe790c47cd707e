import Foundation
import Glibc
import Testing

/// A file system in an image file. What its image holds while it is mounted is what a power cut leaves.
final class Disk {
  enum Kind: String, CaseIterable, CustomTestStringConvertible {
    case ext4, btrfs, xfs
    var testDescription: String { rawValue }
    /// About the least that each can be.
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
  /// Where it is, or will be, mounted.
  let path: String
  private var isMounted = false

  /// Makes the file system.
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

  /// A commit interval beyond any test: only what is flushed is there.
  func mount() throws {
    let options = kind == .xfs ? "loop,nouuid" : "loop,commit=600"
    try Command("mount", "-o", options, image, path).mustRun()
    isMounted = true
  }

  func unmount() {
    guard isMounted else { return }
    isMounted = false
    if (try? Command("umount", path).run().ending) == .exited(0) { return }
    _ = try? Command("umount", "-l", path).run()
  }

  /// `body` with the file system mounted, and not any longer.
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
