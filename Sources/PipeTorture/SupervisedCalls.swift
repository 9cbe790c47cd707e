internal import CPipeIO
internal import CPipeTorture
internal import Glibc

/// Makes the calls of supervised programs in their place, and notes in the model what they change.
///
/// Calls on files outside the tree are left to the kernel: they may block, and no power cut undoes them.
struct SupervisedCalls {
  var disk: DiskModel
  /// The most bytes that files may take; nil for no limit.
  var limit: Int?
  /// The programs that run.
  var programs: Set<pid_t> = []
  /// Flushes return at once and flush nothing.
  var isLying = false

  /// What is to happen to a call.
  enum Decision {
    case make
    case fail(Int32)
    /// Only if it is a write: this part of the bytes, from 0 to 1.
    case makePartly(Double)
    /// No answer: the program is killed.
    case abandon
  }

  /// Answers a call of `program` or its commands. `decide` is asked only if the call changes or flushes the tree.
  mutating func answer(
    _ call: cpipe_call, of program: pid_t, _ listener: Int32, _ decide: () -> Decision
  ) {
    switch call.kind {
    case cpipe_call_openat, cpipe_call_openat2: open(call, listener, decide)
    case cpipe_call_mkdirat: makeDirectory(call, listener, decide)
    case cpipe_call_unlinkat: remove(call, listener, decide)
    case cpipe_call_renameat2: rename(call, listener, decide)
    case cpipe_call_write, cpipe_call_pwrite: write(call, listener, decide)
    case cpipe_call_ftruncate: truncate(call, listener, decide)
    case cpipe_call_fallocate: punch(call, listener, decide)
    case cpipe_call_fsync, cpipe_call_fdatasync, cpipe_call_syncfs:
      flush(call, program, listener, decide)
    default: leave(call, listener)
    }
  }

  private func leave(_ call: cpipe_call, _ listener: Int32) {
    _ = cpipe_continue_call(listener, call.id)
  }

  // An answer to a program that died meanwhile has no effect.
  private func finish(_ call: cpipe_call, _ listener: Int32, _ value: Int, _ code: Int32) {
    _ = cpipe_answer_call(listener, call.id, Int64(value), code)
  }

  private func refuse(_ call: cpipe_call, _ listener: Int32, _ decision: Decision) -> Bool {
    switch decision {
    case .make, .makePartly: return false
    case .abandon: return true
    case .fail(let code):
      finish(call, listener, -1, code)
      return true
    }
  }

  // MARK: names

  private mutating func open(
    _ call: cpipe_call, _ listener: Int32, _ decide: () -> Decision
  ) {
    guard let how = OpenHow(call), how.flags & UInt64(O_CREAT | O_TRUNC) != 0,
      let place = Place(call, 0, 1, disk)
    else { return leave(call, listener) }
    let isCreating = how.flags & UInt64(O_CREAT) != 0
    if refuse(call, listener, decide()) { return }
    let existed = place.status != nil
    if isCreating, isFull(adding: 0), !existed { return finish(call, listener, -1, ENOSPC) }
    let fd = cpipe_open_how(place.fd.number, place.path, how.flags, how.mode, how.resolve)
    if fd < 0 { return finish(call, listener, -1, errno) }
    defer { close(fd) }
    if let status = fileStatus(fd) {
      if isCreating, !existed {
        disk.created(place.name, in: place.directory, status)
      } else if how.flags & UInt64(O_TRUNC) != 0, let node = disk[status], node.size > 0 {
        disk.truncated(node, to: 0)
      }
    }
    let isClosedOnExec: Int32 = how.flags & UInt64(O_CLOEXEC) != 0 ? 1 : 0
    _ = cpipe_answer_with_descriptor(listener, call.id, fd, isClosedOnExec)
  }

  private mutating func makeDirectory(
    _ call: cpipe_call, _ listener: Int32, _ decide: () -> Decision
  ) {
    guard let place = Place(call, 0, 1, disk) else { return leave(call, listener) }
    if refuse(call, listener, decide()) { return }
    if isFull(adding: 0) { return finish(call, listener, -1, ENOSPC) }
    if mkdirat(place.fd.number, place.path, mode_t(truncatingIfNeeded: call.args.2)) != 0 {
      return finish(call, listener, -1, errno)
    }
    if let status = place.status { disk.created(place.name, in: place.directory, status) }
    finish(call, listener, 0, 0)
  }

  private mutating func remove(
    _ call: cpipe_call, _ listener: Int32, _ decide: () -> Decision
  ) {
    guard let place = Place(call, 0, 1, disk) else { return leave(call, listener) }
    if refuse(call, listener, decide()) { return }
    if unlinkat(place.fd.number, place.path, Int32(truncatingIfNeeded: call.args.2)) != 0 {
      return finish(call, listener, -1, errno)
    }
    disk.removed(place.name, in: place.directory)
    finish(call, listener, 0, 0)
  }

  private mutating func rename(
    _ call: cpipe_call, _ listener: Int32, _ decide: () -> Decision
  ) {
    guard let from = Place(call, 0, 1, disk), let to = Place(call, 2, 3, disk) else {
      return leave(call, listener)
    }
    if refuse(call, listener, decide()) { return }
    let flags = UInt32(truncatingIfNeeded: call.args.4)
    if renameat2(from.fd.number, from.path, to.fd.number, to.path, flags) != 0 {
      return finish(call, listener, -1, errno)
    }
    if flags & 2 /* RENAME_EXCHANGE */ != 0 {
      disk.exchanged(from.name, to.name, in: from.directory)
    } else {
      disk.renamed(from.name, in: from.directory, to: to.name, in: to.directory)
    }
    finish(call, listener, 0, 0)
  }

  // MARK: bytes

  private mutating func write(
    _ call: cpipe_call, _ listener: Int32, _ decide: () -> Decision
  ) {
    guard let (file, node) = openFile(of: call), !node.isDirectory else {
      return leave(call, listener)
    }
    var count = Int(truncatingIfNeeded: call.args.2)
    let decision = decide()
    if refuse(call, listener, decision) { return }
    if case .makePartly(let part) = decision { count = max(1, Int(Double(count) * part)) }
    var bytes = [UInt8](repeating: 0, count: min(count, 1 << 20))
    let read = bytes.withUnsafeMutableBytes {
      cpipe_read_memory(call.thread, call.args.1, $0.baseAddress, $0.count)
    }
    guard read == bytes.count else { return leave(call, listener) }
    let offset = offset(of: call, file.number, node)
    let growth = DiskModel.blocks(offset + bytes.count) - DiskModel.blocks(node.size)
    if growth > 0, isFull(adding: growth) {
      // As far as the last block of the file has room.
      let room = max(0, DiskModel.blocks(node.size) - offset)
      if room == 0 { return finish(call, listener, -1, ENOSPC) }
      bytes.removeLast(bytes.count - room)
    }
    let usesPosition = call.kind == cpipe_call_write
    let written = bytes.withUnsafeBytes {
      cpipe_write_at(file.number, $0.baseAddress, $0.count, usesPosition ? -1 : Int64(offset))
    }
    if written < 0 { return finish(call, listener, -1, errno) }
    if written > 0, !node.forgotten.isEmpty { remember(file.number, node, offset, written) }
    disk.written(Array(bytes.prefix(written)), to: node, at: offset)
    finish(call, listener, written, 0)
  }

  private mutating func remember(
    _ fd: Int32, _ node: DiskModel.Node, _ offset: Int, _ count: Int
  ) {
    let pages = (offset / 4096...(offset + count - 1) / 4096).filter(node.forgotten.contains)
    guard !pages.isEmpty else { return }
    // The program's descriptor may be for writing only.
    let copy = Glibc.open("/proc/self/fd/\(fd)", O_RDONLY | O_CLOEXEC)
    guard copy >= 0 else { return }
    defer { close(copy) }
    var page = [UInt8](repeating: 0, count: 4096)
    for number in pages {
      let read = pread(copy, &page, page.count, off_t(number * 4096))
      disk.remembered(Array(page.prefix(max(0, read))), of: node, page: number)
    }
  }

  private func offset(of call: cpipe_call, _ fd: Int32, _ node: DiskModel.Node) -> Int {
    if call.kind == cpipe_call_pwrite { return Int(truncatingIfNeeded: call.args.3) }
    return fcntl(fd, F_GETFL) & O_APPEND != 0 ? node.size : Int(lseek(fd, 0, SEEK_CUR))
  }

  private mutating func truncate(
    _ call: cpipe_call, _ listener: Int32, _ decide: () -> Decision
  ) {
    guard let (file, node) = openFile(of: call) else { return leave(call, listener) }
    if refuse(call, listener, decide()) { return }
    let size = Int(truncatingIfNeeded: call.args.1)
    let growth = DiskModel.blocks(size) - DiskModel.blocks(node.size)
    if growth > 0, isFull(adding: growth) { return finish(call, listener, -1, ENOSPC) }
    if ftruncate(file.number, off_t(size)) != 0 { return finish(call, listener, -1, errno) }
    disk.truncated(node, to: size)
    finish(call, listener, 0, 0)
  }

  // A hole counts as zeros that were written. Other allocations change no bytes.
  private mutating func punch(
    _ call: cpipe_call, _ listener: Int32, _ decide: () -> Decision
  ) {
    let mode = Int32(truncatingIfNeeded: call.args.1)
    guard mode & 2 /* FALLOC_FL_PUNCH_HOLE */ != 0, let (file, node) = openFile(of: call) else {
      return leave(call, listener)
    }
    if refuse(call, listener, decide()) { return }
    let offset = Int(truncatingIfNeeded: call.args.2)
    let count = min(Int(truncatingIfNeeded: call.args.3), node.size - offset)
    if fallocate(file.number, mode, off_t(offset), off_t(call.args.3)) != 0 {
      return finish(call, listener, -1, errno)
    }
    if count > 0 { disk.written([UInt8](repeating: 0, count: count), to: node, at: offset) }
    finish(call, listener, 0, 0)
  }

  private mutating func flush(
    _ call: cpipe_call, _ program: pid_t, _ listener: Int32, _ decide: () -> Decision
  ) {
    guard let (file, node) = openFile(of: call) else { return leave(call, listener) }
    let decision = decide()
    if case .fail = decision { disk.failedToFlush(node, by: program, of: programs) }
    if refuse(call, listener, decision) { return }
    if isLying { return finish(call, listener, 0, 0) }
    let isAll = call.kind == cpipe_call_syncfs
    if disk.owesError(isAll ? nil : node, to: program) { return finish(call, listener, -1, EIO) }
    // The disk under test flushes as well.
    let result =
      switch call.kind {
      case cpipe_call_fsync: fsync(file.number)
      case cpipe_call_fdatasync: fdatasync(file.number)
      default: syncfs(file.number)
      }
    if result != 0 { return finish(call, listener, -1, errno) }
    if isAll { disk.flushedAll() } else { disk.flushed(node) }
    finish(call, listener, 0, 0)
  }

  private func isFull(adding bytes: Int) -> Bool {
    limit.map { disk.used + bytes >= $0 } ?? false
  }

  /// The file of the tree whose descriptor is a call's first argument.
  private func openFile(of call: cpipe_call) -> (DescriptorCopy, DiskModel.Node)? {
    guard let file = DescriptorCopy(call.thread, Int32(truncatingIfNeeded: call.args.0)),
      let status = fileStatus(file.number), let node = disk[status]
    else { return nil }
    return (file, node)
  }
}

private func fileStatus(_ fd: Int32) -> stat? {
  var status = stat()
  return fstat(fd, &status) == 0 ? status : nil
}

/// A copy of the descriptor that is a call's argument.
private final class DescriptorCopy {
  let number: Int32

  init?(_ thread: pid_t, _ fd: Int32) {
    number = cpipe_copy_descriptor(thread, fd)
    if number < 0 { return nil }
  }

  deinit { if number >= 0 { close(number) } }
}

/// A name in a directory of the tree.
private struct Place {
  let fd: DescriptorCopy
  let path: String
  let name: String
  let directory: DiskModel.Node

  /// nil if it is outside the tree, or if the call names it by an absolute path or from the working
  /// directory: pipe opens a queue's files from descriptors only. `directory`, `path`: which arguments of the
  /// call they are.
  init?(_ call: cpipe_call, _ directory: Int, _ path: Int, _ disk: DiskModel) {
    let all = [call.args.0, call.args.1, call.args.2, call.args.3]
    guard let fd = DescriptorCopy(call.thread, Int32(truncatingIfNeeded: all[directory])),
      let text = Place.text(call.thread, all[path]), !text.hasPrefix("/")
    else { return nil }
    let parts = text.split(separator: "/")
    guard let last = parts.last else { return nil }
    let above = parts.dropLast().joined(separator: "/")
    var status = stat()
    guard fstatat(fd.number, above.isEmpty ? "." : above, &status, AT_SYMLINK_NOFOLLOW) == 0,
      let node = disk[status]
    else { return nil }
    (self.fd, self.path, name, self.directory) = (fd, text, String(last), node)
  }

  private static func text(_ thread: pid_t, _ address: UInt64) -> String? {
    var bytes = [UInt8](repeating: 0, count: 4096)
    // To the end of its page: the next one may not exist.
    let size = min(bytes.count, 4096 - Int(address % 4096))
    var count = bytes.withUnsafeMutableBytes {
      cpipe_read_memory(thread, address, $0.baseAddress, size)
    }
    if count > 0, !bytes.prefix(count).contains(0) {
      let more = bytes.withUnsafeMutableBytes {
        cpipe_read_memory(
          thread, address + UInt64(count), $0.baseAddress! + count, $0.count - count)
      }
      count += max(0, more)
    }
    guard count > 0, let end = bytes.prefix(count).firstIndex(of: 0) else { return nil }
    return String(decoding: bytes[..<end], as: UTF8.self)
  }

  var status: stat? {
    var status = stat()
    return fstatat(fd.number, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
  }
}

/// How a call opens a file.
private struct OpenHow {
  var flags: UInt64
  var mode: UInt64
  var resolve: UInt64

  init?(_ call: cpipe_call) {
    if call.kind == cpipe_call_openat {
      // The kernel refuses a mode where nothing is created.
      (flags, resolve) = (call.args.2 & 0xffff_ffff, 0)
      mode = flags & UInt64(O_CREAT) != 0 ? call.args.3 & 0o7777 : 0
      return
    }
    var words = [UInt64](repeating: 0, count: 3)
    let size = words.withUnsafeMutableBytes {
      cpipe_read_memory(call.thread, call.args.2, $0.baseAddress, $0.count)
    }
    guard size == 24 else { return nil }
    (flags, mode, resolve) = (words[0], words[1], words[2])
  }
}
