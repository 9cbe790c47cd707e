internal import PipeIO
internal import PipeEngine
internal import PipeRender
internal import PipeTime

/// The meaning of an exit status for the batch (pipe-consume(1), EXIT STATUS OF THE COMMAND).
enum ExitDisposition {
  case acknowledge
  case bury
  /// The command cannot do its work at all, so no other batch is tried.
  case stop
  case retry

  /// `wasEnded`: this process terminated the command.
  init(_ ending: Worker.Ending, wasEnded: Bool) {
    switch ending {
    case _ where wasEnded: self = .retry
    case .exited(0): self = .acknowledge
    case .exited(Exit.data): self = .bury
    case .exited(64), .exited(69), .exited(77), .exited(78), .exited(126), .exited(127):
      self = .stop
    case .exited, .killed: self = .retry
    }
  }
}

extension Failure {
  /// `reason`: why the command was terminated; nil if it ended by itself. `stderr`: the tail of its
  /// stderr.
  init(_ ending: Worker.Ending, _ reason: String?, stderr: [UInt8]) {
    switch ending {
    case .exited(let status):
      self.init(reason ?? "exit \(status)", exitStatus: status, stderr: stderr)
    case .killed(let signal):
      self.init(reason ?? "killed by signal \(signal)", signal: signal, stderr: stderr)
    }
  }
}

extension Disposal {
  /// The end of a message.
  var text: String {
    switch self {
    case .again(after: .zero): "ready again"
    case .again(let wait): "retry in \(wait.words)"
    case .buried(items: 1): "buried (dead letter)"
    case .buried(let items): "\(items) items buried (dead letters)"
    }
  }
}
