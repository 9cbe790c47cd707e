import Foundation
import Glibc

// No other test may start a process between the creation of a descriptor and its close-on-exec
// flag: that process would keep a pipe open whose reader waits for its end.
private let spawning = NSLock()

/// A running process.
final class Child {
  let command: Command
  let process: pid_t
  /// Its stdout, if captured.
  let output: Wire
  // Inherited by all that it starts: it ends with the last of them.
  private let leash: Wire
  private let errors: Int32
  private var input: Int32?
  private var ending: Ending?

  init(_ command: Command) throws {
    _ = Glibc.signal(SIGPIPE, SIG_IGN)
    spawning.lock()
    defer { spawning.unlock() }
    let plumbing = try Plumbing(command)
    defer { plumbing.closeOtherSide() }
    self.command = command
    process = try spawn(command, plumbing)
    output = Wire(plumbing.output.ours)
    leash = Wire(plumbing.leash.ours)
    errors = plumbing.errors
    input = plumbing.input.ours
    if case .text(let text) = command.input {
      feed(text)
      endInput()
    }
  }

  /// Writes to its stdin. A process that has ended is noticed elsewhere.
  func feed(_ text: String) {
    guard let input else { return }
    writeAll(Array(text.utf8), to: input)
  }

  func endInput() {
    if let input { close(input) }
    input = nil
  }

  func signal(_ number: Int32) { kill(process, number) }

  /// Waits for the process alone, not for what it started.
  @discardableResult
  func reap() -> Ending {
    if let ending { return ending }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let result = Ending(status: status)
    ending = result
    return result
  }

  /// Reads the rest of its output, and waits for it and for all that it started.
  func finish() -> Finished {
    endInput()
    var isHung = false
    do {
      _ = try output.rest()
      _ = try leash.rest()
    } catch {
      isHung = true
      kill(-process, SIGKILL)
      kill(process, SIGKILL)
    }
    let ending = reap()
    return Finished(
      command: command, ending: isHung ? .hung : ending, output: output.taken, errors: complaint)
  }

  /// Its stderr so far.
  var complaint: String {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = pread(errors, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }

  deinit {
    if ending == nil {
      kill(process, SIGKILL)
      reap()
    }
    endInput()
    close(errors)
  }
}

func writeAll(_ bytes: [UInt8], to number: Int32) {
  var done = 0
  while done < bytes.count {
    let count = bytes.withUnsafeBytes { write(number, $0.baseAddress! + done, $0.count - done) }
    if count < 0, errno != EINTR { return }
    done += max(0, count)
  }
}

private func spawn(_ command: Command, _ plumbing: Plumbing) throws -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer {
    posix_spawn_file_actions_destroy(&actions)
    posix_spawnattr_destroy(&attributes)
  }
  plumbing.connect(&actions)
  var signals = sigset_t()
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  sigaddset(&signals, SIGPIPE)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  posix_spawnattr_setpgroup(&attributes, 0)
  let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
  posix_spawnattr_setflags(&attributes, Int16(flags))
  let arguments = command.arguments.map { strdup($0) } + [nil]
  let variables = command.variables.map { strdup($0) } + [nil]
  defer { for text in arguments + variables { free(text) } }
  var process: pid_t = 0
  let code = posix_spawnp(&process, arguments[0]!, &actions, &attributes, arguments, variables)
  guard code == 0 else {
    throw Failure("\(command.arguments): \(String(cString: strerror(code)))")
  }
  return process
}
