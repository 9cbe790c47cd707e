import Foundation
import Glibc

// No other test may start a process between the creation of a descriptor and its close-on-exec
// flag: that process would hold open what a reader waits to see closed.
private let spawning = NSLock()

/// Reading and writing ends that no child inherits by default.
func makePipe() throws -> (reading: Int32, writing: Int32) {
  var numbers: [Int32] = [0, 0]
  try spawning.withLock {
    guard pipe(&numbers) == 0 else { throw Failure("pipe: \(errno)") }
    for number in numbers { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
  }
  return (numbers[0], numbers[1])
}

/// The descriptors between a test and a process.
struct Plumbing {
  struct Ends {
    var ours: Int32?
    var theirs: Int32
  }

  let input: Ends
  let output: Ends
  let errors: Ends
  /// Inherited by all that the process starts: it ends with the last of them.
  let descendants: Ends?

  /// Descriptor of `descendants` in the process.
  private static let descendantsNumber: Int32 = 9

  init(_ command: Command) throws {
    switch command.input {
    case .nothing: input = Ends(ours: nil, theirs: try Plumbing.open("/dev/null", O_RDONLY))
    case .text, .held:
      let (reading, writing) = try makePipe()
      input = Ends(ours: writing, theirs: reading)
    }
    switch command.output {
    case .captured: output = try Plumbing.read()
    case .file(let path):
      output = Ends(ours: nil, theirs: try Plumbing.open(path, O_WRONLY | O_CREAT | O_APPEND))
    }
    errors = try Plumbing.read()
    descendants = command.waitsForDescendants ? try Plumbing.read() : nil
  }

  /// By descriptor in the process.
  var theirs: [(number: Int32, descriptor: Int32)] {
    [(STDIN_FILENO, input.theirs), (STDOUT_FILENO, output.theirs), (STDERR_FILENO, errors.theirs)]
      + (descendants.map { [(Plumbing.descendantsNumber, $0.theirs)] } ?? [])
  }

  func closeOtherSide() { for end in theirs { close(end.descriptor) } }

  private static func read() throws -> Ends {
    let (reading, writing) = try makePipe()
    return Ends(ours: reading, theirs: writing)
  }

  private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
    let number = Glibc.open(path, flags | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw Failure("open \(path): \(String(cString: strerror(errno)))") }
    return number
  }
}

/// Starts a program with these descriptors, in a process group of its own.
func spawn(_ command: Command, _ descriptors: [(number: Int32, descriptor: Int32)]) throws -> pid_t
{
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer {
    posix_spawn_file_actions_destroy(&actions)
    posix_spawnattr_destroy(&attributes)
  }
  for (number, descriptor) in descriptors {
    posix_spawn_file_actions_adddup2(&actions, descriptor, number)
  }
  setUsualSignals(&attributes)
  let words = (command.scratch.map { ["/usr/bin/env", "-C", $0.path] } ?? []) + command.arguments
  let path = command.environment["PATH"] ?? ""
  guard let program = location(of: words[0], in: path) else {
    throw Failure("\(words): not in \(path)")
  }
  let arguments = words.map { strdup($0) } + [nil]
  let variables = command.environment.map { strdup("\($0)=\($1)") } + [nil]
  defer { for text in arguments + variables { free(text) } }
  var process: pid_t = 0
  let code = spawning.withLock {
    posix_spawn(&process, program, &actions, &attributes, arguments, variables)
  }
  guard code == 0 else {
    throw Failure("\(words): \(String(cString: strerror(code)))")
  }
  return process
}

private func setUsualSignals(_ attributes: inout posix_spawnattr_t) {
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  sigaddset(&signals, SIGPIPE)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  posix_spawnattr_setpgroup(&attributes, 0)
  let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
  posix_spawnattr_setflags(&attributes, Int16(flags))
}
