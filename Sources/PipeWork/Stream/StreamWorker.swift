internal import PipeIntake
internal import PipeIO
internal import PipeEngine

/// The command of `consume --stream` while it runs: lines in, answers out.
final class StreamWorker {
  let input: WorkerInput
  let errors: OutputForwarder.Streams
  var group: ProcessGroup
  private let answers: LineReader
  private var reader = SettlementReader()
  /// Its stdout has not ended.
  private(set) var isAnswering = true

  /// Maximum bytes of an answer, which may repeat its whole batch line with other escapes.
  private static let longest = 32 << 20

  enum Start {
    case running(StreamWorker)
    case refused(String)
  }

  static func start(_ launcher: Launcher, lock: Int32?, _ errors: OutputForwarder.Streams)
    throws(Fault)
    -> Start
  {
    let input = try makePipe("stdin of the command")
    let output = try makePipe("stdout of the command")
    let streams = WorkerStreams(
      input: input.reading.fd, output: output.writing.fd, errors: errors.errors.writingFD)
    switch try launcher.start(streams, lock: lock) {
    case .refused(let reason): return .refused(reason)
    case .running(let worker):
      return .running(
        StreamWorker(worker, WorkerInput(input.writing), output.reading, errors))
    }
  }

  private init(
    _ worker: Worker, _ input: WorkerInput, _ output: Descriptor, _ errors: OutputForwarder.Streams
  ) {
    group = ProcessGroup(worker)
    self.input = input
    self.errors = errors
    answers = LineReader(output, limit: StreamWorker.longest)
  }

  func want(_ events: Events) {
    if isAnswering { events.want(answers.input.fd) }
    if let fd = input.fd { events.want(fd, input.isEmpty ? .breaking : .writing) }
  }

  /// After a wait: writes what fits, and notes that the worker has closed its stdin.
  func push(_ events: Events) throws(Fault) {
    if let fd = input.fd, input.isEmpty, events.isReady(fd) {
      return input.noteBroken()
    }
    try input.push()
  }

  var hasAnswers: Bool { answers.isReadable }

  /// Reads once; `take` gets each answer. Returns the fd of the first invalid line and the
  /// reason.
  func read(_ take: (Settlement) throws(Rejection) -> Void) throws(Fault) -> (Int, Rejection)? {
    guard isAnswering, answers.isReadable else { return nil }
    isAnswering = try answers.fill()
    while true {
      do throws(Rejection) {
        switch answers.next() {
        case .drained: return nil
        case .line(let line):
          let isFirst = answers.lineNumber == 1
          guard let text = Input.content(line, isFirst: isFirst) else { continue }
          try take(try reader.read(text))
        case .oversized: throw Rejection("is longer than \(StreamWorker.longest) bytes")
        }
      } catch { return (answers.lineNumber, error) }
    }
  }

  /// Discards what the worker writes, so that it can end.
  func ignore() throws(Fault) {
    guard isAnswering, answers.isReadable else { return }
    isAnswering = try answers.fill()
    while true {
      if case .drained = answers.next() { return }
    }
  }
}
