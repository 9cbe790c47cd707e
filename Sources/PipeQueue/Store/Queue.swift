internal import CPipeIO
internal import Glibc
package import PipeIO
internal import PipeTime

/// An open queue: its directory, its settings, and the directories that every command uses.
package final class Queue {
  /// Whether this process created it.
  package internal(set) var isNew = false
  package let path: String
  package internal(set) var settings: Settings
  /// Whether names of an older format count, as in a queue that this process may not upgrade.
  var isOlder: Bool { settings.isOlder }
  let root: Directory
  let end: Directory
  /// The seal of each end that is written in this directory.
  let seal: UInt32
  /// Opened when it is first needed; storing an entry does not need it.
  private var openedNow: Directory?
  /// Reports what a person should know and no caller can act on, such as a skipped damaged line.
  package let report: (String) -> Void
  private var notes: [String] = []
  private var openedWith: (system: statfs, time: SteadyInstant)
  /// Whether the failure of a watch was reported.
  var isWatchReported = false

  /// Opens an existing queue. Another process may change anything in it at any time.
  package init(
    path: String, force: Bool = false, report: @escaping (String) -> Void = { _ in }
  ) throws(Fault) {
    guard let root = try Queue.directory(path) else {
      throw Fault(
        .notFound, "\(printable(path)): no such queue; pipe init or pipe enqueue creates one")
    }
    let system = try root.fileSystem()
    if !force { try Queue.refuseRemote(root, system) }
    guard let settings = try Queue.currentSettings(root, report) else {
      throw Fault(
        .notFound,
        "\(printable(path)): is a directory but not a queue;"
          + " pipe init makes a queue of an empty one")
    }
    self.path = path
    self.root = root
    self.report = report
    self.settings = settings
    openedWith = (system, Clock.steady())
    end = try Queue.part("end", of: root, report)
    seal = end.birthmark
  }

  /// Opens a queue for a look that must not change it: nothing is created, repaired or upgraded, and
  /// nothing is reported. nil if this is no queue, or one whose parts are missing.
  package init?(lookingAt path: String) throws(Fault) {
    guard let root = try Directory.open(path), let found = try Settings.read(root),
      let end = try Directory.open("end", in: root), let now = try Directory.open("now", in: root)
    else { return nil }
    self.path = path
    self.root = root
    report = { _ in }
    settings = found.settings
    openedWith = (statfs(), .distantPast)
    self.end = end
    seal = end.birthmark
    openedNow = now
  }

  static func directory(_ path: String) throws(Fault) -> Directory? {
    do throws(Fault) { return try Directory.open(path) } catch {
      if error.code == EACCES { throw refusal(path, error) }
      guard error.code == ENOTDIR else { throw error }
      throw Fault(.notFound, "\(printable(path)): is not a directory, so it is not a queue")
    }
  }

  /// Whether the directory was deleted since it was opened.
  package var isRemoved: Bool { root.isRemoved }

  /// Whether both are the same queue, whatever their paths.
  package func isSame(as other: Queue) -> Bool { root.isSame(as: other.root) }

  func now() throws(Fault) -> Directory {
    if let openedNow { return openedNow }
    let now = try part("now")
    openedNow = now
    return now
  }

  // Refuses file systems whose locks and renames do not give the guarantees that a queue needs.
  static func refuseRemote(_ root: Directory, _ system: statfs) throws(Fault) {
    guard let name = FileSystemType.remoteName(system.type) else { return }
    throw Fault(
      .settings,
      "\(printable(root.path)): is on \(name), where locks and flushes are not reliable"
        + " (--force uses it anyway)")
  }

  // Opening the queue reads the space too; a short command need not read it twice.
  private static let freshness: TimeSpan = .milliseconds(20)

  /// Bytes free to this process on the queue's file system, and the size of that file system.
  func space() throws(Fault) -> (free: Int, total: Int) {
    let isFresh = Clock.steady() - openedWith.time < Queue.freshness
    let system = isFresh ? openedWith.system : try root.fileSystem()
    openedWith.time = .distantPast
    return (system.freeBytes, system.totalBytes)
  }

  func lockNow(exclusive: Bool) throws(Fault) {
    try Queue.lock(try now(), exclusive: exclusive, report)
  }

  func unlockNow() {
    openedNow?.unlock()
    flushReports()
  }

  func unlockEnd() {
    end.unlock()
    flushReports()
  }

  /// Reports a text once no lock is held: a report blocks while its reader does not read.
  func note(_ text: String) { notes.append(text) }

  private func flushReports() {
    guard !notes.isEmpty else { return }
    let texts = notes
    notes.removeAll()
    for text in texts { report(text) }
  }

  func lockEnd() throws(Fault) {
    try Queue.lock(end, exclusive: true, report)
  }

  /// Waits for the lock of a directory; after a second, reports which process holds it.
  static func lock(
    _ directory: Directory, exclusive: Bool, _ report: (String) -> Void
  ) throws(Fault) {
    try directory.lock(exclusive: exclusive) {
      report(
        Directory.waiting + "\(printable(directory.path)), held by \(lockHolder(directory))")
    }
  }
}

extension Queue {
  /// Wakes when something may have become ready: an end moved, a name was given back, an owner
  /// died. Begin to watch, then select, then wait; otherwise a change in between is missed.
  package func watchReady() throws(Fault) -> Watch {
    let watch = try Watch(reportOnce)
    try watch.changes(in: end)
    try watch.changes(in: now())
    try watch.closings(in: try part("owners"))
    return watch
  }

  /// Wakes when something may have been settled.
  package func watchSettling() throws(Fault) -> Watch {
    let watch = try Watch(reportOnce)
    try watch.changes(in: now())
    return watch
  }

  /// Wakes when the reader of `pipe` may have read something.
  package func watchReads(of pipe: PipeOutput) throws(Fault) -> PipeOutput.Reads {
    try pipe.watchReads(reportOnce)
  }

  // Several watches fail for the same reason; it is reported once.
  private func reportOnce(_ text: String) {
    if !isWatchReported { report(text) }
    isWatchReported = true
  }

  /// Whether the name of an event is that of a slot, which its last holder closed.
  package static func meansOwnerGone(_ name: UnsafeRawBufferPointer) -> Bool {
    decimal(name) != nil
  }

  /// Whether the name of an event can mean that items became ready. The names that claims and
  /// acknowledgements leave cannot.
  package static func meansReady(_ name: UnsafeRawBufferPointer) -> Bool {
    guard let state = NowName(name) else { return true }
    return state.isAgain
  }
}

/// Types as listed in statfs(2).
enum FileSystemType {
  static let ext = 0xef53
  static let xfs = 0x5846_5342
  static let btrfs = 0x9123_683e
  static let tmpfs = 0x0102_1994
  static let ramfs = 0x8584_58f6
  static let overlay = 0x794c_7630

  static func remoteName(_ type: Int) -> StaticString? {
    switch type {
    case 0x6969: "NFS"
    case 0xff53_4d42: "CIFS"
    case 0xfe53_4d42, 0x517b: "SMB"
    case 0x6573_5546: "FUSE"
    case 0x0102_1997: "9P"
    case 0x00c3_6400: "Ceph"
    default: nil
    }
  }
}
