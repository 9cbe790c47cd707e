package import CPipeIO
internal import Glibc

/// Takes the advisory lock of an open file if it is free. Returns whether it did.
func tryFlock(_ number: Int32, _ kind: Int32, _ path: String) throws(Fault) -> Bool {
  if retryingInterrupts({ flock(number, kind | LOCK_NB) }) == 0 { return true }
  if errno == EWOULDBLOCK { return false }
  throw Fault("lock", path)
}

/// An open directory. Names are resolved relative to its descriptor, so that a queue that is
/// renamed or replaced while open stays the queue that was opened.
package final class Directory {
  package let number: Int32
  package let path: String
  private var listing: UnsafeMutableRawBufferPointer?

  /// The root of the tree, which determines the ownership of everything beneath it. nil if this is
  /// the root.
  private let top: Directory?
  private var known: Ownership?

  /// Makes room on a full disk for calls that must not fail; returns false if it cannot. Set on the
  /// root, it applies to the whole tree.
  package var relief: (() -> Bool)?
  /// Whether the remaining room is kept for calls that must not fail, so that files that only
  /// inform are not written. Set on the root.
  package var isSpared = false

  private init(number: Int32, path: String, top: Directory?) {
    self.number = number
    self.path = path
    self.top = top
  }

  /// Opens a directory in `parent` without following a symbolic link. If `parent` is nil, `path` is
  /// resolved like any path of this process. Returns nil if the directory does not exist.
  package static func open(_ path: String, in parent: Directory? = nil) throws(Fault) -> Directory?
  {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    let number = retryingInterrupts {
      path.withSystemText { text in
        parent.map { cpipe_open_beneath($0.number, text, flags | O_NOFOLLOW, 0) }
          ?? cpipe_openat(AT_FDCWD, text, flags, 0)
      }
    }
    let full = parent.map { $0.path + "/" + path } ?? path
    if number < 0 {
      if errno == ENOENT { return nil }
      throw Fault("open", full)
    }
    return Directory(number: number, path: full, top: parent.map { $0.top ?? $0 })
  }

  /// The tree's ownership as last read, or read now if it was not read before.
  package func ownership() throws(Fault) -> Ownership {
    if let top { return try top.ownership() }
    if let known { return known }
    return try currentOwnership()
  }

  /// Reads the ownership again: a long-running process must also notice `init --share`.
  package func currentOwnership() throws(Fault) -> Ownership {
    if let top { return try top.currentOwnership() }
    let now = try Ownership(self)
    known = now
    return now
  }

  /// Whether the tree's remaining room is kept for calls that must not fail.
  package var isShortOfRoom: Bool { (top ?? self).isSpared }

  /// Runs a system call. If it fails on a full disk and `relief` makes room, runs it once more.
  func relieved(_ call: () -> Int32) -> Int32 {
    let result = retryingInterrupts(call)
    guard result < 0, [ENOSPC, EDQUOT].contains(errno) else { return result }
    let code = errno
    if (top ?? self).relief?() == true { return retryingInterrupts(call) }
    errno = code
    return result
  }

  /// The same for a write.
  package func relieved(_ write: () throws(Fault) -> Void) throws(Fault) {
    do throws(Fault) { try write() } catch {
      guard [ENOSPC, EDQUOT].contains(error.code), (top ?? self).relief?() == true else {
        throw error
      }
      try write()
    }
  }

  /// Opens the directory `name`, creating it if it does not exist.
  package func subdirectory(making name: String) throws(Fault) -> Directory {
    if let found = try Directory.open(name, in: self) { return found }
    var origin = try currentOwnership().origin(of: .directory)
    let isMade = relieved { cpipe_make_directory(number, name, &origin) } == 0
    if !isMade, errno != EEXIST { throw Fault("create", path + "/" + name) }
    guard let made = try Directory.open(name, in: self) else {
      throw Fault("open", path + "/" + name, code: ENOENT)
    }
    if isMade { try ownership().complete(.directory, made.number, made.path) }
    return made
  }

  package func existing(_ name: String) throws(Fault) -> Directory {
    guard let found = try Directory.open(name, in: self) else {
      throw Fault(.notFound, "\(printable(path)): \(name) is missing; is this still a queue?")
    }
    return found
  }

  /// Flushes names to stable storage. Unlike file data, names stay dirty after a flush that fails
  /// on a full disk, so the second flush covers all of them.
  package func flush() throws(Fault) {
    if relieved({ fsync(number) }) != 0 { throw Fault("flush", path) }
  }

  /// Flushes the whole file system to stable storage.
  package func flushFileSystem() throws(Fault) {
    if retryingInterrupts({ syncfs(number) }) != 0 { throw Fault("flush", path) }
  }

  /// Whether `name` does not exist. False if the file system cannot tell.
  package func lacks(_ name: String) -> Bool {
    var found = stat()
    return fstatat(number, name, &found, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT
  }

  /// Throws unless this process may create and remove names in `name`.
  package func requireWritable(_ name: String) throws(Fault) {
    if faccessat(number, name, W_OK | X_OK, AT_EACCESS) != 0 {
      throw Fault("write", path + "/" + name)
    }
  }

  /// The size of the regular file `name`, or nil.
  package func size(of name: String) -> Int? {
    guard var found = status(name), cpipe_is_regular(&found) != 0 else { return nil }
    return Int(found.st_size)
  }

  /// Whether `name` exists, whatever its file type.
  package func has(_ name: String) -> Bool {
    var found = stat()
    return fstatat(number, name, &found, AT_SYMLINK_NOFOLLOW) == 0
  }

  /// When the file was last written (mtime), microseconds since the epoch. nil if there is none.
  package func modified(_ name: String) -> Int64? {
    status(name).map { Int64($0.st_mtim.tv_sec) * 1_000_000 + Int64($0.st_mtim.tv_nsec) / 1000 }
  }

  /// When the file was last renamed or written (ctime), microseconds since the epoch. nil if there
  /// is none.
  package func changed(_ name: String) -> Int64? {
    status(name).map { Int64($0.st_ctim.tv_sec) * 1_000_000 + Int64($0.st_ctim.tv_nsec) / 1000 }
  }

  /// The status of `name`, which may be a path beneath. Follows no symbolic link. nil if there is
  /// none.
  package func status(_ name: String) -> stat? {
    var found = stat()
    guard name.utf8.contains(0x2f) else {
      return fstatat(number, name, &found, AT_SYMLINK_NOFOLLOW) == 0 ? found : nil
    }
    let file = retryingInterrupts { cpipe_open_beneath(number, name, cpipe_path_only, 0) }
    guard file >= 0 else { return nil }
    defer { close(file) }
    return fstat(file, &found) == 0 ? found : nil
  }

  /// Calls `body` with the bytes of each name except `.` and `..`. The names are a snapshot only
  /// while no process renames: hold the lock, or check that no name is missing.
  package func forEachName(_ body: (UnsafeRawBufferPointer) -> Void) throws(Fault) {
    let buffer = listing ?? .allocate(byteCount: 32768, alignment: 8)
    if listing != nil, lseek(number, 0, SEEK_SET) < 0 { throw Fault("rewind", path) }
    listing = buffer
    while true {
      let count = retryingInterrupts { cpipe_getdents(number, buffer.baseAddress, buffer.count) }
      // The directory was removed after it was opened, and has no names.
      if count < 0, errno == ENOENT, !path.isEmpty, isRemoved { return }
      if count < 0 { throw Fault("list", path) }
      if count == 0 { return }
      Directory.split(UnsafeRawBufferPointer(rebasing: buffer[..<count]), body)
    }
  }

  // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name with its NUL.
  private static func split(
    _ records: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void
  ) {
    var at = 0
    while at < records.count {
      let length = Int(records.loadUnaligned(fromByteOffset: at + 16, as: UInt16.self))
      let name = records.baseAddress! + at + 19
      let count = strnlen(name.assumingMemoryBound(to: CChar.self), length - 19)
      at += length
      let isDot =
        count <= 2
        && (0..<count).allSatisfy { name.load(fromByteOffset: $0, as: UInt8.self) == 0x2e }
      if !isDot { body(UnsafeRawBufferPointer(start: name, count: count)) }
    }
  }

  /// Whether the directory was deleted after it was opened.
  package var isRemoved: Bool {
    var status = stat()
    return fstat(number, &status) == 0 && status.st_nlink == 0
  }

  /// Runs `body` with this directory as the working directory, for a call that takes no descriptor
  /// when there is no /proc to name one. Returns nil if the working directory cannot be changed or
  /// restored. Not safe beside other threads, which share the working directory.
  func entered<Result>(_ body: () -> Result) -> Result? {
    let before = cpipe_openat(AT_FDCWD, ".", cpipe_o_path | O_DIRECTORY | O_CLOEXEC, 0)
    defer { close(before) }
    guard before >= 0, fchdir(number) == 0 else { return nil }
    let result = body()
    return fchdir(before) == 0 ? result : nil
  }

  /// Whether both are the same directory, whatever their paths.
  package func isSame(as other: Directory) -> Bool {
    var (mine, theirs) = (stat(), stat())
    return fstat(number, &mine) == 0 && fstat(other.number, &theirs) == 0
      && mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino
  }

  /// Distinguishes this directory from any copy, even a copy that preserves all times: a hash of
  /// its inode and, if the file system records one, its birth time. A rename keeps it.
  package var birthmark: UInt32 {
    var identity: (inode: UInt64, birth: UInt64) = (0, 0)
    if cpipe_birth(number, &identity.inode, &identity.birth) != 0 {
      var status = stat()
      if fstat(number, &status) == 0 { identity.inode = UInt64(status.st_ino) }
    }
    return withUnsafeBytes(of: &identity) { cpipe_crc32c(0, $0.baseAddress, $0.count) }
  }

  package func names() throws(Fault) -> [String] {
    var found: [String] = []
    try forEachName { found.append(String(decoding: $0, as: UTF8.self)) }
    return found
  }

  /// Waits for the directory's lock. Calls `waiting` once, after one second. Stop signals end the
  /// wait (`Stops`) with a fault whose code is EINTR.
  package func lock(exclusive: Bool, waiting: () -> Void = {}) throws(Fault) {
    let kind = exclusive ? LOCK_EX : LOCK_SH
    if try tryFlock(number, kind, path) { return }
    let alarm = Alarm()
    var isReported = false
    while flock(number, kind) != 0 {
      guard errno == EINTR else { throw Fault("lock", path) }
      if alarm.hasRung, !isReported {
        isReported = true
        waiting()
      }
      Stops.noteCaught()
      guard !Stops.endWaits else {
        throw Fault(
          .tryLater, "\(printable(path)): interrupted while waiting for its lock", code: EINTR)
      }
    }
  }

  package func tryLock() throws(Fault) -> Bool {
    try tryFlock(number, LOCK_EX, path)
  }

  package func unlock() {
    _ = flock(number, LOCK_UN)
  }

  deinit {
    close(number)
    listing?.deallocate()
  }
}
