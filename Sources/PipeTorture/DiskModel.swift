internal import Glibc
internal import PipeIO

/// What a disk is sure to hold of a tree: everything that was flushed, and of later changes any part that a
/// power cut may leave.
///
/// Rules of a cut, after POSIX fsync(2) and the file systems of Linux: a flushed file keeps its bytes, and a
/// flushed directory its names. Each later write to a file is kept, lost or torn. Later changes of one
/// directory are lost from some point on; those of different directories independently of each other.
struct DiskModel {
  /// A file or directory. A removed one stays in the model until the next power cut, which may bring it back.
  final class Node {
    let isDirectory: Bool
    let mode: mode_t
    /// When it was last written, unless a cut has changed it: `prune` removes only what is old.
    fileprivate(set) var written: timespec
    /// Bytes on disk.
    fileprivate(set) var bytes: [UInt8] = []
    /// Names on disk.
    fileprivate(set) var names: [String: Node] = [:]
    /// Names now.
    fileprivate(set) var current: [String: Node] = [:]
    fileprivate var writes: [Write] = []
    /// Pages that the kernel did not write and marked clean. The next write to such a page writes all of it.
    fileprivate(set) var forgotten: Set<Int> = []
    /// Programs whose next flush reports an earlier error.
    fileprivate var unaware: Set<pid_t> = []
    fileprivate var changes: [Change] = []
    /// The size now.
    fileprivate(set) var size = 0

    init(_ status: stat) {
      isDirectory = status.st_mode & S_IFMT == S_IFDIR
      mode = status.st_mode & 0o7777
      written = status.st_mtim
    }
  }

  fileprivate enum Write {
    case bytes([UInt8], at: Int)
    case size(Int)
  }

  fileprivate enum Change {
    case add(String, Node)
    case remove(String)
    case rename(String, to: String)
    case exchange(String, Node, String, Node)
  }

  let root: Node
  private var nodes: [FileID: Node] = [:]
  /// Bytes of the files that have names now, and of later growth of removed ones, in blocks of 4 KiB.
  private(set) var used = 0
  /// Programs whose next syncfs(2) reports an earlier error.
  private var unaware: Set<pid_t> = []

  struct FileID: Hashable {
    let device: dev_t
    let number: ino_t

    init(_ status: stat) { (device, number) = (status.st_dev, status.st_ino) }
  }

  /// The tree at `path` as it is, all of it on disk.
  init(_ path: String) throws(Fault) {
    let status = try DiskModel.status(path)
    root = Node(status)
    try load(root, path, status)
  }

  private static func status(_ path: String) throws(Fault) -> stat {
    var status = stat()
    if lstat(path, &status) != 0 { throw Fault("examine", path) }
    return status
  }

  private mutating func load(_ node: Node, _ path: String, _ status: stat) throws(Fault) {
    nodes[FileID(status)] = node
    guard node.isDirectory else {
      node.bytes = bytesOfFile(path) ?? []
      node.size = node.bytes.count
      used += DiskModel.blocks(node.size)
      return
    }
    guard let directory = try Directory.open(path) else { throw Fault("open", path, code: ENOENT) }
    for name in try directory.names() {
      let full = path + "/" + name
      let status = try DiskModel.status(full)
      let next = Node(status)
      node.names[name] = next
      try load(next, full, status)
    }
    node.current = node.names
  }

  static func blocks(_ size: Int) -> Int { (size + 4095) / 4096 * 4096 }

  subscript(_ status: stat) -> Node? { nodes[FileID(status)] }
}

// What happens to the tree. Each call follows the real one.
extension DiskModel {
  mutating func created(_ name: String, in directory: Node, _ status: stat) {
    let node = Node(status)
    nodes[FileID(status)] = node
    directory.current[name] = node
    directory.changes.append(.add(name, node))
  }

  mutating func removed(_ name: String, in directory: Node) {
    if let node = directory.current.removeValue(forKey: name), !node.isDirectory {
      used -= DiskModel.blocks(node.size)
    }
    directory.changes.append(.remove(name))
  }

  mutating func renamed(_ name: String, in directory: Node, to new: String, in other: Node) {
    guard let node = directory.current.removeValue(forKey: name) else { return }
    if let replaced = other.current[new], !replaced.isDirectory {
      used -= DiskModel.blocks(replaced.size)
    }
    other.current[new] = node
    if other === directory {
      directory.changes.append(.rename(name, to: new))
    } else {
      directory.changes.append(.remove(name))
      other.changes.append(.add(new, node))
    }
  }

  mutating func exchanged(_ name: String, _ other: String, in directory: Node) {
    guard let one = directory.current[name], let two = directory.current[other] else { return }
    (directory.current[name], directory.current[other]) = (two, one)
    directory.changes.append(.exchange(name, two, other, one))
  }

  mutating func written(_ bytes: [UInt8], to node: Node, at offset: Int) {
    resize(node, max(node.size, offset + bytes.count))
    node.noteTime()
    node.writes.append(.bytes(bytes, at: offset))
  }

  /// Whether a flush of this program reports an earlier error. nil: a flush of everything.
  mutating func owesError(_ node: Node?, to program: pid_t) -> Bool {
    guard let node else { return unaware.remove(program) != nil }
    return node.unaware.remove(program) != nil
  }

  /// The bytes of the forgotten pages that a write touches are dirty again.
  mutating func remembered(_ bytes: [UInt8], of node: Node, page: Int) {
    node.forgotten.remove(page)
    node.writes.append(.bytes(bytes, at: page * 4096))
  }

  mutating func truncated(_ node: Node, to size: Int) {
    resize(node, size)
    node.noteTime()
    node.writes.append(.size(size))
  }

  private mutating func resize(_ node: Node, _ size: Int) {
    used += DiskModel.blocks(size) - DiskModel.blocks(node.size)
    node.size = size
  }

  mutating func flushed(_ node: Node) {
    for write in node.writes { DiskModel.apply(write, to: &node.bytes) }
    node.writes = []
    node.names = node.current
    node.changes = []
  }

  /// The kernel marks clean what it could not flush, and the next flush succeeds without it; see "Can
  /// Applications Recover from fsync Failures?" (Rebello et al., 2020). `programs`: those that may have the file
  /// open, whose next flush reports the error as well, except that `program` knows of it.
  mutating func failedToFlush(_ node: Node, by program: pid_t, of programs: Set<pid_t>) {
    guard !node.isDirectory else { return }
    unaware.formUnion(programs)
    for case .bytes(let bytes, let offset) in node.writes {
      node.forgotten.formUnion(offset / 4096...max(offset, offset + bytes.count - 1) / 4096)
    }
    node.writes.removeAll { if case .bytes = $0 { true } else { false } }
    node.unaware.formUnion(programs.subtracting([program]))
  }

  mutating func flushedAll() { for node in nodes.values { flushed(node) } }

  fileprivate static func apply(_ write: Write, to content: inout [UInt8]) {
    switch write {
    case .size(let size):
      if size < content.count {
        content.removeLast(content.count - size)
      } else {
        content += [UInt8](repeating: 0, count: size - content.count)
      }
    case .bytes(let bytes, let offset):
      let end = offset + bytes.count
      if end > content.count { content += [UInt8](repeating: 0, count: end - content.count) }
      content.replaceSubrange(offset..<end, with: bytes)
    }
  }
}

// The power cut.
extension DiskModel {
  /// Replaces what is at `path` by what a power cut leaves. No process may use the tree.
  mutating func cut(_ path: String, _ random: inout SeededRandom) throws(Fault) {
    try restore(root, path, &random)
    self = try DiskModel(path)
  }

  // A directory that survives stays the same directory: pipe tells a copy of a queue by its age.
  private func restore(
    _ directory: Node, _ path: String, _ random: inout SeededRandom
  ) throws(Fault) {
    let names = directory.names(afterCut: &random)
    guard let real = try Directory.open(path) else { throw Fault("open", path, code: ENOENT) }
    for name in try real.names() {
      let full = path + "/" + name
      if let status = real.status(name), let node = self[status], node.isDirectory,
        names[name] === node
      {
        continue
      }
      try removeTree(full)
    }
    // Sorted: the same seed makes the same choices.
    for (name, node) in names.sorted(by: { $0.key < $1.key }) {
      let full = path + "/" + name
      if node.isDirectory {
        if mkdir(full, node.mode) != 0, errno != EEXIST { throw Fault("create", full) }
        try restore(node, full, &random)
      } else {
        let fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, node.mode)
        if fd < 0 { throw Fault("create", full) }
        let file = Descriptor(owning: fd, path: full)
        try file.append(node.bytes(afterCut: &random))
        var times = [node.written, node.written]
        _ = futimens(fd, &times)
      }
    }
  }
}

extension DiskModel.Node {
  fileprivate func noteTime() { clock_gettime(CLOCK_REALTIME, &written) }

  fileprivate func names(afterCut random: inout SeededRandom) -> [String: DiskModel.Node] {
    var left = names
    let kept =
      switch random.below(4) {
      case 0: 0
      case 1: changes.count
      default: random.below(changes.count + 1)
      }
    for change in changes.prefix(kept) {
      switch change {
      case .add(let name, let node): left[name] = node
      case .remove(let name): left[name] = nil
      case .rename(let name, let new):
        if let node = left.removeValue(forKey: name) { left[new] = node }
      case .exchange(let name, let node, let other, let another):
        (left[name], left[other]) = (node, another)
      }
    }
    return left
  }

  fileprivate func bytes(afterCut random: inout SeededRandom) -> [UInt8] {
    var left = bytes
    let style = random.below(4)
    for write in writes {
      // Everything, nothing, or each write by itself.
      let fate = style == 0 ? 0 : style == 1 ? 1 : random.below(5)
      switch (fate, write) {
      case (0, _): DiskModel.apply(write, to: &left)
      case (2, .bytes(let all, let offset)):
        let part = Array(all.prefix(random.below(all.count + 1)))
        DiskModel.apply(.bytes(part, at: offset), to: &left)
      case (3, .bytes(let all, let offset)):
        // The new size was on disk before the bytes.
        if offset + all.count > left.count { DiskModel.apply(.size(offset + all.count), to: &left) }
      case (4, .bytes(let all, let offset)):
        // One of its blocks was not on disk.
        let hole = random.below(all.count / 4096 + 1) * 4096
        DiskModel.apply(.bytes(Array(all.prefix(hole)), at: offset), to: &left)
        if hole + 4096 < all.count {
          let rest = Array(all.dropFirst(hole + 4096))
          DiskModel.apply(.bytes(rest, at: offset + hole + 4096), to: &left)
        }
      default: continue
      }
    }
    return left
  }
}
