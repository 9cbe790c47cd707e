internal import CPipeIO
internal import Glibc
internal import PipeIO

/// A slot in owners/ whose lock this process holds. The kernel lets go of it when the last process dies
/// that has the descriptor, and by then its claims are ready again: no timer, no process number.
package final class Owner {
  let slot: Int
  let file: Descriptor

  private init(slot: Int, file: Descriptor) {
    self.slot = slot
    self.file = file
  }

  static func name(_ slot: Int) -> String { String(slot) }

  /// Takes the first slot that is free.
  static func take(_ queue: Queue) throws(Fault) -> Owner {
    let directory = try queue.part("owners")
    for slot in 0..<1_000_000 {
      // Writable, though nothing is written: only then does closing it wake those who watch owners/.
      let file: Descriptor
      do throws(Fault) { file = try Descriptor.create(name(slot), in: directory, O_RDWR) } catch {
        // Something else of this name, or a slot of another user: not ours, and not in the way.
        if isNoFile(error) || directory.has(name(slot)) { continue }
        throw error
      }
      if try file.isRegular(), try file.tryLock() { return Owner(slot: slot, file: file) }
    }
    throw Fault(.tryLater, "\(printable(directory.path)): all slots are in use")
  }

  // A directory, a link or a socket.
  private static func isNoFile(_ error: Fault) -> Bool {
    [EISDIR, ELOOP, ENXIO].contains(error.code)
  }

  enum Holder {
    case alive
    /// `lock`: keeps the slot from being taken again; nil where no process can take it.
    case dead(lock: Descriptor?)
  }

  /// Whether a slot has a holder. To be asked under the exclusive lock of now/.
  static func holder(of slot: Int, _ queue: Queue) throws(Fault) -> Holder {
    let path = "owners/" + name(slot)
    let file: Descriptor
    do throws(Fault) {
      // Read-only, or closing it would wake the watchers, who would look again, for ever.
      // Made where it is missing, as in a copy of a queue: nobody holds what is not there.
      file = try Descriptor.create(path, in: queue.root, O_RDONLY)
    } catch {
      if isNoFile(error) { return noFile(path, queue) }
      guard error.kind == .permission else { throw error }
      // Another user's: this process cannot know, and those that can will reap.
      return .alive
    }
    guard try file.isRegular() else { return noFile(path, queue) }
    return try file.tryLock() ? .dead(lock: file) : .alive
  }

  private static func noFile(_ path: String, _ queue: Queue) -> Holder {
    queue.note(
      "\(printable(queue.path))/\(path): is not a file, so no process can hold it;"
        + " items claimed there are ready again (remove it)")
    return .dead(lock: nil)
  }

  /// Whether a slot has no holder, for those that only look. To be asked under the shared lock of now/,
  /// which keeps reapers away; where the slot cannot be read it counts as held.
  static func isDead(_ slot: Int, _ queue: Queue) -> Bool {
    let path = "owners/" + name(slot)
    do throws(Fault) {
      guard let file = try Descriptor.open(path, in: queue.root, O_RDONLY) else { return true }
      guard try file.isRegular() else { return true }
      return try file.tryLock(exclusive: false)
    } catch {
      return isNoFile(error)
    }
  }
}

// A claim whose holder is dead is ready from the moment its slot is free, whether or not a consumer has
// been there to give it another name (pipe-queue(5), LIVENESS).
extension Queue {
  /// The names of one instant as a consumer that came now would make them, for those that report states.
  func reportedNames() throws(Fault) -> [NowName] {
    try lockNow(exclusive: false)
    defer { unlockNow() }
    return withoutDeadHolders(try listNow().names)
  }

  private func withoutDeadHolders(_ names: [NowName]) -> [NowName] {
    var isDead: [Int: Bool] = [:]
    return names.map { name in
      guard let slot = name.owner else { return name }
      let dead = isDead[slot] ?? Owner.isDead(slot, self)
      isDead[slot] = dead
      return dead ? name.reaped : name
    }
  }
}

extension NowName {
  /// What a reaper makes of a claim: its attempt counted, due at once. One that was claimed without an
  /// attempt was only on its way to later/ or from there.
  var reaped: NowName {
    guard case .claim(let batch, let attempt, _) = state else { return self }
    return NowName(
      range, attempt > 0 ? .again(batch: batch, attempt: attempt, due: .now) : .untried)
  }
}

/// Who holds the lock of a directory, as proc_locks(5) tells: `process 4711 (pipe enqueue)`.
func lockHolder(_ directory: Directory) -> String {
  var status = stat()
  guard fstat(directory.number, &status) == 0 else { return "an unknown process" }
  return lockHolder(status) ?? "an unknown process"
}

/// The same of a file; nil where nobody holds it.
func lockHolder(_ directory: Directory, _ name: String) -> String? {
  directory.status(name).flatMap { lockHolder($0) }
}

private func lockHolder(_ status: stat) -> String? {
  guard let locks = textOfFile("/proc/locks") else { return nil }
  let device = UInt(status.st_dev)
  // Linux's own split of a device number, gnu_dev_major(3).
  let major = (device >> 8) & 0xfff | (device >> 32) & ~0xfff
  let minor = device & 0xff | (device >> 12) & ~0xff
  let file = "\(twoHex(major)):\(twoHex(minor)):\(status.st_ino)"
  // 1: FLOCK  ADVISORY  WRITE 4711 fe:01:131 0 EOF
  for line in locks.split(separator: "\n") {
    let columns = line.split(separator: " ", omittingEmptySubsequences: true)
    guard columns.count >= 6, columns[1] == "FLOCK",
      columns[5] == file
    else { continue }
    let words = textOfFile("/proc/\(columns[4])/cmdline")?.split(separator: "\0").joined(
      separator: " ")
    // The kernel remembers who took it; what that one has started may hold it still.
    return "process \(columns[4])"
      + (words.map { " (\(printable($0)))" } ?? ", or a process that it started")
  }
  return nil
}

private func twoHex(_ number: UInt) -> String {
  let digits = String(number, radix: 16)
  return digits.utf8.count < 2 ? "0" + digits : digits
}
