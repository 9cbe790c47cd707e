internal import CPipeIO
internal import Glibc
internal import PipeIO

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
      + (words.map { " (\(printable($0)))" } ?? ", or rather by what it left running")
  }
  return nil
}

private func twoHex(_ number: UInt) -> String {
  let digits = String(number, radix: 16)
  return digits.utf8.count < 2 ? "0" + digits : digits
}
