internal import PipeIO

/// Forwards the stderr of a consumer and its commands, without ever blocking on stderr's reader.
/// Unread output is buffered. While the buffer is full, no command is started and no output read,
/// so the commands block.
final class StderrForwarder {
  private let diagnostics: Diagnostics
  private let output = NonblockingStderr()
  private let wanted = Events()
  private var inUse: [StderrCapture] = []
  private var idle: [StderrCapture] = []

  /// Microseconds that the end of the run waits for a reader that takes nothing.
  private static let patience: Int64 = 5_000_000

  init(_ diagnostics: Diagnostics) {
    self.diagnostics = diagnostics
  }

  var hasRoom: Bool { output.hasRoom }

  /// The capture for one command; an idle one is reused.
  func pipe() throws(Fault) -> StderrCapture {
    if idle.isEmpty { idle.append(try StderrCapture(output)) }
    let pipe = idle.removeLast()
    inUse.append(pipe)
    return pipe
  }

  func free(_ pipe: StderrCapture) {
    inUse.removeAll { $0 === pipe }
    idle.append(pipe)
  }

  func say(_ text: String) { output.say(diagnostics.line(text)) }

  /// The descriptors to wait for; call `pass` after the wait.
  func events() -> Events {
    wanted.clear()
    want(wanted)
    return wanted
  }

  func want(_ events: Events) {
    if !output.isEmpty { events.want(output.number, .writing) }
    guard output.hasRoom else { return }
    // Processes that a command left behind may write there too.
    for pipe in inUse + idle { events.want(pipe.readingNumber) }
  }

  /// Forwards the commands' new output and the buffered output, as far as it fits.
  func pass(_ events: Events? = nil) {
    let events = events ?? wanted
    if !output.isEmpty { output.push() }
    for pipe in inUse + idle where events.isReady(pipe.readingNumber) { pipe.pump() }
  }

  /// At the end of the run, when everything is settled: waits for the reader until it takes nothing
  /// for `patience`.
  func finish(_ source: BatchSource) throws(Fault) {
    var deadline = Clock.steady() + StderrForwarder.patience
    while !output.isEmpty, source.mustDie == nil, Clock.steady() < deadline {
      wanted.clear()
      wanted.want(output.number, .writing)
      _ = try source.wait(forReady: false, until: deadline, events: wanted)
      let before = output.waiting
      output.push()
      if output.waiting < before { deadline = Clock.steady() + StderrForwarder.patience }
    }
  }
}
