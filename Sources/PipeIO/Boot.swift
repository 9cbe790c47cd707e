internal import CPipeIO
internal import Glibc

/// The text of `boot_id` (random(4)), which is another one after each start of the machine.
package enum Boot {
  /// Bytes of the text.
  package static let length = 36

  /// nil where the system does not tell, as without /proc.
  package static func id() -> [UInt8]? {
    let fd = retryingInterrupts {
      cpipe_openat(AT_FDCWD, "/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC, 0)
    }
    guard fd >= 0 else { return nil }
    defer { close(fd) }
    var text = [UInt8](repeating: 0, count: length)
    let count = text.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
    return count == length ? text : nil
  }
}
