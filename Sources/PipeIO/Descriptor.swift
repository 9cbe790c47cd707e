package import CPipeIO
internal import Glibc

/// An open file. `path` is for messages only.
package final class Descriptor {
  package let number: Int32
  package let path: String
  private let isOwned: Bool

  /// Takes over `number`, which is closed when this goes.
  package init(owning number: Int32, path: String) {
    self.number = number
    self.path = path
    isOwned = true
  }

  /// Never closed: were it, the next file opened would be stdin to everything behind.
  package static var standardInput: Descriptor { Descriptor(STDIN_FILENO, "stdin") }

  package static var standardOutput: Descriptor { Descriptor(STDOUT_FILENO, "stdout") }

  private init(_ number: Int32, _ path: String) {
    self.number = number
    self.path = path
    isOwned = false
  }

  /// Opens `name` below `directory`; close-on-exec, and a symbolic link as last part is refused.
  /// Returns nil where it does not exist.
  package static func open(
    _ name: String, in directory: Directory, _ flags: Int32, mode: UInt32 = 0o600
  ) throws(Fault) -> Descriptor? {
    let number = uninterrupted {
      cpipe_openat(directory.number, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode)
    }
    let path = directory.path + "/" + name
    if number < 0 {
      if errno == ENOENT { return nil }
      throw Fault("open", path)
    }
    return Descriptor(owning: number, path: path)
  }

  /// Opens `name`, making it where it does not exist.
  package static func create(
    _ name: String, in directory: Directory, _ flags: Int32
  ) throws(Fault) -> Descriptor {
    if let file = try open(name, in: directory, flags | O_CREAT) { return file }
    throw Fault("create", directory.path + "/" + name, code: ENOENT)
  }

  package func status() throws(Fault) -> stat {
    var result = stat()
    if fstat(number, &result) != 0 { throw Fault("stat", path) }
    return result
  }

  /// The size of a regular file; anything else at this name is refused.
  package func size() throws(Fault) -> Int {
    var now = try status()
    guard cpipe_is_regular(&now) != 0 else {
      throw Fault(.inputOutput, "\(printable(path)): is not a regular file")
    }
    return Int(now.st_size)
  }

  /// Reads at most `buffer.count` bytes; 0 at the end.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(Fault) -> Int {
    while true {
      let count = uninterrupted { Glibc.read(number, buffer.baseAddress, buffer.count) }
      if count >= 0 { return count }
      guard errno == EAGAIN else { throw Fault("read", path) }
      // A shell may hand us a non-blocking descriptor.
      var poll = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
      _ = Glibc.poll(&poll, 1, -1)
    }
  }

  /// Fills `buffer` from `offset`, short only at the end of the file.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(Fault) -> Int {
    var done = 0
    while done < buffer.count {
      let count = uninterrupted {
        pread(number, buffer.baseAddress! + done, buffer.count - done, offset + done)
      }
      if count < 0 { throw Fault("read", path) }
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// Writes all of it at `offset`.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(Fault) {
    var done = 0
    while done < bytes.count {
      let count = uninterrupted {
        pwrite(number, bytes.baseAddress! + done, bytes.count - done, offset + done)
      }
      if count < 0 { throw Fault("write", path) }
      done += count
    }
  }

  /// Writes all of it where the file's own position is, which `O_APPEND` puts at the end.
  package func append(_ bytes: [UInt8]) throws(Fault) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { all in
        uninterrupted { Glibc.write(number, all.baseAddress! + done, all.count - done) }
      }
      if count < 0 { throw Fault("write", path) }
      done += count
    }
  }

  package func truncate(to size: Int) throws(Fault) {
    if uninterrupted({ ftruncate(number, size) }) != 0 { throw Fault("truncate", path) }
  }

  /// Data and size to stable storage. Never called again after it failed: by then the kernel has
  /// forgotten which pages were dirty, and a second call would lie.
  package func flushData() throws(Fault) {
    if uninterrupted({ fdatasync(number) }) != 0 { throw Fault("flush", path) }
  }

  package func flush() throws(Fault) {
    if uninterrupted({ fsync(number) }) != 0 { throw Fault("flush", path) }
  }

  /// Takes the advisory lock of this open file if it is free.
  package func tryLock() throws(Fault) -> Bool {
    try tryFlock(number, LOCK_EX, path)
  }

  /// Waits for the advisory lock. Only for locks that are held for a few calls.
  package func lock() throws(Fault) {
    if uninterrupted({ flock(number, LOCK_EX) }) != 0 { throw Fault("lock", path) }
  }

  package func unlock() {
    _ = flock(number, LOCK_UN)
  }

  deinit {
    if isOwned { close(number) }
  }
}
