package import CPipeIO
internal import Glibc

/// The owner of a tree of files, as set by its root directory: one user, or a group if the root has
/// the set-group-ID bit and its group may write. Every file created in the tree gets the same
/// owner, whichever user creates it and whatever the umask.
package struct Ownership: Equatable {
  package let user: UInt32
  package let group: UInt32
  package let mode: UInt32

  enum Made { case file, directory }

  init(_ directory: Directory) throws(Fault) {
    var found = stat()
    if fstat(directory.fd, &found) != 0 { throw Fault("stat", directory.path) }
    self.init(found)
  }

  package init(_ status: stat) {
    (user, group, mode) = (status.st_uid, status.st_gid, status.st_mode & 0o7777)
  }

  package var isShared: Bool { mode & 0o2020 == 0o2020 }

  /// The mode of new files and directories: 0600 and 0700, or 0660 and 02770 if shared. The kernel
  /// adds the set-group-ID bit to a directory created in one that has it.
  package static func mode(isShared: Bool, isDirectory: Bool) -> UInt32 {
    (isShared ? 0o660 : 0o600) | (isDirectory ? (isShared ? 0o2110 : 0o100) : 0)
  }

  /// Whether other users can put files of their choice into the tree, such as links to files that
  /// this process may change and they may not.
  var isSuspicious: Bool { isShared || isForeign }

  /// Whether the tree belongs to the user that this process runs as.
  package var isOwn: Bool { user == cpipe_effective_user() }

  // Only root can use an unshared tree of another user.
  private var isForeign: Bool { Ownership.isRoot && user != 0 }

  package static var isRoot: Bool { cpipe_effective_user() == 0 }

  func origin(of made: Made) -> cpipe_origin {
    let mode = Ownership.mode(isShared: isShared, isDirectory: made == .directory)
    return cpipe_origin(user: user, group: group, mode: mode & 0o777, is_other: isForeign ? 1 : 0)
  }

  /// Refuses a file that does not belong to this tree: a user may have linked it here so that a
  /// process with more rights reads or changes it.
  func requireOwn(_ file: Descriptor) throws(Fault) {
    let status = try file.status()
    let isOwn =
      isShared
      ? status.st_gid == group && status.st_mode & 0o060 == 0o060 : status.st_uid == user
    if isOwn, status.st_mode & S_IFMT == S_IFREG { return }
    let path = printable(file.path)
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw Fault(.inputOutput, "\(path): is not a regular file", code: EPERM)
    }
    let whose =
      isShared ? "not writable by \(groupText(group))" : "the queue to \(userText(user))"
    throw Fault(
      .permission,
      "\(path): belongs to \(userText(status.st_uid)), \(whose); refused because it may be a link"
        + " to a file elsewhere (chown or remove it)", code: EPERM)
  }

  /// Sets group and mode of a new file in a shared tree. If a copy dropped the set-group-ID bit of
  /// a directory, files created there get their creator's group.
  func complete(_ made: Made, _ fd: Int32, _ path: String) throws(Fault) {
    guard isShared else { return }
    var status = stat()
    if fstat(fd, &status) != 0 { throw Fault("stat", path) }
    if status.st_gid != group, fchown(fd, .max, group) != 0 {
      throw Fault("change the group to \(groupText(group))", path)
    }
    let mode = Ownership.mode(isShared: true, isDirectory: made == .directory)
    if status.st_mode & 0o7777 != mode, fchmod(fd, mode) != 0 {
      throw Fault("set the mode", path)
    }
  }
}

/// Creates a directory with mode 0700, whatever the umask. `path` is resolved like any path of this
/// process. On failure returns false and sets `errno`.
package func makeDirectory(_ path: String) -> Bool {
  var origin = cpipe_origin(user: 0, group: 0, mode: 0o700, is_other: 0)
  return retryingInterrupts {
    path.withSystemText { cpipe_make_directory(AT_FDCWD, $0, &origin) }
  } == 0
}

// Names of users and groups come from /etc/passwd and /etc/group alone: a static binary cannot use
// other directory services.

/// `user ann (1000)`, or `user 1000` if the number has no name.
package func userText(_ id: UInt32) -> String {
  "user " + (name(id, in: "/etc/passwd").map { "\($0) (\(id))" } ?? "\(id)")
}

package func groupText(_ id: UInt32) -> String {
  "group " + (name(id, in: "/etc/group").map { "\($0) (\(id))" } ?? "\(id)")
}

/// For a command line: the name, or `'#1000'`, as sudo(8) accepts it.
package func userWord(_ id: UInt32) -> String {
  name(id, in: "/etc/passwd") ?? "'#\(id)'"
}

/// The number of a group given by name or number.
package func groupNumber(_ text: String) -> UInt32? {
  for columns in entries("/etc/group") where columns[0] == text { return UInt32(columns[2]) }
  // chown(2) takes 4294967295 as "leave unchanged".
  guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
  return UInt32(text).flatMap { $0 == .max ? nil : $0 }
}

private func name(_ id: UInt32, in path: String) -> String? {
  entries(path).first { UInt32($0[2]) == id }.map { printable(String($0[0])) }
}

// name:password:number:…
private func entries(_ path: String) -> [[Substring]] {
  (textOfFile(path) ?? "").split(separator: "\n").map {
    $0.split(separator: ":", omittingEmptySubsequences: false)
  }.filter { $0.count > 2 }
}
