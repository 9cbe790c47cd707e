internal import CPipeIO
internal import Glibc
internal import PipeIO

/// Room that a queue takes while there is some, for the day when there is none: draining renames and
/// flushes, and on some file systems these need blocks too. Given up where such a call says that the disk
/// is full, and taken again when it is not.
struct Reserve {
  private let queue: Queue

  init(_ queue: Queue) { self.queue = queue }

  static let fileName = "reserve"

  // Measured on file systems filled to the last block. ext4 and xfs need a block for a directory and some
  // for trees; btrfs wants what the longest of changes could take, 2.9 MB of records for one rename, before
  // it begins.
  private static let size = 1 << 20
  private static let btrfs = (type: 0x9123_683e, size: 2 << 20, records: 256, record: 16_000)

  /// Makes the reserve unless it is there. Until there is much room, what is left is spared for draining.
  func take() {
    queue.root.isSpared = !isTaken()
  }

  // Where it cannot be had at all, as without the permission, nothing is spared for its sake.
  private func isTaken() -> Bool {
    guard queue.root.status(Reserve.fileName) == nil, let system = try? Queue.fileSystem(queue.root)
    else { return true }
    let isTree = Int(system.f_type) & 0xffff_ffff == Reserve.btrfs.type
    let block = Int(system.f_bsize)
    let (free, total) = (Int(system.f_bavail) * block, Int(system.f_blocks) * block)
    let size = min(isTree ? Reserve.btrfs.size : Reserve.size, total / 32)
    // Some file systems in memory have no bound, and say 0.
    if total == 0 { return true }
    guard free > 8 * size else { return false }
    return allocate(size, records: isTree ? Reserve.btrfs.records : 0)
  }

  private func allocate(_ size: Int, records: Int) -> Bool {
    do throws(Fault) {
      let file = try Descriptor.create(Reserve.fileName, in: queue.root, O_WRONLY | O_EXCL)
      if file.allocate(size) {
        _ = file.attach(records, of: Reserve.btrfs.record)
        return true
      }
      try queue.root.remove(Reserve.fileName)
      return false
    } catch {
      return error.kind != .tryLater
    }
  }

  /// Gives it up. Returns whether there was one.
  func release() -> Bool {
    guard queue.root.status(Reserve.fileName) != nil else { return false }
    do throws(Fault) {
      try queue.root.remove(Reserve.fileName)
      // Only then some file systems have the blocks again.
      try queue.root.flushFileSystem()
    } catch { return false }
    return true
  }
}

extension Queue {
  /// From now on the reserve serves what this process does to the queue: to drain it, not to fill it.
  func drainsOnFullDisk() {
    root.relief = { [weak self] in
      guard let self else { return false }
      root.isSpared = true
      return Reserve(self).release()
    }
  }

  /// Takes the reserve again, once it was given up and there is room.
  func renewReserve() {
    if root.isSpared { Reserve(self).take() }
  }
}
