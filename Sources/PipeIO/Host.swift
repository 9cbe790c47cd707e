package import CPipeIO
internal import Glibc
package import PipeTime

extension Directory {
  /// Throws if the file system does not answer.
  package func fileSystem() throws(Fault) -> statfs {
    var system = statfs()
    guard fstatfs(fd, &system) == 0 else { throw Fault("stat", path) }
    return system
  }
}

extension statfs {
  /// As listed in statfs(2).
  package var type: Int { Int(f_type) & 0xffff_ffff }
  /// Bytes that this user can still write. A file system may report more than there can be.
  package var freeBytes: Int { bytes(UInt64(f_bavail)) }
  /// 0 if the file system has no bound.
  package var totalBytes: Int { bytes(UInt64(f_blocks)) }
  /// Inodes that can still be created; nil if the file system does not count them.
  package var freeInodes: Int? { f_files == 0 ? nil : Int(clamping: f_ffree) }

  private func bytes(_ blocks: UInt64) -> Int {
    let (bytes, isOver) = blocks.multipliedReportingOverflow(by: UInt64(max(0, f_bsize)))
    return isOver ? .max : Int(clamping: bytes)
  }
}

/// A mount, as the system describes it.
package struct Mount {
  /// The file system, as in mount(8): `ext4`.
  package let type: String
  package let place: String
  /// Options of the mount and of its file system.
  package let options: Set<String>

  /// The mount that holds a directory; nil without /proc.
  package init?(of directory: Directory) {
    guard let found = Mount.find(directory.fd) else { return nil }
    (type, place, options) = found
  }

  // By number: a path can also be that of a mount that another one hides.
  private static func find(_ fd: Int32) -> (String, String, Set<String>)? {
    let key = "mnt_id:"
    guard let info = bytesOfFile("/proc/self/fdinfo/\(fd)"),
      let line = info.split(separator: 0x0a).first(where: { $0.starts(with: key.utf8) }),
      let mounts = bytesOfFile("/proc/self/mountinfo")
    else { return nil }
    let number = line.dropFirst(key.utf8.count).drop { $0 == 0x09 || $0 == 0x20 }
    for line in mounts.split(separator: 0x0a) {
      // 36 35 98:0 /root /place rw,noatime shared:1 - ext4 /dev/sda1 rw,errors=continue
      let fields = line.split(separator: 0x20)
      guard fields.first == number, let dash = fields.firstIndex(of: [0x2d]), dash >= 6,
        fields.count > dash + 3
      else { continue }
      let options = (fields[5] + [0x2c] + fields[dash + 3]).split(separator: 0x2c).map {
        String(systemBytes: Array($0))
      }
      return (
        String(systemBytes: Array(fields[dash + 1])), String(systemBytes: unescaped(fields[4])),
        Set(options)
      )
    }
    return nil
  }

  // A space is \040.
  private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), rest.count >= 3,
        let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
      {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }
}

/// A measured flush: `pwrite` of 4 KiB and `fdatasync`, one after the other.
package struct FlushTimes {
  package let median: TimeSpan
  package let longest: TimeSpan

  private static let rounds = 50
  private static let size = 4096

  /// Writes to a file without a name. It takes a second at most, and at least one flush. nil if the file
  /// system has no such files.
  package init?(in directory: Directory) throws(Fault) {
    let fd = openat(directory.fd, ".", cpipe_o_tmpfile | O_RDWR | O_CLOEXEC, 0o600)
    if fd < 0 {
      if [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) { return nil }
      throw Fault("write", directory.path)
    }
    let file = Descriptor(owning: fd, path: directory.path)
    let bytes = [UInt8](repeating: 0x70, count: FlushTimes.size)
    var spans: [TimeSpan] = []
    let start = Clock.steady()
    while spans.count < FlushTimes.rounds, spans.isEmpty || Clock.steady() - start < .seconds(1) {
      let begin = Clock.steady()
      let at = spans.count * FlushTimes.size
      try bytes.withUnsafeBufferPointer { (bytes) throws(Fault) in
        try file.write(UnsafeRawBufferPointer(bytes), at: at)
      }
      try file.flushData()
      spans.append(Clock.steady() - begin)
    }
    spans.sort()
    median = spans[spans.count / 2]
    longest = spans[spans.count - 1]
  }
}

extension Directory {
  /// Whether the permissions let this user create and remove names here.
  package var isWritable: Bool {
    faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == 0 || errno != EACCES
  }

  /// Whether a second open file is refused the lock that a first one holds; nil if another process holds
  /// the lock now.
  package func excludes() throws(Fault) -> Bool? {
    let files = (0..<2).map { _ in openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    defer { for file in files { close(file) } }
    guard !files.contains(where: { $0 < 0 }) else { throw Fault("open", path) }
    guard flock(files[0], LOCK_EX | LOCK_NB) == 0 else { return errno == EWOULDBLOCK ? nil : false }
    return flock(files[1], LOCK_EX | LOCK_NB) != 0
  }
}

/// The soft limit of this process: RLIMIT_NOFILE and the like; nil: no limit.
package func limit(_ resource: Resource) -> Int? {
  var limits = rlimit()
  let kind =
    switch resource {
    case .files: __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    case .fileSize: __rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue))
    }
  guard getrlimit(kind, &limits) == 0 else { return nil }
  return limits.rlim_cur >= UInt64(Int.max) ? nil : Int(limits.rlim_cur)
}

package enum Resource {
  /// Open files.
  case files
  /// Bytes of a file.
  case fileSize
}

/// The inotify instances of this user that processes hold open, at most, and how many may be; nil
/// without /proc.
package func inotifyInstances() -> (used: Int, most: Int)? {
  guard let text = bytesOfFile("/proc/sys/fs/inotify/max_user_instances"), let most = number(text)
  else { return nil }
  var used = 0
  for process in otherProcesses() {
    var status = stat()
    guard stat("/proc/\(process)", &status) == 0, status.st_uid == getuid() else { continue }
    let files = (try? Directory.open("/proc/\(process)/fd")?.names()) ?? []
    used += files.count { linkTarget("/proc/\(process)/fd/\($0)") == "anon_inode:inotify" }
  }
  // Processes can share an instance.
  return (min(used, most), most)
}

/// The number that a file of /proc or /sys holds; nil if it holds something else.
package func number(_ text: [UInt8]) -> Int? {
  Int(String(decoding: text.prefix { $0 != 0x0a }, as: UTF8.self))
}

/// The other processes of the machine; none without /proc.
func otherProcesses() -> [pid_t] {
  let names = (try? Directory.open("/proc")?.names()) ?? []
  return names.compactMap { pid_t($0) }.filter { $0 != getpid() }
}

/// What a symbolic link names; nil if it has 256 bytes or more.
func linkTarget(_ path: String) -> String? {
  var buffer = [CChar](repeating: 0, count: 256)
  let count = readlink(path, &buffer, buffer.count)
  guard count > 0, count < buffer.count else { return nil }
  return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// The contents of a small system file; nil if it cannot be read.
package func textOfFile(_ path: String) -> String? {
  bytesOfFile(path).map { String(decoding: $0, as: UTF8.self) }
}

/// The same as bytes.
package func bytesOfFile(_ path: String) -> [UInt8]? {
  let fd = openFile(path, O_RDONLY)
  guard fd >= 0 else { return nil }
  defer { close(fd) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = retryingInterrupts { read(fd, &buffer, buffer.count) }
    if count <= 0 { return bytes }
    bytes += buffer[..<count]
  }
}

/// The release of the kernel, such as `6.1.0-18-amd64`.
package func kernelRelease() -> String {
  var name = utsname()
  guard uname(&name) == 0 else { return "" }
  return withUnsafeBytes(of: &name.release) {
    String(cString: $0.bindMemory(to: CChar.self).baseAddress!)
  }
}

/// Whether stdout is a pipe.
package func stdoutIsPipe() -> Bool {
  var status = stat()
  return fstat(STDOUT_FILENO, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
}
