internal import CPipeIO
internal import Glibc

/// A command that runs: a child process that leads a process group of its own.
package struct Worker {
  package let process: Int32

  package enum Ending: Equatable {
    case exited(Int32)
    case killed(signal: Int32)
  }

  package enum Start {
    case running(Worker)
    /// It cannot be executed: the reason.
    case refused(String)
  }

  /// Runs `command` without a shell. `input` becomes its stdin, `kept` stays open in it under the same
  /// number; `settings` are added to the environment, or taken out of it where they have no value.
  package static func start(
    _ command: [String], input: Int32, keeping kept: Int32?, settings: [(String, String?)]
  ) -> Start {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    // Onto itself: this is how posix_spawn is told to let a descriptor through.
    if let kept { posix_spawn_file_actions_adddup2(&actions, kept, kept) }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    sigaddset(&none, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &none)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    var process: pid_t = 0
    let code = withVectors(command, environment(adding: settings)) { arguments, variables in
      posix_spawnp(&process, arguments[0]!, &actions, &attributes, arguments, variables)
    }
    return code == 0
      ? .running(Worker(process: process))
      : .refused("\(printable(command[0])): \(String(cString: strerror(code)))")
  }

  /// A child that has ended, if there is one; never blocks.
  package static func ended() -> (process: Int32, ending: Ending)? {
    var status: Int32 = 0
    let process = uninterrupted { waitpid(-1, &status, WNOHANG) }
    guard process > 0 else { return nil }
    return (
      process,
      cpipe_exited(status) != 0
        ? .exited(cpipe_exit_status(status)) : .killed(signal: cpipe_term_signal(status))
    )
  }

  /// To the whole group: a command may have started others.
  package func terminate() { kill(-process, SIGTERM) }
  package func destroy() { kill(-process, SIGKILL) }

  private static func environment(adding settings: [(String, String?)]) -> [String] {
    var result: [String] = []
    var at = cpipe_environment()!
    while let variable = at.pointee {
      let text = String(cString: variable)
      if !settings.contains(where: { text.hasPrefix($0.0 + "=") }) { result.append(text) }
      at += 1
    }
    return result + settings.compactMap { (name, value) in value.map { name + "=" + $0 } }
  }

  private static func withVectors<Result>(
    _ one: [String], _ other: [String],
    _ body: (
      UnsafePointer<UnsafeMutablePointer<CChar>?>, UnsafePointer<UnsafeMutablePointer<CChar>?>
    )
      -> Result
  ) -> Result {
    let first = one.map { strdup($0) } + [nil]
    let second = other.map { strdup($0) } + [nil]
    defer { for text in first + second { free(text) } }
    return body(first, second)
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
      let count = uninterrupted {
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
