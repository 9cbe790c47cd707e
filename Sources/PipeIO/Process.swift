internal import CPipeIO
internal import Glibc

/// A running command: a child process that leads its own process group unless it shares the
/// terminal with this process.
package struct Worker {
  package let process: Int32
  package let leadsGroup: Bool

  package enum Ending: Equatable {
    case exited(Int32)
    case killed(signal: Int32)

    /// `status`: as of waitpid(2), of a process that has ended.
    package init(_ status: Int32) {
      self =
        cpipe_exited(status) != 0
        ? .exited(cpipe_exit_status(status)) : .killed(signal: cpipe_term_signal(status))
    }
  }

  package enum Change: Equatable {
    case ended(Ending)
    /// It is in the background and needs the terminal: without help it never continues.
    case wantsTerminal
  }

  /// The next state change of any child, or nil; never blocks.
  package static func change() -> (process: Int32, change: Change)? {
    while true {
      var status: Int32 = 0
      let process = retryingInterrupts { waitpid(-1, &status, WNOHANG | WUNTRACED) }
      guard process > 0 else { return nil }
      switch cpipe_stop_signal(status) {
      case 0: return (process, .ended(Ending(status)))
      case SIGTTIN, SIGTTOU: return (process, .wantsTerminal)
      // Another process has stopped it and can continue it.
      default: continue
      }
    }
  }

  /// Signals the whole group, because a command may have started other processes. A stopped process
  /// is continued so that it can end.
  package func terminate() {
    kill(target, SIGTERM)
    kill(target, SIGCONT)
  }

  package func destroy() { kill(target, SIGKILL) }

  /// Blocks until it has ended. Not for a process that `change` may report first.
  package func wait() -> Ending {
    var status: Int32 = 0
    _ = retryingInterrupts { waitpid(process, &status, 0) }
    return Ending(status)
  }

  private var target: Int32 { leadsGroup ? -process : process }

  /// Whether the group has members. `process` is a member until it is reaped.
  package var hasGroup: Bool { leadsGroup && (kill(-process, 0) == 0 || errno == EPERM) }
}

/// A command that is run repeatedly: its words and the constant part of its environment.
package final class Command {
  package enum Start {
    case running(Worker)
    /// The command cannot be executed, with the reason.
    case refused(String)
  }

  package let name: String
  private let arguments: [UnsafeMutablePointer<CChar>?]
  private let environment: [UnsafeMutablePointer<CChar>?]
  private let alone = SpawnAttributes(newGroup: true)
  private let shared = SpawnAttributes(newGroup: false)
  private let actions = SpawnActions()

  /// `varying`: variables that each start sets to a new value or leaves unset. The words are those
  /// after the first `--` of the command line, byte for byte; none unless
  /// `takesWords`.
  package convenience init(varying: [String], takesWords: Bool = true) {
    self.init((takesWords ? commandWords() : []).map { strdup($0) }, varying)
  }

  /// A program, found by PATH unless its name has a slash, with its arguments. It does not get the variables `varying`.
  package convenience init(_ words: [String], without varying: [String]) {
    self.init(words.map { $0.withSystemText { strdup($0) } }, varying)
  }

  private init(_ words: [UnsafeMutablePointer<CChar>?], _ varying: [String]) {
    name = words.first.flatMap(\.self).map { String(system: $0) } ?? ""
    arguments = words + [nil]
    var kept: [UnsafeMutablePointer<CChar>?] = []
    var at = cpipe_environment()!
    while let variable = at.pointee {
      let isVarying = varying.contains { strncmp(variable, $0 + "=", $0.utf8.count + 1) == 0 }
      if !isVarying { kept.append(strdup(variable)) }
      at += 1
    }
    environment = kept
  }

  /// Runs the command without a shell. `kept` stays open in it under the same fd; `settings`
  /// (`NAME=value`) are added to the environment. `inForeground`: the command stays in this
  /// process's group, so that it can use the terminal, and the keys that interrupt or stop reach
  /// both.
  package func start(
    _ streams: WorkerStreams, keeping kept: Int32?, settings: [String], inForeground: Bool
  ) throws(Fault) -> Start {
    try start(arguments, environment, streams, kept, settings, inForeground)
  }

  /// The same with these words after the command's name, in place of those of the command line.
  package func start(
    _ words: SystemWords, _ streams: WorkerStreams, keeping kept: Int32?, settings: [String],
    inForeground: Bool
  ) throws(Fault) -> Start {
    try words.withPointers { (words) throws(Fault) in
      try start(
        [arguments[0]] + words + [nil], environment, streams, kept, settings, inForeground)
    }
  }

  /// Starts another command in another directory. A setting replaces a variable of the same name, and an
  /// earlier setting of that name; the PATH among them finds the command.
  package func start(
    job words: [[UInt8]], in directory: [UInt8], _ streams: WorkerStreams, keeping kept: Int32?,
    settings: [[UInt8]]
  ) throws(Fault) -> Start {
    let name = String(systemBytes: words[0])
    let place = String(systemBytes: directory)
    // To find the dot in it, this user must be allowed to enter it.
    let fd = openFile(place + "/.", cpipe_o_path | O_DIRECTORY)
    guard fd >= 0 else {
      return .refused("directory \(printable(place)): \(String(cString: strerror(errno)))")
    }
    close(fd)
    let places = settings.last { $0.starts(with: "PATH=".utf8) }.map {
      String(systemBytes: Array($0.dropFirst(5)))
    }
    let candidates = Program.places(of: name, in: places, directory: place)
    guard
      let path = name.contains("/")
        ? candidates.first : candidates.first(where: Program.isExecutable)
    else {
      return .refused(Refusal(name, in: places, directory: place, code: EACCES).text)
    }
    let names = settings.map { $0.prefix { $0 != UInt8(ascii: "=") } }
    var later: Set<ArraySlice<UInt8>> = []
    let added = settings.indices.reversed().filter { later.insert(names[$0]).inserted }.map {
      settings[$0]
    }
    let inherited = environment.filter { variable in
      guard let variable else { return false }
      return !names.contains { name in
        let isEqual = name.withContiguousStorageIfAvailable {
          strncmp(variable, $0.baseAddress!, $0.count) == 0
        }
        return isEqual == true && variable[name.count] == CChar(bitPattern: UInt8(ascii: "="))
      }
    }
    return try SpawnActions.with(streams, keeping: kept, in: directory) {
      (actions) throws(Fault) in
      var process: pid_t = 0
      let code = SystemWords(words).withPointers { arguments in
        SystemWords(added).withPointers { variables in
          path.withSystemText {
            posix_spawn(
              &process, $0, actions, alone.pointer, arguments + [nil],
              inherited + variables + [nil])
          }
        }
      }
      if code == EAGAIN || code == ENOMEM { throw Fault("start", name, code: code) }
      return code == 0
        ? .running(Worker(process: process, leadsGroup: true))
        : .refused(Refusal(name, in: places, directory: place, code: code).text)
    }
  }

  private func start(
    _ words: [UnsafeMutablePointer<CChar>?], _ environment: [UnsafeMutablePointer<CChar>?],
    _ streams: WorkerStreams, _ kept: Int32?, _ settings: [String], _ inForeground: Bool
  ) throws(Fault) -> Start {
    let added = settings.map { $0.withSystemText { strdup($0) } }
    defer { for text in added { free(text) } }
    let variables = environment + added + [nil]
    var process: pid_t = 0
    let code = actions.prepared(streams, keeping: kept) {
      posix_spawnp(
        &process, words[0]!, $0, (inForeground ? shared : alone).pointer, words, variables)
    }
    if code == EAGAIN || code == ENOMEM { throw Fault("start", name, code: code) }
    return code == 0
      ? .running(Worker(process: process, leadsGroup: !inForeground))
      : .refused(Refusal(name, in: variable("PATH"), code: code).text)
  }

  /// Bytes that the words of a start may have, with a NUL and a pointer for each: what the system
  /// gives a command, without its environment and 4 KiB for the settings and the loader.
  package var roomForWords: Int {
    let taken = environment.reduce(0) { $0 + ($1.map { strlen($0) } ?? 0) + 9 }
    return max(0, sysconf(Int32(_SC_ARG_MAX)) - taken - 4096)
  }

  /// The longest word that Linux passes to a command: 32 pages with its NUL.
  package static let longestWord = 32 * 4096 - 1

  deinit {
    for text in arguments + environment { free(text) }
  }
}

/// An unnamed file in memory that a command gets as stdin and reads from the start. Unlike a pipe
/// it never blocks the writer, whatever the command reads.
package struct MemoryFile: ~Copyable {
  package let fd: Int32

  package init() throws(Fault) {
    fd = cpipe_memfd("pipe-items")
    if fd < 0 { throw Fault("create", "memory file") }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
    var done = 0
    while done < bytes.count {
      let count = retryingInterrupts {
        Glibc.write(fd, bytes.baseAddress! + done, bytes.count - done)
      }
      if count < 0 { throw Fault("write", "memory file") }
      done += count
    }
  }

  /// A file with these bytes, to be read from the start.
  package static func holding(_ bytes: [UInt8]) throws(Fault) -> MemoryFile {
    let file = try MemoryFile()
    try bytes.withUnsafeBufferPointer { (bytes) throws(Fault) -> Void in
      try file.write(UnsafeRawBufferPointer(bytes))
    }
    file.rewind()
    return file
  }

  package func rewind() { lseek(fd, 0, SEEK_SET) }

  deinit {
    close(fd)
  }
}

/// The descriptors that become a command's standard streams. nil: the command inherits this
/// process's.
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

/// The file actions that pass descriptors to a command through posix_spawn. Cached by descriptor
/// numbers: adding an action queries the descriptor limit twice.
final class SpawnActions {
  private struct Key: Hashable {
    let streams: WorkerStreams
    let kept: Int32?
  }

  private var prepared: [Key: UnsafeMutablePointer<posix_spawn_file_actions_t>] = [:]

  /// Maximum number of cached sets of actions: more than concurrent commands use.
  private static let most = 256

  func prepared(
    _ streams: WorkerStreams, keeping kept: Int32?,
    _ body: (UnsafePointer<posix_spawn_file_actions_t>) -> Int32
  ) -> Int32 {
    let key = Key(streams: streams, kept: kept)
    if let actions = prepared[key] { return body(actions) }
    if prepared.count == SpawnActions.most { forget() }
    let actions = UnsafeMutablePointer<posix_spawn_file_actions_t>.allocate(capacity: 1)
    SpawnActions.fill(actions, streams, kept)
    prepared[key] = actions
    return body(actions)
  }

  /// Actions for one command that runs in `directory`.
  static func with<Result>(
    _ streams: WorkerStreams, keeping kept: Int32?, in directory: [UInt8],
    _ body: (UnsafePointer<posix_spawn_file_actions_t>) throws(Fault) -> Result
  ) throws(Fault) -> Result {
    let actions = UnsafeMutablePointer<posix_spawn_file_actions_t>.allocate(capacity: 1)
    fill(actions, streams, kept)
    _ = SystemWords([directory]).withPointers { cpipe_start_in(actions, $0[0]!) }
    defer {
      posix_spawn_file_actions_destroy(actions)
      actions.deallocate()
    }
    return try body(actions)
  }

  private static func fill(
    _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ streams: WorkerStreams,
    _ kept: Int32?
  ) {
    posix_spawn_file_actions_init(actions)
    posix_spawn_file_actions_adddup2(actions, streams.input, STDIN_FILENO)
    if let output = streams.output {
      posix_spawn_file_actions_adddup2(actions, output, STDOUT_FILENO)
    }
    if let errors = streams.errors {
      posix_spawn_file_actions_adddup2(actions, errors, STDERR_FILENO)
    }
    // A dup2 onto itself makes posix_spawn keep the descriptor open.
    if let kept { posix_spawn_file_actions_adddup2(actions, kept, kept) }
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

/// How posix_spawn starts a command: no signal is blocked, and signals that this process ignores
/// for itself have their default action.
final class SpawnAttributes {
  let pointer = UnsafeMutablePointer<posix_spawnattr_t>.allocate(capacity: 1)

  /// `newGroup`: the command leads its own process group.
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

/// Sends a signal to each process that was started with `setting` (`NAME=value`) in its environment.
/// Returns whether there was one.
package func signalProcesses(with setting: String, _ signal: Int32) -> Bool {
  let wanted = Array(setting.utf8)[...]
  var isFound = false
  for process in otherProcesses() {
    guard let text = bytesOfFile("/proc/\(process)/environ") else { continue }
    guard text.split(separator: 0).contains(wanted), kill(process, signal) == 0 else { continue }
    kill(process, SIGCONT)
    isFound = true
  }
  return isFound
}
