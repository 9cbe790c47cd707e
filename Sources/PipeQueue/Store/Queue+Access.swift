internal import CPipeIO
internal import Glibc
internal import PipeIO

/// The users, besides root, that may use a queue.
package enum Access: Equatable {
  /// The owner alone.
  case owner
  case group(UInt32)

  fileprivate var isShared: Bool { self != .owner }
}

extension Queue {
  /// Gives the whole queue to a group, or to its owner alone. The mode of the queue's directory
  /// comes last, because it decides which mode new files get: a crash before it leaves the queue
  /// private, or shared, as it was. Call under the lock of the queue.
  static func give(
    _ root: Directory, _ access: Access, _ report: @escaping (String) -> Void
  ) throws(Fault) {
    let ownership = try root.currentOwnership()
    guard ownership.isOwn || Ownership.isRoot else {
      throw Fault(
        .permission,
        "\(printable(root.path)): belongs to \(userText(ownership.user)); only its owner and root"
          + " can share it")
    }
    var walk = AccessWalk(ownership, access, report)
    try walk.change(root, depth: 0)
    try root.flushFileSystem()
    try walk.set(root.fd, root.path, isDirectory: true)
    try root.flush()
    // Files that other processes created meanwhile, by the old rule.
    _ = try root.currentOwnership()
    try walk.change(root, depth: 0)
    guard walk.refused.isEmpty else {
      throw Fault(
        .permission,
        "\(printable(root.path)): \(walk.refused.count) of its files belong to others or have hard"
          + " links elsewhere, and were left unchanged (chown or copy them)")
    }
  }
}

private struct AccessWalk {
  private let ownership: Ownership
  private let access: Access
  private let report: (String) -> Void
  private(set) var refused: Set<String> = []

  init(_ ownership: Ownership, _ access: Access, _ report: @escaping (String) -> Void) {
    self.ownership = ownership
    self.access = access
    self.report = report
  }

  // No path of a queue is deeper than segments/LANE/ddd/dddddd.
  private static let deepest = 4

  mutating func change(_ directory: Directory, depth: Int) throws(Fault) {
    for name in try directory.names() where name != "lost+found" {
      let fd = retryingInterrupts {
        cpipe_open_beneath(
          directory.fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
      }
      let path = directory.path + "/" + name
      if fd < 0 {
        // Gone meanwhile; or a link, a socket or a device, which does not belong to pipe.
        if [ENOENT, ELOOP, ENXIO].contains(errno) { continue }
        throw Fault("open", path)
      }
      let file = Descriptor(owning: fd, path: path)
      let status = try file.status()
      let isDirectory = status.st_mode & S_IFMT == S_IFDIR
      guard isDirectory || status.st_mode & S_IFMT == S_IFREG else { continue }
      if isDirectory, depth < AccessWalk.deepest,
        let inner = try Directory.open(name, in: directory)
      {
        try change(inner, depth: depth + 1)
      }
      if isRight(status) { continue }
      guard isOurs(status) else {
        if refused.insert(path).inserted {
          report("\(printable(path)): belongs to \(userText(status.st_uid)); left unchanged")
        }
        continue
      }
      if status.st_uid != ownership.user, fchown(fd, ownership.user, .max) != 0 {
        throw Fault("restore the owner", path)
      }
      try set(fd, path, isDirectory: isDirectory)
    }
  }

  /// Gives an open file or directory the group and the mode.
  func set(_ fd: Int32, _ path: String, isDirectory: Bool) throws(Fault) {
    if case .group(let group) = access, fchown(fd, .max, group) != 0 {
      let fault = Fault("change the group to \(groupText(group))", path)
      throw Fault(
        fault.kind, fault.text + (errno == EPERM ? " (are you a member?)" : ""),
        code: fault.code)
    }
    let mode = Ownership.mode(isShared: access.isShared, isDirectory: isDirectory)
    if fchmod(fd, mode) != 0 { throw Fault("set the mode", path) }
  }

  // A file that a member of the group created is right, though the member owns it.
  private func isRight(_ status: stat) -> Bool {
    let isDirectory = status.st_mode & S_IFMT == S_IFDIR
    let mode = Ownership.mode(isShared: access.isShared, isDirectory: isDirectory)
    guard status.st_mode & 0o7777 == mode else { return false }
    if case .group(let group) = access { return status.st_gid == group }
    return status.st_uid == ownership.user
  }

  // A file that may be a hard link to one elsewhere is never ours: root must not give that away for
  // a user. Files that members of the group could change anyway are ours: root takes them back.
  private func isOurs(_ status: stat) -> Bool {
    if status.st_mode & S_IFMT == S_IFREG, status.st_nlink > 1 { return false }
    if status.st_uid == ownership.user { return true }
    return Ownership.isRoot && ownership.isShared && status.st_gid == ownership.group
      && status.st_mode & 0o060 == 0o060
  }
}

extension Queue {
  /// Explains why this user may not open the queue at `path`, and what to ask for.
  static func refusal(_ path: String, _ fault: Fault) -> Fault {
    var at = path
    var found = stat()
    // If a directory on the path is closed, that directory is the cause.
    while stat(at, &found) != 0 {
      guard errno == EACCES, at != "/", at != "." else { return fault }
      at = parent(of: at)
    }
    let ownership = Ownership(found)
    let what = at == path ? "it" : printable(at)
    let mode = "0" + String(ownership.mode, radix: 8)
    let user = userWord(ownership.user)
    let wayOut =
      ownership.isOwn
      ? "chmod u+rwx restores access"
      : ownership.isShared
        ? "join \(groupText(ownership.group)), or use sudo -u \(user)"
        : at == path
          ? "ask \(user) to run pipe init --share GROUP, or use sudo -u \(user)"
          : "ask \(user) to run chmod o+x, or use sudo -u \(user)"
    return Fault(
      .permission,
      "\(fault.text): \(what) belongs to \(userText(ownership.user)), \(groupText(ownership.group)),"
        + " mode \(mode) (\(wayOut))", code: fault.code)
  }
}
