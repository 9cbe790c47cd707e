internal import CPipeIO
internal import Glibc

// Every rename in a queue is one of these calls, and so is every unlink except the cleanup of a
// failed creation in CPipeIO.

package enum RenameOutcome {
  case renamed
  /// The old name is gone: another process was first.
  case missing
  /// Another file has the new name.
  case taken
}

extension Directory {
  /// Renames within the directory and never over another file. Plain rename(2) destroys the file at
  /// the new name, and does nothing and returns 0 if both names are links to the same file.
  package func rename(_ old: String, to new: String) throws(Fault) -> RenameOutcome {
    // A damaged name need not be UTF-8.
    let result = old.withSystemText { old in
      new.withSystemText { new in relieved { cpipe_rename_noreplace(fd, old, new) } }
    }
    if result == 0 { return .renamed }
    switch errno {
    case ENOENT: return .missing
    case EEXIST: return try sameFile(old, new) ? dropLink(old) : .taken
    default: throw Fault("rename", path + "/" + old)
    }
  }

  /// Swaps two names atomically, which replaces a file with a fixed name.
  package func exchange(_ one: String, _ other: String) throws(Fault) {
    if relieved({ cpipe_rename_exchange(fd, one, other) }) != 0 {
      throw Fault("exchange", path + "/" + one)
    }
  }

  /// Removes a name. A name that is already gone is not an error.
  package func remove(_ name: String) throws(Fault) {
    if relieved({ unlinkat(fd, name, 0) }) != 0, errno != ENOENT {
      throw Fault("remove", path + "/" + name)
    }
  }

  /// Removes a file and frees its blocks before it returns. After a plain unlink xfs frees them in
  /// the background, and nothing that a process may call waits for that. A file that another
  /// process has open, that has a second name, or that belongs to another user keeps them
  /// until the file system frees them.
  package func removeWithBlocks(_ name: String) throws(Fault) {
    // No file, or none that may be written: there is nothing to free.
    let file = try? Descriptor.open(name, in: self, O_WRONLY)
    try remove(name)
    if let file { try? file.freeBlocksOfRemovedFile() }
  }

  /// Removes an empty directory. A directory that is not empty stays.
  package func removeDirectory(_ name: String) throws(Fault) {
    if relieved({ unlinkat(fd, name, AT_REMOVEDIR) }) != 0, errno != ENOENT,
      errno != ENOTEMPTY
    {
      throw Fault("remove", path + "/" + name)
    }
  }

  // After a crash some file systems bring back both names of a rename: the old one is then surplus.
  private func dropLink(_ old: String) throws(Fault) -> RenameOutcome {
    try remove(old)
    return .renamed
  }

  private func sameFile(_ one: String, _ other: String) throws(Fault) -> Bool {
    var a = stat()
    var b = stat()
    guard one.withSystemText({ fstatat(fd, $0, &a, AT_SYMLINK_NOFOLLOW) }) == 0,
      other.withSystemText({ fstatat(fd, $0, &b, AT_SYMLINK_NOFOLLOW) }) == 0
    else { throw Fault("stat", path + "/" + one) }
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino
  }
}

/// Replaces the contents of the file at `path`: a reader sees the old or the new contents, whole.
/// Not flushed. A new file gets the umask's mode, an existing file keeps its mode. Symbolic links
/// are followed. A file that is not regular, such as a terminal or /dev/null, is written in place
/// and never replaced, because others use it too.
package func replaceFile(_ path: String, _ bytes: [UInt8]) throws(Fault) {
  var status = stat()
  let isThere = path.withSystemText { stat($0, &status) } == 0
  if isThere, status.st_mode & S_IFMT != S_IFREG {
    let fd = openFile(path, O_WRONLY)
    if fd < 0 { throw Fault("open", path) }
    return try Descriptor(owning: fd, path: path).append(bytes)
  }
  let target = absolutePath(path) ?? path
  // Next to the target, because a rename cannot cross file systems. An existing file of this name
  // was left by a killed process.
  let draft = "\(target).\(getpid())"
  remove(draft)
  let fd = openFile(draft, O_WRONLY | O_CREAT | O_EXCL, mode: 0o666)
  if fd < 0 { throw Fault("create", path) }
  do throws(Fault) {
    let file = Descriptor(owning: fd, path: path)
    if isThere, fchmod(fd, status.st_mode & 0o777) != 0 { throw Fault("set the mode", path) }
    try file.append(bytes)
    let code = draft.withSystemText { draft in target.withSystemText { rename(draft, $0) } }
    if code != 0 { throw Fault("replace", path) }
  } catch {
    remove(draft)
    throw error
  }
}

private func remove(_ path: String) { _ = path.withSystemText { unlink($0) } }
