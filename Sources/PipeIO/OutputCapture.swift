internal import CPipeIO
internal import Glibc

/// The first and the last bytes of an output, and how many it had.
package struct KeptOutput: Equatable, Sendable {
  package private(set) var head: [UInt8] = []
  package private(set) var tail: [UInt8] = []
  package private(set) var total = 0
  private let limit: Int

  /// Keeps at most `limit` bytes: all of a shorter output, otherwise half from each end.
  package init(limit: Int) { self.limit = limit }

  package init(head: [UInt8], tail: [UInt8], total: Int) {
    (self.head, self.tail, self.total, limit) = (head, tail, total, head.count + tail.count)
  }

  /// Bytes between `head` and `tail` that were not kept.
  package var cut: Int { total - head.count - tail.count }

  package mutating func append(_ piece: UnsafeRawBufferPointer) {
    total += piece.count
    let most = limit - limit / 2
    let first = min(piece.count, max(0, most - head.count))
    head.append(contentsOf: piece[..<first])
    let left = piece[first...]
    tail.append(contentsOf: left.suffix(limit / 2))
    // Cutting at twice the limit copies each byte at most once.
    if tail.count > limit { tail.removeFirst(tail.count - limit / 2) }
  }

  /// The same with at most `limit` bytes.
  package func trimmed(to limit: Int) -> KeptOutput {
    if head.count + tail.count <= limit { return self }
    let all = cut == 0 ? head + tail : tail
    return KeptOutput(
      head: Array(head.prefix(limit - limit / 2)), tail: Array(all.suffix(limit / 2)), total: total)
  }

  /// Call it at the end.
  package mutating func finish() {
    if tail.count > limit / 2 { tail.removeFirst(tail.count - limit / 2) }
  }
}

/// A pipe that takes the stdout or stderr of commands, one command at a time. What it reads goes to a
/// writer, at once or in one piece at the end.
package final class OutputCapture {
  private let reading: Descriptor
  private let writing: Descriptor
  private let destination: NonblockingWriter
  private let isGrouped: Bool
  private var kept: KeptOutput
  private let limit: Int
  private var group: [UInt8] = []
  /// The group, once it is long.
  private var spill: Descriptor?
  private let buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: OutputCapture.portion, alignment: 8)

  /// Bytes that a dead letter keeps of stderr.
  package static let letterLength = 4096
  /// Bytes read at once: the capacity of the pipe.
  private static let portion = 1 << 16
  /// Bytes of a group that stay in memory.
  private static let mostInMemory = 1 << 18

  /// `keeping`: bytes that `take` returns at most. `grouped`: one command's output is written in one
  /// piece, after it ended.
  package init(
    _ destination: NonblockingWriter, keeping limit: Int, grouped: Bool = false
  ) throws(Fault) {
    (reading, writing) = try makePipe("output of the command")
    _ = cpipe_set_nonblocking(reading.fd)
    self.destination = destination
    self.limit = limit
    isGrouped = grouped
    kept = KeptOutput(limit: limit)
  }

  package var readingFD: Int32 { reading.fd }
  package var writingFD: Int32 { writing.fd }

  /// Forwards what the pipe holds, without waiting. Reads once, because a process may write without
  /// end.
  package func pump() {
    let count = retryingInterrupts { read(reading.fd, buffer.baseAddress, buffer.count) }
    guard count > 0 else { return }
    let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    kept.append(piece)
    if isGrouped { collect(piece) } else { destination.append(piece) }
  }

  // A group that finds no room for its file is written before its end.
  private func collect(_ piece: UnsafeRawBufferPointer) {
    if let spill {
      do throws(Fault) { try spill.append(Array(piece)) } catch { writeGroup() }
      return
    }
    group.append(contentsOf: piece)
    guard group.count > OutputCapture.mostInMemory else { return }
    guard let file = unnamedFile(), (try? file.append(group)) != nil else { return writeGroup() }
    spill = file
    group.removeAll()
  }

  private func writeGroup() {
    if let spill { destination.append(spill) }
    spill = nil
    if group.isEmpty { return }
    group.withUnsafeBytes { destination.append($0) }
    group.removeAll(keepingCapacity: true)
  }

  /// Call it when a command has ended: reads the rest of its output and returns what is kept of it. The
  /// next command starts with none.
  package func take() -> KeptOutput {
    pump()
    if isGrouped { writeGroup() }
    defer { kept = KeptOutput(limit: limit) }
    kept.finish()
    return kept
  }

  deinit { buffer.deallocate() }
}

/// A file without a name in $TMPDIR, or else in /tmp; nil if it cannot be made.
private func unnamedFile() -> Descriptor? {
  for directory in [variable("TMPDIR"), "/tmp"] {
    guard let directory else { continue }
    let fd = openFile(directory, cpipe_o_tmpfile | O_RDWR, mode: 0o600)
    if fd >= 0 { return Descriptor(owning: fd, path: directory) }
  }
  return nil
}

/// A pipe with both ends close-on-exec. `name`: for messages.
package func makePipe(
  _ name: String
) throws(Fault) -> (reading: Descriptor, writing: Descriptor) {
  var ends: [Int32] = [-1, -1]
  if cpipe_pipe(&ends) != 0 { throw Fault("create a pipe", name) }
  return (Descriptor(owning: ends[0], path: name), Descriptor(owning: ends[1], path: name))
}

/// The reader of stdout, if stdout is a pipe or a socket: it can close.
package struct OutputReader {
  /// nil if stdout has no reader that can close.
  package init?() {
    var status = stat()
    guard fstat(STDOUT_FILENO, &status) == 0,
      cpipe_is_pipe(&status) != 0 || cpipe_is_socket(&status) != 0,
      cpipe_is_read_only(STDOUT_FILENO) == 0
    else { return nil }
  }

  package var fd: Int32 { STDOUT_FILENO }

  package var isGone: Bool {
    var entry = pollfd(fd: fd, events: 0, revents: 0)
    return poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLERR | POLLHUP) != 0
  }
}
