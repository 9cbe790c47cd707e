internal import CPipeIO
internal import Glibc
internal import PipeIO

/// A slot in owners/ whose lock this process holds. The kernel releases the lock when the last
/// process with the descriptor dies, and its claims are ready again from then on: no timer and no
/// process number is needed.
package final class Owner {
  let slot: Int
  let file: Descriptor

  private init(slot: Int, file: Descriptor) {
    self.slot = slot
    self.file = file
  }

  static func name(_ slot: Int) -> String { String(slot) }

  /// Takes the first free slot.
  static func take(_ queue: Queue) throws(Fault) -> Owner {
    let directory = try queue.part("owners")
    for slot in 0..<1_000_000 {
      // Writable, though a claim writes nothing: only the close of a writable descriptor wakes the
      // processes that watch owners/.
      let file: Descriptor
      do throws(Fault) { file = try Descriptor.create(name(slot), in: directory, O_RDWR) } catch {
        // Not a file, or a slot of another user: skipped.
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
    /// `lock` keeps the slot from being taken again; nil if no process can take it.
    case dead(lock: Descriptor?)
  }

  /// Whether a slot has a holder. Call under the exclusive lock of now/.
  static func holder(of slot: Int, _ queue: Queue) throws(Fault) -> Holder {
    let path = "owners/" + name(slot)
    let file: Descriptor
    do throws(Fault) {
      // Read-only: closing a writable descriptor would wake the watchers, which would check again,
      // without end. A missing slot, as in a copy of a queue, is created: it has no holder.
      file = try Descriptor.create(path, in: queue.root, O_RDONLY)
    } catch {
      if isNoFile(error) { return noFile(path, queue) }
      guard error.kind == .permission else { throw error }
      // Another user's slot: this process cannot know, and those that can will reap.
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

  /// Whether a slot has no holder, for callers that only read. Call under the shared lock of now/,
  /// which keeps reapers out. A slot that cannot be read counts as held.
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

// A claim whose holder is dead is ready as soon as its slot is free, whether or not a consumer has
// renamed the claim (pipe-queue(5), LIVENESS).
extension Queue {
  /// The names of one instant as a consumer would make them now, for commands that report states.
  func reportedNames() throws(Fault) -> [NowName] { try reportedListing().names }

  func reportedListing() throws(Fault) -> NowListing {
    try lockNow(exclusive: false)
    defer { unlockNow() }
    var listing = try listNow()
    listing.names = withoutDeadHolders(listing.names)
    return listing
  }

  private func withoutDeadHolders(_ names: [NowName]) -> [NowName] {
    // An array: few slots hold claims at once.
    var known: [(slot: Int, isDead: Bool)] = []
    return names.map { name in
      guard let slot = name.owner else { return name }
      if let found = known.first(where: { $0.slot == slot }) {
        return found.isDead ? name.reaped : name
      }
      let isDead = Owner.isDead(slot, self)
      known.append((slot, isDead))
      return isDead ? name.reaped : name
    }
  }
}

extension NowName {
  /// The name that a reaper gives a claim: its attempt counted, due at once. A claim with attempt 0
  /// was only on its way to or from later/.
  var reaped: NowName {
    guard case .claim(let batch, let attempt, _) = state else { return self }
    return NowName(
      range,
      attempt > 0 ? .again(batch: batch.handedOut, attempt: attempt, due: .now) : .untried)
  }
}

/// The process that holds the lock of a directory, from proc_locks(5):
/// `process 4711 (pipe enqueue)`.
func lockHolder(_ directory: Directory) -> String {
  var status = stat()
  guard fstat(directory.fd, &status) == 0 else { return "an unknown process" }
  return lockHolder(status) ?? "an unknown process"
}

/// The process that holds the lock of a file; nil if none does.
func lockHolder(_ directory: Directory, _ name: String) -> String? {
  directory.status(name).flatMap { lockHolder($0) }
}

private func lockHolder(_ status: stat) -> String? {
  guard let locks = textOfFile("/proc/locks") else { return nil }
  let device = UInt(status.st_dev)
  // Splits a device number as Linux does, gnu_dev_major(3).
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
    // The kernel records the process that took the lock; one that it started may still hold it.
    return "process \(columns[4])"
      + (words.map { " (\(printable($0)))" } ?? ", or a process that it started")
  }
  return nil
}

private func twoHex(_ number: UInt) -> String {
  let digits = String(number, radix: 16)
  return digits.utf8.count < 2 ? "0" + digits : digits
}
