internal import PipeIO

/// The stderr of a consumer and of its commands. Nothing here waits for who reads it: what it does not
/// take is kept, and when that is much nothing more is started or read, so that the commands wait.
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

  /// For one command; one that nobody uses, if there is one.
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

  /// What to wait for; `pass` is to follow.
  func events() -> Events {
    wanted.clear()
    want(wanted)
    return wanted
  }

  func want(_ events: Events) {
    if !output.isEmpty { events.want(output.number, .writing) }
    guard output.hasRoom else { return }
    // Whoever was left behind may write there too.
    for pipe in inUse + idle { events.want(pipe.readingNumber) }
  }

  /// Passes on what commands have written and what waits, as far as it goes.
  func pass(_ events: Events? = nil) {
    let events = events ?? wanted
    if !output.isEmpty { output.push() }
    for pipe in inUse + idle where events.isReady(pipe.readingNumber) { pipe.pump() }
  }

  /// At the end of the run: all is settled, and only the reader is waited for, not for long.
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
