package import CPipeIO
internal import Glibc

/// An open file. `path` is for messages only.
package final class Descriptor {
  package let fd: Int32
  package let path: String
  private let isOwned: Bool

  /// Takes over `fd` and closes it in `deinit`.
  package init(owning fd: Int32, path: String) {
    self.fd = fd
    self.path = path
    isOwned = true
  }

  /// Never closed: the next file opened would get descriptor 0 and be taken for stdin.
  package static var standardInput: Descriptor { Descriptor(STDIN_FILENO, "stdin") }

  package static var standardOutput: Descriptor { Descriptor(STDOUT_FILENO, "stdout") }

  private init(_ fd: Int32, _ path: String) {
    self.fd = fd
    self.path = path
    isOwned = false
  }

  /// Opens `name`, which may be a path, beneath `directory`, close-on-exec. Follows no symbolic
  /// link in any component. Returns nil if the file does not exist.
  package static func open(
    _ name: String, in directory: Directory, _ flags: Int32
  ) throws(Fault) -> Descriptor? {
    let ownership = try directory.ownership()
    // Another user's file must not be truncated before the check below refuses it.
    let kept = ownership.isSuspicious ? flags & ~O_TRUNC : flags
    let fd = retryingInterrupts {
      cpipe_open_beneath(directory.fd, name, kept | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    }
    let path = directory.path + "/" + name
    if fd < 0 {
      if errno == ENOENT { return nil }
      throw Fault("open", path)
    }
    let file = Descriptor(owning: fd, path: path)
    if ownership.isSuspicious {
      try ownership.requireOwn(file)
      if flags & O_TRUNC != 0 { try file.truncate(to: 0) }
    }
    return file
  }

  /// Opens `name`, creating it if it does not exist.
  package static func create(
    _ name: String, in directory: Directory, _ flags: Int32
  ) throws(Fault) -> Descriptor {
    while true {
      if flags & O_EXCL == 0, let file = try open(name, in: directory, flags) { return file }
      var origin = try directory.currentOwnership().origin(of: .file)
      let fd = directory.relieved {
        cpipe_create_beneath(
          directory.fd, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, &origin)
      }
      let path = directory.path + "/" + name
      if fd >= 0 {
        let file = Descriptor(owning: fd, path: path)
        try directory.ownership().complete(.file, fd, path)
        return file
      }
      if errno != EEXIST || flags & O_EXCL != 0 { throw Fault("open", path) }
    }
  }

  package func status() throws(Fault) -> stat {
    var result = stat()
    if fstat(fd, &result) != 0 { throw Fault("stat", path) }
    return result
  }

  /// Lets the kernel read the whole file ahead, in the background.
  package func prefetch() { _ = posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED) }

  /// The size of a regular file. Throws for any other file type.
  package func size() throws(Fault) -> Int {
    var now = try status()
    guard cpipe_is_regular(&now) != 0 else {
      throw Fault(.inputOutput, "\(printable(path)): is not a regular file")
    }
    return Int(now.st_size)
  }

  /// Reads at most `buffer.count` bytes; returns 0 at end of file.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(Fault) -> Int {
    while true {
      let count = retryingInterrupts { Glibc.read(fd, buffer.baseAddress, buffer.count) }
      if count >= 0 { return count }
      guard errno == EAGAIN else { throw Fault("read", path) }
      // A shell may pass a non-blocking descriptor.
      var poll = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
      _ = Glibc.poll(&poll, 1, -1)
    }
  }

  /// Fills `buffer` from `offset`; short only at end of file.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(Fault) -> Int {
    var done = 0
    while done < buffer.count {
      let count = retryingInterrupts {
        pread(fd, buffer.baseAddress! + done, buffer.count - done, offset + done)
      }
      if count < 0 { throw Fault("read", path) }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// Writes all bytes at `offset`.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Fault) {
    var done = 0
    while done < bytes.count {
      let count = retryingInterrupts {
        pwrite(fd, bytes.baseAddress! + done, bytes.count - done, offset + done)
      }
      if count < 0 { throw Fault("write", path) }
      done += count
    }
  }

  /// Writes all bytes at the file's own offset, which `O_APPEND` moves to the end.
  package func append(_ bytes: [UInt8]) throws(Fault) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { all in
        retryingInterrupts { Glibc.write(fd, all.baseAddress! + done, all.count - done) }
      }
      if count < 0 { throw Fault("write", path) }
      done += count
    }
  }

  package func truncate(to size: Int) throws(Fault) {
    if retryingInterrupts({ ftruncate(fd, size) }) != 0 { throw Fault("truncate", path) }
  }

  /// Frees the disk space of these bytes, which then read as zeros; size and time of the last write stay.
  /// Returns how many bytes are freed; nil if the file system cannot do it.
  package func punchHole(_ bytes: Range<Int>) throws(Fault) -> Int? {
    let before = try status()
    let start = off_t(bytes.lowerBound)
    if retryingInterrupts({ cpipe_punch_hole(fd, start, off_t(bytes.count)) }) != 0 {
      if errno == EOPNOTSUPP || errno == ENOSYS { return nil }
      throw Fault("free a part of", path)
    }
    _ = cpipe_set_written(fd, before.st_mtim)
    return max(0, Int(before.st_blocks - (try status()).st_blocks)) * 512
  }

  /// Whether some of these bytes may have disk space.
  package func mayHaveData(in bytes: Range<Int>) -> Bool {
    let data = cpipe_next_data(fd, off_t(bytes.lowerBound))
    return data < 0 ? errno != ENXIO : data < bytes.upperBound
  }

  /// Truncates a file that has no name and that no other process has open, so that no reader finds
  /// it short.
  func freeBlocksOfRemovedFile() throws(Fault) {
    // Without a name it cannot be opened again either.
    guard try status().st_nlink == 0, cpipe_is_open_here_only(fd) != 0 else { return }
    try truncate(to: 0)
  }

  /// Flushes data and size to stable storage. Never call it again after a failure: the kernel has
  /// forgotten which pages were dirty, so a second call would falsely succeed.
  package func flushData() throws(Fault) {
    if retryingInterrupts({ fdatasync(fd) }) != 0 { throw Fault("flush", path) }
  }

  package func flush() throws(Fault) {
    if retryingInterrupts({ fsync(fd) }) != 0 { throw Fault("flush", path) }
  }

  package func isRegular() throws(Fault) -> Bool {
    var now = try status()
    return cpipe_is_regular(&now) != 0
  }

  /// Takes the advisory lock of this open file if it is free. Returns whether it did.
  package func tryLock(exclusive: Bool = true) throws(Fault) -> Bool {
    try tryFlock(fd, exclusive ? LOCK_EX : LOCK_SH, path)
  }

  /// Waits for the advisory lock. Only for locks that are held for a few system calls.
  package func lock() throws(Fault) {
    if retryingInterrupts({ flock(fd, LOCK_EX) }) != 0 { throw Fault("lock", path) }
  }

  package func unlock() { releaseLock(fd) }

  deinit {
    if isOwned { close(fd) }
  }
}

/// Releases a lock, and tries again if that fails, as it can on FUSE and network file systems: every
/// other process waits for the lock until this one ends. Returns whether the lock is free.
@discardableResult
func releaseLock(_ fd: Int32) -> Bool {
  flock(fd, LOCK_UN) == 0 || flock(fd, LOCK_UN) == 0
}
