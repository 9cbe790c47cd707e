internal import Glibc
internal import PipeIO
internal import PipeEngine
internal import PipeTime

/// Forwards the stderr of a consumer and its commands, and their stdout where it is kept or grouped,
/// without ever blocking on a reader. Unread output is buffered. While a buffer is full, no command is
/// started and no output read, so the commands block.
final class OutputForwarder {
  /// The captures of one command.
  final class Streams {
    let errors: OutputCapture
    /// nil: the command writes to this process's stdout itself.
    let output: OutputCapture?

    fileprivate init(_ errors: OutputCapture, _ output: OutputCapture?) {
      (self.errors, self.output) = (errors, output)
    }

    fileprivate var captures: [OutputCapture] { [errors] + (output.map { [$0] } ?? []) }
  }

  private let diagnostics: Diagnostics
  private let keeping: OutputKeeping
  private let errors = NonblockingWriter(STDERR_FILENO)
  private let output = NonblockingWriter(STDOUT_FILENO)
  private let wanted = Events()
  private var inUse: [Streams] = []
  private var idle: [Streams] = []

  init(_ diagnostics: Diagnostics, _ keeping: OutputKeeping = OutputKeeping()) {
    self.diagnostics = diagnostics
    self.keeping = keeping
  }

  var hasRoom: Bool { errors.hasRoom && output.hasRoom }

  /// The captures for one command; idle ones are reused.
  func streams() throws(Fault) -> Streams {
    if idle.isEmpty { idle.append(try newStreams()) }
    let streams = idle.removeLast()
    inUse.append(streams)
    return streams
  }

  private func newStreams() throws(Fault) -> Streams {
    // Half of it is the end of the output, of which a dead letter keeps this much.
    let limit = max(keeping.limit ?? 0, 2 * OutputCapture.letterLength)
    let capture = keeping.limit != nil || keeping.isGrouped
    return Streams(
      try OutputCapture(errors, keeping: limit, grouped: keeping.isGrouped),
      capture ? try OutputCapture(output, keeping: limit, grouped: keeping.isGrouped) : nil)
  }

  func free(_ streams: Streams) {
    inUse.removeAll { $0 === streams }
    idle.append(streams)
  }

  func say(_ text: String, _ level: Diagnostic.Level = .warning, id: EntryID? = nil) {
    errors.say(diagnostics.line(text, level, id: id?.text))
  }

  /// The descriptors to wait for; call `pass` after the wait.
  func events() -> Events {
    wanted.clear()
    want(wanted)
    return wanted
  }

  func want(_ events: Events) {
    for writer in [errors, output] where !writer.isEmpty { events.want(writer.fd, .writing) }
    guard hasRoom else { return }
    // Processes that a command left behind may write there too.
    for capture in captures { events.want(capture.readingFD) }
  }

  private var captures: [OutputCapture] { (inUse + idle).flatMap(\.captures) }

  /// Forwards the commands' new output and the buffered output, as far as it fits.
  func pass(_ events: Events? = nil) {
    let events = events ?? wanted
    for writer in [errors, output] where !writer.isEmpty { writer.push() }
    for capture in captures where events.isReady(capture.readingFD) { capture.pump() }
  }

  /// At the end of the run, when everything is settled: waits until stdout has been read, and for the
  /// reader of stderr until it takes nothing for `Patience.span`.
  func finish(_ source: BatchSource) throws(Fault) {
    var deadline = Clock.steady() + Patience.span
    while source.mustDie == nil, !output.isEmpty || !errors.isEmpty && Clock.steady() < deadline {
      wanted.clear()
      for writer in [errors, output] where !writer.isEmpty { wanted.want(writer.fd, .writing) }
      let end = output.isEmpty ? deadline : .distantFuture
      _ = try source.wait(forReady: false, until: end, events: wanted)
      let before = errors.written
      for writer in [errors, output] { writer.push() }
      if errors.written != before { deadline = Clock.steady() + Patience.span }
    }
  }
}

/// What becomes of the output of commands.
package struct OutputKeeping {
  /// Bytes of each stream that the queue keeps; nil: none.
  let limit: Int?
  /// Whether each command's output is written in one piece when it ends.
  let isGrouped: Bool

  package init(limit: Int? = nil, isGrouped: Bool = false) {
    self.limit = limit
    self.isGrouped = isGrouped
  }

  /// 64 KiB.
  package static let usualLimit = 64 << 10
}

extension KeptOutput {
  /// The last bytes, of which a dead letter keeps this much.
  var letter: [UInt8] { Array((cut > 0 ? tail : head + tail).suffix(OutputCapture.letterLength)) }
}
