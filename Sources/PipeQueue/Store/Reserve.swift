internal import CPipeIO
internal import Glibc
internal import PipeIO

/// Room that a queue takes while there is some, for the day when there is none: draining renames and
/// flushes, and on some file systems these need blocks too. Given up where such a call says that the disk
/// is full, and taken again when it is not.
struct Reserve {
  private let root: Directory

  init(_ root: Directory) { self.root = root }

  static let fileName = "reserve"

  // Measured on file systems filled to the last block. ext4 and xfs need a block for a directory and some
  // for trees; btrfs wants what the longest of changes could take, 2.9 MB of records for one rename, before
  // it begins.
  private static let size = 1 << 20
  private static let btrfs = (type: 0x9123_683e, size: 2 << 20, records: 256, record: 16_000)

  /// The largest that it can be.
  static let most = btrfs.size

  /// Bytes that it lacks.
  func missing() throws(Fault) -> Int {
    isThere ? 0 : Reserve.size(on: try Queue.fileSystem(root))
  }

  /// Bytes that are never filled with entries: near the last block a file system refuses even to cut a file,
  /// or to rename the end of a lane.
  func slack() throws(Fault) -> Int { Reserve.size(on: try Queue.fileSystem(root)) / 2 }

  /// Makes the reserve unless it is there. Until there is much room, what is left is spared for draining.
  func take() {
    root.isSpared = !isTaken()
  }

  // A copy, or a power cut, can leave the name without its blocks.
  private var isThere: Bool { (root.status(Reserve.fileName)?.st_blocks ?? 0) > 0 }

  // Where it cannot be had at all, as without the permission, nothing is spared for its sake.
  private func isTaken() -> Bool {
    guard !isThere, let system = try? Queue.fileSystem(root) else { return true }
    let size = Reserve.size(on: system)
    // Some file systems in memory have no bound, and say 0.
    if size == 0 { return true }
    guard Int(system.f_bavail) * Int(system.f_bsize) > 8 * size else { return false }
    return allocate(on: system)
  }

  private static func size(on system: statfs) -> Int {
    min(isTree(system) ? btrfs.size : size, Int(system.f_blocks) * Int(system.f_bsize) / 32)
  }

  private static func isTree(_ system: statfs) -> Bool {
    Int(system.f_type) & 0xffff_ffff == btrfs.type
  }

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

  /// Gives it up. Returns whether there was one.
  func release() -> Bool {
    guard isThere else { return false }
    do throws(Fault) {
      try root.remove(Reserve.fileName)
      // Only then some file systems have the blocks again.
      try root.flushFileSystem()
    } catch { return false }
    return true
  }

  /// Gives it up for one call that makes room and could not be made without.
  func lent(_ call: () throws(Fault) -> Void) throws(Fault) {
    do throws(Fault) { try call() } catch {
      guard [ENOSPC, EDQUOT].contains(error.code), release() else { throw error }
      try call()
      if let system = try? Queue.fileSystem(root) { _ = allocate(on: system) }
    }
  }
}

extension Queue {
  /// From now on the reserve serves what this process does to the queue: to drain it, not to fill it.
  func drainsOnFullDisk() {
    root.relief = { [weak self] in
      guard let self else { return false }
      root.isSpared = true
      return Reserve(root).release()
    }
  }

  /// Takes the reserve again, once it was given up and there is room.
  func renewReserve() {
    if root.isSpared { Reserve(root).take() }
  }
}
