internal import CPipeIO
internal import Glibc
internal import PipeIO

/// Writes files aside. Those of one directory come together: its names are on disk before another directory
/// is begun, and the last one's once all is flushed.
struct AsideWriter {
  /// What is to be on disk.
  enum Extent {
    /// Names: what the files hold only informs.
    case names
    /// Names and files, one by one.
    case files
    /// The whole file system at the end, which comes cheaper than many files.
    case all
  }

  private let queue: Queue
  private let extent: Extent
  private var open: (directory: Directory, kind: Aside, lane: Priority, shard: Int)?

  init(_ queue: Queue, flushing extent: Extent) {
    self.queue = queue
    self.extent = extent
  }

  mutating func write(_ name: AsideName, _ bytes: [UInt8]) throws(Fault) {
    let directory = try directory(of: name)
    let file = try Descriptor.create(name.text, in: directory, O_WRONLY | O_TRUNC)
    if !bytes.isEmpty { try bytes.write(to: file, at: 0) }
    if extent == .files { try file.flush() }
  }

  func flush() throws(Fault) {
    if extent == .all { try queue.root.flushFileSystem() } else { try open?.directory.flush() }
  }

  private mutating func directory(of name: AsideName) throws(Fault) -> Directory {
    let (kind, lane, shard) = (name.kind, name.range.lane, name.shard)
    if let open, open.kind == kind, open.lane == lane, open.shard == shard { return open.directory }
    if extent != .all { try flush() }
    let directory = try queue.asideDirectory(kind, lane, shard)
    open = (directory, kind, lane, shard)
    return directory
  }
}
