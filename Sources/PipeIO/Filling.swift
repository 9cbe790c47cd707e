internal import CPipeIO
internal import Glibc

extension Descriptor {
  /// Takes `size` bytes of the disk for the file, and nothing is written. Returns whether it got them.
  package func allocate(_ size: Int) -> Bool {
    uninterrupted { fallocate(number, 0, 0, size) } == 0
  }

  /// Takes room among the file system's own records: so many attributes of so many bytes, which is all that
  /// can be said here of where they go. Returns whether it got them.
  package func attach(_ count: Int, of size: Int) -> Bool {
    let bytes = [UInt8](repeating: 0, count: size)
    return (0..<count).allSatisfy { index in
      uninterrupted { fsetxattr(number, "user.pipe.\(index)", bytes, size, 0) } == 0
    }
  }
}
