internal import CPipeIO
internal import Glibc

// The only file that renames or unlinks: every change of state of a queue is one of these calls.

package enum RenameOutcome {
  case renamed
  /// The old name is gone: somebody else was first.
  case missing
  /// The new name is taken by another file.
  case taken
}

extension Directory {
  /// Renames within the directory and never over another file: plain rename(2) destroys what is there,
  /// and onto a second link of the same file does nothing and says 0.
  package func rename(_ old: String, to new: String) throws(Fault) -> RenameOutcome {
    if relieved({ cpipe_rename_noreplace(number, old, new) }) == 0 { return .renamed }
    switch errno {
    case ENOENT: return .missing
    case EEXIST: return try sameFile(old, new) ? dropLink(old) : .taken
    default: throw Fault("rename", path + "/" + old)
    }
  }

  /// Swaps two names in one step: how a file with a fixed name is replaced.
  package func exchange(_ one: String, _ other: String) throws(Fault) {
    if relieved({ cpipe_rename_exchange(number, one, other) }) != 0 {
      throw Fault("exchange", path + "/" + one)
    }
  }

  /// Removes a name; one that is gone already is no error.
  package func remove(_ name: String) throws(Fault) {
    if relieved({ unlinkat(number, name, 0) }) != 0, errno != ENOENT {
      throw Fault("remove", path + "/" + name)
    }
  }

  /// Removes an empty directory; one that is not empty stays.
  package func removeDirectory(_ name: String) throws(Fault) {
    if relieved({ unlinkat(number, name, AT_REMOVEDIR) }) != 0, errno != ENOENT,
      errno != ENOTEMPTY
    {
      throw Fault("remove", path + "/" + name)
    }
  }

  // After a crash some file systems bring back both names of a rename: then the old one is the extra.
  private func dropLink(_ old: String) throws(Fault) -> RenameOutcome {
    try remove(old)
    return .renamed
  }

  private func sameFile(_ one: String, _ other: String) throws(Fault) -> Bool {
    var a = stat()
    var b = stat()
    guard fstatat(number, one, &a, AT_SYMLINK_NOFOLLOW) == 0,
      fstatat(number, other, &b, AT_SYMLINK_NOFOLLOW) == 0
    else { throw Fault("stat", path + "/" + one) }
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino
  }
}
