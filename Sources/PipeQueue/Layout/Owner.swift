internal import Glibc
internal import PipeIO

/// A slot in owners/ whose lock this process holds. The kernel lets go of it when the last process dies
/// that has the descriptor, and by then its claims are ready again: no timer, no process number.
final class Owner {
  let slot: Int
  let file: Descriptor

  private init(slot: Int, file: Descriptor) {
    self.slot = slot
    self.file = file
  }

  static func name(_ slot: Int) -> String { String(slot) }

  /// Takes the first slot that nobody holds.
  static func take(_ queue: Queue) throws(Fault) -> Owner {
    let directory = try queue.part("owners")
    for slot in 0..<1_000_000 {
      // Writable, though nothing is written: only then does closing it wake those who watch owners/.
      let file: Descriptor
      do throws(Fault) { file = try Descriptor.create(name(slot), in: directory, O_RDWR) } catch {
        // Something else of this name: not ours, and not in the way.
        if [ELOOP, EISDIR, ENXIO, EPERM].contains(error.code) { continue }
        throw error
      }
      if try file.tryLock() { return Owner(slot: slot, file: file) }
    }
    throw Fault(.tryLater, "\(printable(directory.path)): all slots are held")
  }

  /// The lock of a slot whose holder is dead; nil while it lives. To be asked under the lock of now/.
  static func lockOfDead(_ slot: Int, _ queue: Queue) throws(Fault) -> Descriptor? {
    // Read-only, or closing it would wake the watchers, who would look again, for ever.
    // Made where it is missing, as in a copy of a queue: nobody holds what is not there.
    let file = try Descriptor.create("owners/" + name(slot), in: queue.root, O_RDONLY)
    return try file.tryLock() ? file : nil
  }
}
