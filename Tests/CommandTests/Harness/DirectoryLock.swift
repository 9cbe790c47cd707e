import Glibc
import TestSupport

/// Holds the lock of a directory until it is destroyed.
final class DirectoryLock {
  private let number: Int32

  /// `isShared`: commands may look meanwhile, but claim and settle nothing.
  init(_ scratch: Scratch, _ name: String = "queue/now", isShared: Bool = false) {
    number = open(scratch.path(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    flock(number, isShared ? LOCK_SH : LOCK_EX)
  }

  func release() { flock(number, LOCK_UN) }

  deinit { close(number) }
}
