package import CPipeIO
internal import Glibc
package import PipeTime

/// Takes the advisory lock of an open file if it is free. Returns whether it did.
func tryFlock(_ fd: Int32, _ kind: Int32, _ path: String) throws(Fault) -> Bool {
  if retryingInterrupts({ flock(fd, kind | LOCK_NB) }) == 0 { return true }
  if errno == EWOULDBLOCK { return false }
  throw Fault("lock", path)
}

/// An open directory. Names are resolved relative to its descriptor, so that a queue that is
/// renamed or replaced while open stays the queue that was opened.
package final class Directory {
  package let fd: Int32
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

  private init(fd: Int32, path: String, top: Directory?) {
    self.fd = fd
    self.path = path
    self.top = top
  }

  /// Opens a directory in `parent` without following a symbolic link. If `parent` is nil, `path` is
  /// resolved like any path of this process. Returns nil if the directory does not exist.
  package static func open(_ path: String, in parent: Directory? = nil) throws(Fault) -> Directory?
  {
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    let fd = retryingInterrupts {
      path.withSystemText { text in
        parent.map { cpipe_open_beneath($0.fd, text, flags | O_NOFOLLOW, 0) }
          ?? cpipe_openat(AT_FDCWD, text, flags, 0)
      }
    }
    let full = parent.map { $0.path + "/" + path } ?? path
    if fd < 0 {
      if errno == ENOENT { return nil }
      throw Fault("open", full)
    }
    return Directory(fd: fd, path: full, top: parent.map { $0.top ?? $0 })
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
    guard result < 0, Fault.isDiskFull(errno) else { return result }
    let code = errno
    if (top ?? self).relief?() == true { return retryingInterrupts(call) }
    errno = code
    return result
  }

  /// The same for a write.
  package func relieved(_ write: () throws(Fault) -> Void) throws(Fault) {
    do throws(Fault) { try write() } catch {
      guard error.isDiskFull, (top ?? self).relief?() == true else {
        throw error
      }
      try write()
    }
  }

  /// Opens the directory `name`, creating it if it does not exist.
  package func subdirectory(making name: String) throws(Fault) -> Directory {
    if let found = try Directory.open(name, in: self) { return found }
    var origin = try currentOwnership().origin(of: .directory)
    let isMade = relieved { cpipe_make_directory(fd, name, &origin) } == 0
    if !isMade, errno != EEXIST { throw Fault("create", path + "/" + name) }
    guard let made = try Directory.open(name, in: self) else {
      throw Fault("open", path + "/" + name, code: ENOENT)
    }
    if isMade { try ownership().complete(.directory, made.fd, made.path) }
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
    if relieved({ fsync(fd) }) != 0 { throw Fault("flush", path) }
  }

  /// How the report of a wait for a lock begins: nothing is wrong with the queue.
  package static let waiting = "waiting for the lock of "

  /// Flushes the whole file system to stable storage.
  package func flushFileSystem() throws(Fault) {
    if retryingInterrupts({ syncfs(fd) }) != 0 { throw Fault("flush", path) }
  }

  /// Whether `name` does not exist. False if the file system cannot tell.
  package func lacks(_ name: String) -> Bool {
    var found = stat()
    return fstatat(fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT
  }

  /// Throws unless this process may create and remove names in `name`.
  package func requireWritable(_ name: String) throws(Fault) {
    if faccessat(fd, name, W_OK | X_OK, AT_EACCESS) != 0 {
      throw Fault("write", path + "/" + name)
    }
  }

  /// The size of the regular file `name`, or nil.
  package func size(of name: String) -> Int? {
    guard var found = status(name), cpipe_is_regular(&found) != 0 else { return nil }
    return Int(found.st_size)
  }

  /// Whether `name`, which may be a path beneath, exists and is not a regular file.
  package func isStrange(_ name: String) -> Bool {
    guard var found = status(name) else { return false }
    return cpipe_is_regular(&found) == 0
  }

  /// Whether `name` exists, whatever its file type.
  package func has(_ name: String) -> Bool {
    var found = stat()
    return fstatat(fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0
  }

  /// When the file was last written (mtime). nil if there is none.
  package func modified(_ name: String) -> Instant? {
    status(name).map { Instant($0.st_mtim) }
  }

  /// When the file was last renamed or written (ctime). nil if there is none.
  package func changed(_ name: String) -> Instant? {
    status(name).map { Instant($0.st_ctim) }
  }

  /// The status of `name`, which may be a path beneath. Follows no symbolic link. nil if there is
  /// none.
  package func status(_ name: String) -> stat? {
    var found = stat()
    guard name.utf8.contains(0x2f) else {
      return fstatat(fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0 ? found : nil
    }
    let file = retryingInterrupts { cpipe_open_beneath(fd, name, cpipe_path_only, 0) }
    guard file >= 0 else { return nil }
    defer { close(file) }
    return fstat(file, &found) == 0 ? found : nil
  }

  /// Calls `body` with the bytes of each name except `.` and `..`. The names are a snapshot only
  /// while no process renames: hold the lock, or check that no name is missing.
  package func forEachName(_ body: (UnsafeRawBufferPointer) -> Void) throws(Fault) {
    let buffer = listing ?? .allocate(byteCount: 32768, alignment: 8)
    if listing != nil, lseek(fd, 0, SEEK_SET) < 0 { throw Fault("rewind", path) }
    listing = buffer
    while true {
      let count = retryingInterrupts { cpipe_getdents(fd, buffer.baseAddress, buffer.count) }
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
    return fstat(fd, &status) == 0 && status.st_nlink == 0
  }

  /// Runs `body` with this directory as the working directory, for a call that takes no descriptor
  /// when there is no /proc to name one. Returns nil if the working directory cannot be changed or
  /// restored. Not safe beside other threads, which share the working directory.
  func entered<Result>(_ body: () -> Result) -> Result? {
    let before = cpipe_openat(AT_FDCWD, ".", cpipe_o_path | O_DIRECTORY | O_CLOEXEC, 0)
    defer { close(before) }
    guard before >= 0, fchdir(fd) == 0 else { return nil }
    let result = body()
    return fchdir(before) == 0 ? result : nil
  }

  /// Whether both are the same directory, whatever their paths.
  package func isSame(as other: Directory) -> Bool {
    var (mine, theirs) = (stat(), stat())
    return fstat(fd, &mine) == 0 && fstat(other.fd, &theirs) == 0
      && mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino
  }

  /// Distinguishes this directory from any copy, even a copy that preserves all times: a hash of
  /// its inode and, if the file system records one, its birth time. A rename keeps it.
  package var birthmark: UInt32 {
    var identity: (inode: UInt64, birth: UInt64) = (0, 0)
    if cpipe_birth(fd, &identity.inode, &identity.birth) != 0 {
      var status = stat()
      if fstat(fd, &status) == 0 { identity.inode = UInt64(status.st_ino) }
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
    if try tryFlock(fd, kind, path) { return }
    let alarm = Alarm()
    var isReported = false
    while flock(fd, kind) != 0 {
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
    try tryFlock(fd, LOCK_EX, path)
  }

  package func unlock() {
    // The lock goes with its open file.
    if !releaseLock(fd) { _ = cpipe_reopen_directory(fd) }
  }

  deinit {
    close(fd)
    listing?.deallocate()
  }
}
