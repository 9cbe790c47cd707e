internal import CPipeIO
internal import Glibc

/// A command that runs: a child process, which leads a process group of its own unless it shares the
/// terminal with this one.
package struct Worker {
  package let process: Int32
  package let leadsGroup: Bool

  package enum Ending: Equatable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  package enum Change: Equatable {
    case ended(Ending)
    /// It is in the background and wants the terminal: without help it never goes on.
    case wantsTerminal
  }

  /// What has happened to a child, if to any; never blocks.
  package static func change() -> (process: Int32, change: Change)? {
    while true {
      var status: Int32 = 0
      let process = retryingInterrupts { waitpid(-1, &status, WNOHANG | WUNTRACED) }
      guard process > 0 else { return nil }
      switch cpipe_stop_signal(status) {
      case 0:
        return (
          process,
          .ended(
            cpipe_exited(status) != 0
              ? .exited(cpipe_exit_status(status)) : .killed(signal: cpipe_term_signal(status)))
        )
      case SIGTTIN, SIGTTOU: return (process, .wantsTerminal)
      // Another process has stopped it, and can continue it.
      default: continue
      }
    }
  }

  /// To the whole group: a command may have started others. One that is stopped goes on, to end.
  package func terminate() {
    kill(target, SIGTERM)
    kill(target, SIGCONT)
  }

  package func destroy() { kill(target, SIGKILL) }

  private var target: Int32 { leadsGroup ? -process : process }

  /// Whether the group has members, `process` being one until its end was seen.
  package var hasGroup: Bool { leadsGroup && (kill(-process, 0) == 0 || errno == EPERM) }
}

/// What is run again and again: the words of a command and what of the environment stays the same.
package final class Command {
  package enum Start {
    case running(Worker)
    /// It cannot be executed: the reason.
    case refused(String)
  }

  package let name: String
  private let arguments: [UnsafeMutablePointer<CChar>?]
  private let environment: [UnsafeMutablePointer<CChar>?]
  private let alone = SpawnAttributes(newGroup: true)
  private let shared = SpawnAttributes(newGroup: false)
  private let actions = SpawnActions()

  /// `varying`: variables that each start sets anew, or leaves unset.
  /// The words are those behind the first `--` of the command line, byte for byte.
  package init(varying: [String]) {
    let words = commandWords()
    name = String(system: words[0])
    arguments = words.map { strdup($0) } + [nil]
    var kept: [UnsafeMutablePointer<CChar>?] = []
    var at = cpipe_environment()!
    while let variable = at.pointee {
      let isVarying = varying.contains { strncmp(variable, $0 + "=", $0.utf8.count + 1) == 0 }
      if !isVarying { kept.append(strdup(variable)) }
      at += 1
    }
    environment = kept
  }

  /// Runs it without a shell. `kept` stays open in it under the same number; `settings` (`NAME=value`)
  /// are added to the environment. `inForeground`: it stays in the process group of this process, so that
  /// it can use the terminal, and what is typed to interrupt or to stop reaches both.
  package func start(
    _ streams: WorkerStreams, keeping kept: Int32?, settings: [String], inForeground: Bool
  ) throws(Fault) -> Start {
    let added = settings.map { $0.withSystemText { strdup($0) } }
    defer { for text in added { free(text) } }
    let variables = environment + added + [nil]
    var process: pid_t = 0
    let code = actions.prepared(streams, keeping: kept) {
      posix_spawnp(
        &process, arguments[0]!, $0, (inForeground ? shared : alone).pointer, arguments, variables)
    }
    if code == EAGAIN || code == ENOMEM { throw Fault("start", name, code: code) }
    return code == 0
      ? .running(Worker(process: process, leadsGroup: !inForeground))
      : .refused("\(printable(name)): \(String(cString: strerror(code)))")
  }

  deinit {
    for text in arguments + environment { free(text) }
  }
}

/// A file without a name, in memory, read from its start by whoever gets it: what a command has as stdin.
/// Unlike a pipe it never blocks the writer, whatever the command reads.
package struct MemoryFile: ~Copyable {
  package let number: Int32

  package init() throws(Fault) {
    number = cpipe_memfd("pipe-items")
    if number < 0 { throw Fault("create", "memory file") }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    var done = 0
    while done < bytes.count {
      let count = retryingInterrupts {
        Glibc.write(number, bytes.baseAddress! + done, bytes.count - done)
      }
      if count < 0 { throw Fault("write", "memory file") }
      done += count
    }
  }

  package func rewind() { lseek(number, 0, SEEK_SET) }

  deinit {
    close(number)
  }
}

/// What becomes a command's standard descriptors; nil: it has those of this process.
package struct WorkerStreams: Hashable {
  package let input: Int32
  package let output: Int32?
  package let errors: Int32?

  package init(input: Int32, output: Int32? = nil, errors: Int32? = nil) {
    self.input = input
    self.output = output
    self.errors = errors
  }
}

/// Which descriptors posix_spawn gives to a command. Kept for the next one with the same numbers: each
/// action that is added asks the system twice how many descriptors there may be.
final class SpawnActions {
  private struct Key: Hashable {
    let streams: WorkerStreams
    let kept: Int32?
  }

  private var prepared: [Key: UnsafeMutablePointer<posix_spawn_file_actions_t>] = [:]

  /// More than commands that run at once have numbers.
  private static let most = 256

  func prepared(
    _ streams: WorkerStreams, keeping kept: Int32?,
    _ body: (UnsafePointer<posix_spawn_file_actions_t>) -> Int32
  ) -> Int32 {
    let key = Key(streams: streams, kept: kept)
    if let actions = prepared[key] { return body(actions) }
    if prepared.count == SpawnActions.most { forget() }
    let actions = UnsafeMutablePointer<posix_spawn_file_actions_t>.allocate(capacity: 1)
    posix_spawn_file_actions_init(actions)
    posix_spawn_file_actions_adddup2(actions, streams.input, STDIN_FILENO)
    if let output = streams.output {
      posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO)
    }
    if let errors = streams.errors {
      posix_spawn_file_actions_adddup2(actions, errors, STDERR_FILENO)
    }
    // Onto itself: this is how posix_spawn is told to let a descriptor through.
    if let kept { posix_spawn_file_actions_adddup2(actions, kept, kept) }
    prepared[key] = actions
    return body(actions)
  }

  private func forget() {
    for actions in prepared.values {
      posix_spawn_file_actions_destroy(actions)
      actions.deallocate()
    }
    prepared = [:]
  }

  deinit { forget() }
}

/// How posix_spawn starts a command: no signal blocked, and none ignored that only this process ignores.
final class SpawnAttributes {
  let pointer = UnsafeMutablePointer<posix_spawnattr_t>.allocate(capacity: 1)

  /// `newGroup`: it leads a process group of its own.
  init(newGroup: Bool) {
    posix_spawnattr_init(pointer)
    var (blocked, ours) = (signalSet([]), signalSet([SIGPIPE, SIGXFSZ, SIGCHLD]))
    posix_spawnattr_setsigmask(pointer, &blocked)
    posix_spawnattr_setsigdefault(pointer, &ours)
    posix_spawnattr_setpgroup(pointer, 0)
    let group = newGroup ? POSIX_SPAWN_SETPGROUP : 0
    posix_spawnattr_setflags(
      pointer, Int16(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  }

  deinit {
    posix_spawnattr_destroy(pointer)
    pointer.deallocate()
  }
}
