import Foundation
import Glibc

/// The descriptors between a test and a process.
struct Plumbing {
  struct Ends {
    var ours: Int32?
    var theirs: Int32
  }

  private(set) var input: Ends
  private(set) var output: Ends
  private(set) var leash: Ends
  let errors: Int32

  /// Descriptor of the leash in a process and its children.
  private static let leashNumber: Int32 = 9

  init(_ command: Command) throws {
    switch command.input {
    case .nothing: input = Ends(ours: nil, theirs: try Plumbing.open("/dev/null", O_RDONLY))
    case .text, .held:
      let (reading, writing) = try Plumbing.makePipe()
      input = Ends(ours: writing, theirs: reading)
    }
    switch command.output {
    case .captured:
      let (reading, writing) = try Plumbing.makePipe()
      output = Ends(ours: reading, theirs: writing)
    case .file(let path):
      output = Ends(ours: nil, theirs: try Plumbing.open(path, O_WRONLY | O_CREAT | O_APPEND))
    }
    let (reading, writing) = try Plumbing.makePipe()
    leash = Ends(ours: reading, theirs: writing)
    let name = "\(Scratch.base)/pipe-crash.\(getpid()).stderr"
    errors = try Plumbing.open(name, O_RDWR | O_CREAT | O_EXCL)
    unlink(name)
  }

  func connect(_ actions: inout posix_spawn_file_actions_t) {
    posix_spawn_file_actions_adddup2(&actions, input.theirs, STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output.theirs, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    posix_spawn_file_actions_adddup2(&actions, leash.theirs, Plumbing.leashNumber)
  }

  func closeOtherSide() {
    for end in [input, output, leash] { close(end.theirs) }
  }

  private static func makePipe() throws -> (reading: Int32, writing: Int32) {
    var numbers: [Int32] = [0, 0]
    guard Glibc.pipe(&numbers) == 0 else { throw Failure("pipe: \(errno)") }
    for number in numbers { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    return (numbers[0], numbers[1])
  }

  private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
    let number = Glibc.open(path, flags | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw Failure("open \(path): \(String(cString: strerror(errno)))") }
    return number
  }
}

/// The reading end of a pipe.
final class Wire {
  private(set) var number: Int32?
  /// All bytes so far.
  private(set) var taken: [UInt8] = []
  private var given = 0
  private(set) var isAtEnd: Bool

  /// Milliseconds: no wait here takes this long on a busy machine, so a longer one never ends.
  private static let patience: Int32 = 60_000

  init(_ number: Int32?) {
    self.number = number
    isAtEnd = number == nil
  }

  /// The next line; nil at the end.
  func line() throws -> String? {
    while true {
      if let end = taken[given...].firstIndex(of: 0x0a) {
        defer { given = end + 1 }
        return String(decoding: taken[given..<end], as: UTF8.self)
      }
      if isAtEnd { return nil }
      try waitUntilReadable()
      take()
    }
  }

  /// Complete lines that were not returned yet; never blocks.
  func linesAtHand() -> [String] {
    guard let end = taken[given...].lastIndex(of: 0x0a) else { return [] }
    defer { given = end + 1 }
    return completeLines(Array(taken[given...end]))
  }

  func rest() throws -> [UInt8] {
    while !isAtEnd {
      try waitUntilReadable()
      take()
    }
    return taken
  }

  /// Waits until there is something to read, or no writer is left.
  func waitUntilReadable() throws {
    guard let number else { return }
    var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    let count = poll(&entry, 1, Wire.patience)
    if count == 0 { throw Failure("nothing came for \(Wire.patience / 1000) s") }
  }

  /// Reads once.
  func take(atMost limit: Int = 1 << 16) {
    guard let number else { return }
    var buffer = [UInt8](repeating: 0, count: limit)
    let count = read(number, &buffer, buffer.count)
    if count > 0 {
      taken += buffer[..<count]
    } else if count == 0 || errno != EINTR {
      isAtEnd = true
    }
  }

  /// Closes the pipe and discards the rest.
  func hangUp() {
    if let number { close(number) }
    number = nil
    isAtEnd = true
  }

  deinit { hangUp() }
}
