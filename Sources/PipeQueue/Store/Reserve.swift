internal import CPipeIO
internal import Glibc
internal import PipeIO

/// Space that a queue occupies while there is some, for the time when there is none: draining needs
/// renames and flushes, and on some file systems these need blocks too. It is released when such a
/// call reports a full disk, and taken again when there is room.
struct Reserve {
  private let root: Directory

  init(_ root: Directory) { self.root = root }

  static let fileName = "reserve"

  // Measured on file systems filled to the last block. ext4 and xfs need a block for a directory
  // and some for trees. btrfs first reserves what the longest possible change could take: 2.9 MB of
  // records for one rename.
  private static let size = 1 << 20
  private static let btrfs = (size: 2 << 20, records: 256, record: 16_000)

  /// The largest possible reserve.
  static let most = btrfs.size

  /// Bytes missing from the reserve.
  func missing() throws(Fault) -> Int {
    isThere ? 0 : Reserve.size(on: try root.fileSystem())
  }

  /// Bytes that are never filled with entries: near the last block a file system refuses even to
  /// truncate a file or to rename the end of a lane.
  func slack() throws(Fault) -> Int { Reserve.size(on: try root.fileSystem()) / 2 }

  /// Creates the reserve unless it exists. Until there is plenty of room, the rest is for draining.
  func take() {
    root.isSpared = !isTaken()
  }

  // A copy, or a power cut, can leave the name without its blocks.
  private var isThere: Bool { (root.status(Reserve.fileName)?.st_blocks ?? 0) > 0 }

  // If the reserve cannot be created at all, as without permission, nothing is kept for it.
  private func isTaken() -> Bool {
    guard !isThere, let system = try? root.fileSystem() else { return true }
    let size = Reserve.size(on: system)
    // Some file systems in memory have no bound, and report 0.
    if size == 0 { return true }
    guard system.freeBytes > 8 * size else { return false }
    return allocate(on: system)
  }

  private static func size(on system: statfs) -> Int {
    min(isTree(system) ? btrfs.size : size, system.totalBytes / 32)
  }

  private static func isTree(_ system: statfs) -> Bool {
    system.type == FileSystemType.btrfs
  }

  /// No transition: the reserve holds no items
  private func allocate(on system: statfs) -> Bool {
    let records = Reserve.isTree(system) ? Reserve.btrfs.records : 0
    do throws(Fault) {
      let file = try Descriptor.create(Reserve.fileName, in: root, O_WRONLY)
      if file.allocate(Reserve.size(on: system)) {
        _ = file.attach(records, of: Reserve.btrfs.record)
        return true
      }
      try root.remove(Reserve.fileName)
      return false
    } catch {
      return error.kind != .tryLater
    }
  }

  /// Releases the reserve. Returns whether there was one.
  /// No transition: the reserve holds no items
  func release() -> Bool {
    guard isThere else { return false }
    do throws(Fault) {
      try root.removeWithBlocks(Reserve.fileName)
      // Some file systems free the blocks only then.
      try root.flushFileSystem()
    } catch { return false }
    return true
  }

  /// Releases the reserve for one call that makes room and fails without it, then takes it again.
  func withReserveReleased(_ call: () throws(Fault) -> Void) throws(Fault) {
    do throws(Fault) { try call() } catch {
      guard error.isDiskFull, release() else { throw error }
      try call()
      if let system = try? root.fileSystem() { _ = allocate(on: system) }
    }
  }
}

extension Queue {
  /// From now on this process may use the reserve: it drains the queue and does not fill it.
  func drainsOnFullDisk() {
    root.relief = { [weak self] in
      guard let self else { return false }
      root.isSpared = true
      return Reserve(root).release()
    }
  }

  /// Takes the reserve again if it was released and there is room.
  func renewReserve() {
    if root.isSpared { Reserve(root).take() }
  }
}
