package import Glibc

/// A running process. `pump` moves its input and output; nothing else waits.
package final class Child {
  package let command: Command
  package let process: pid_t
  package let output: PipeReader
  private let errors: PipeReader
  private let descendants: PipeReader
  private let input: PipeWriter
  private var ending: Ending?
  private var isHung = false
  private let start = time(nil)

  package init(_ command: Command) throws {
    _ = Glibc.signal(SIGPIPE, SIG_IGN)
    let plumbing = try Plumbing(command)
    defer { plumbing.closeOtherSide() }
    self.command = command
    process = try spawn(command, plumbing.theirs)
    input = PipeWriter(plumbing.input.ours)
    output = PipeReader(plumbing.output.ours)
    errors = PipeReader(plumbing.errors.ours)
    descendants = PipeReader(plumbing.descendants?.ours)
    if case .text(let text) = command.input {
      feed(text)
      endInput()
    }
  }

  /// Feeds stdin: what fits at once, and the rest whenever the test waits.
  package func feed(_ bytes: [UInt8]) { input.append(bytes) }

  package func feed(_ text: String) { feed(Array(text.utf8)) }

  package func endInput() { input.end() }

  /// The next line of its stdout; nil at the end.
  package func line() -> String? { line(of: output) }

  /// The next line of its stderr; nil at the end.
  package func errorLine() -> String? { line(of: errors) }

  private func line(of stream: PipeReader) -> String? {
    while true {
      if let line = stream.line() { return line }
      if stream.isAtEnd || !pump() { return nil }
    }
  }

  /// What was read of its stderr so far.
  package var errorText: String { String(decoding: errors.taken, as: UTF8.self) }

  /// Waits until stdout has something to read, and leaves it there.
  package func waitForOutput() -> Bool {
    var entry = output.entry
    return poll(&entry, 1, Patience.milliseconds) == 1
  }

  /// Closes the reading end of its stdout.
  package func closeOutput() { output.close() }

  package func signal(_ number: Int32) { kill(process, number) }

  /// Reads the rest of its output and waits for it and for every process that holds its output.
  package func finish() -> Run {
    endInput()
    while !output.isAtEnd || !errors.isAtEnd || !descendants.isAtEnd, pump() {}
    input.close()
    return Run(
      command: command, input: input.given, ending: isHung ? .hung : reap(), bytes: output.taken,
      errors: errorText)
  }

  /// Whether the process has not ended yet.
  package var isRunning: Bool {
    var info = siginfo_t()
    let options = WEXITED | WNOHANG | WNOWAIT
    return ending == nil && waitid(P_PID, id_t(process), &info, options) == 0 && info.si_signo == 0
  }

  /// Waits for the process alone, not for its children.
  @discardableResult
  package func reap() -> Ending {
    if let ending { return ending }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let result = Ending(status: status)
    ending = result
    return result
  }

  /// Waits for one event. false: none came, and the process was killed.
  private func pump() -> Bool {
    if time(nil) - start < Patience.limit, Child.pump([self]) { return true }
    isHung = true
    kill(-process, SIGKILL)
    kill(process, SIGKILL)
    reap()
    return false
  }

  /// Waits until one of these takes input, prints or ends. false: nothing has happened for long.
  package static func pump(_ children: [Child]) -> Bool {
    var entries = children.flatMap { child in
      [child.output.entry, child.errors.entry, child.descendants.entry, child.input.entry]
    }
    if poll(&entries, nfds_t(entries.count), Patience.milliseconds) == 0 { return false }
    for (index, child) in children.enumerated() {
      let states = entries[(4 * index)...].prefix(4).map { $0.revents != 0 }
      if states[0] { child.output.take() }
      if states[1] { child.errors.take() }
      if states[2] { child.descendants.take() }
      if states[3] { child.input.flush() }
    }
    return true
  }

  deinit {
    if ending == nil {
      kill(-process, SIGKILL)
      reap()
    }
  }
}

extension Child: CustomReflectable {
  // A failing expectation prints every value it mentions: not a hundred megabytes of input.
  package var customMirror: Mirror { Mirror(self, children: ["process": process]) }
}
