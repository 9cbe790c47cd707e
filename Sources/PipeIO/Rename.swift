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

/// Gives the file at `path` other contents: who reads it sees the old ones or the new ones, whole. Not
/// flushed. A new one is readable as the umask allows, another keeps its mode. What a link leads to is
/// replaced; and what is no file of its own, as a terminal or /dev/null, is written to: it must stay what it
/// is, for others use it too.
package func replaceFile(_ path: String, _ bytes: [UInt8]) throws(Fault) {
  var status = stat()
  let isThere = path.withSystemText { stat($0, &status) } == 0
  if isThere, status.st_mode & S_IFMT != S_IFREG {
    let number = openFile(path, O_WRONLY)
    if number < 0 { throw Fault("open", path) }
    return try Descriptor(owning: number, path: path).append(bytes)
  }
  let target = absolutePath(path) ?? path
  // Beside it: a rename does not leave the file system. One that is there was left by a killed process.
  let draft = "\(target).\(getpid())"
  remove(draft)
  let number = openFile(draft, O_WRONLY | O_CREAT | O_EXCL, mode: 0o666)
  if number < 0 { throw Fault("create", path) }
  do throws(Fault) {
    let file = Descriptor(owning: number, path: path)
    if isThere, fchmod(number, status.st_mode & 0o777) != 0 { throw Fault("set the mode", path) }
    try file.append(bytes)
    let code = draft.withSystemText { draft in target.withSystemText { rename(draft, $0) } }
    if code != 0 { throw Fault("replace", path) }
  } catch {
    remove(draft)
    throw error
  }
}

private func remove(_ path: String) { _ = path.withSystemText { unlink($0) } }
