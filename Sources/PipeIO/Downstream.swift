internal import CPipeIO
internal import Glibc

/// The rest of a pipeline whose first process, this one, has given it the end: the pipes from stdout on,
/// `a | b | c`, each kept without holding either end. While one of them has a reader, what was handed out
/// may still be at work there.
package final class Downstream {
  private var pipes: [(name: String, file: Descriptor)] = []
  private let closings: Watch

  /// Before stdout is closed. nil where the system does not report its reader.
  init?() {
    guard let closings = try? Watch({ _ in }) else { return nil }
    self.closings = closings
    guard let name = target("/proc/self/fd/1"), add(name, "/proc/self/fd/1") else { return nil }
    extend()
  }

  /// Something to read there: ask whether it is over.
  package var number: Int32 { closings.number }

  /// Whether no process reads any more. Those that have started meanwhile are found too.
  package var isOver: Bool {
    _ = closings.drain { _ in true }
    extend()
    return !pipes.contains { Downstream.hasReader($0.file) }
  }

  private func add(_ name: String, _ path: String) -> Bool {
    let number = cpipe_open_path(path)
    guard number >= 0 else { return false }
    let file = Descriptor(owning: number, path: name)
    guard (try? closings.closings(of: file)) != nil, !closings.isBlind else { return false }
    pipes.append((name, file))
    return true
  }

  // The stdout of a process whose stdin is one of these pipes is the next, unless it is what the whole
  // pipeline writes to: that is a process's own that waits for this one.
  private func extend() {
    let processes = Downstream.processes()
    let beyond = Set(Downstream.ancestors().compactMap { target("/proc/\($0)/fd/1") })
    var found = true
    while found {
      found = false
      for (process, input) in processes where pipes.contains(where: { $0.name == input }) {
        let path = "/proc/\(process)/fd/1"
        guard let output = target(path), output.hasPrefix("pipe:["), !beyond.contains(output),
          !pipes.contains(where: { $0.name == output }), add(output, path)
        else { continue }
        found = true
      }
    }
  }

  /// Those whose stdin is a pipe, and which one.
  private static func processes() -> [(process: Int32, input: String)] {
    let names = (try? Directory.open("/proc")?.names()) ?? []
    return names.compactMap { name in
      guard let process = Int32(name), process != getpid(), let input = target("/proc/\(name)/fd/0")
      else { return nil }
      return (process, input)
    }
  }

  private static func ancestors() -> [Int32] {
    var found: [Int32] = []
    var process = getppid()
    while process > 1, found.count < 64 {
      found.append(process)
      // `4711 (a name) S 4710 …`
      guard let text = textOfFile("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
        break
      }
      let columns = text[end...].split(separator: " ")
      process = columns.count > 2 ? Int32(columns[2]) ?? 0 : 0
    }
    return found
  }

  // Held for an instant, and closed before anybody could miss the end.
  private static func hasReader(_ file: Descriptor) -> Bool {
    let number = cpipe_openat(
      AT_FDCWD, "/proc/self/fd/\(file.number)", O_WRONLY | O_NONBLOCK | O_CLOEXEC, 0)
    guard number >= 0 else { return errno != ENXIO }
    defer { close(number) }
    var entry = pollfd(fd: number, events: 0, revents: 0)
    return poll(&entry, 1, 0) <= 0 || entry.revents & Int16(POLLERR) == 0
  }
}

private func target(_ path: String) -> String? {
  var buffer = [CChar](repeating: 0, count: 256)
  let count = readlink(path, &buffer, buffer.count)
  guard count > 0, count < buffer.count else { return nil }
  return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
}
