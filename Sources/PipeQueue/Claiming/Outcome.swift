/// Why an attempt did not end well.
package struct Failure {
  package var reason: String
  package var exitStatus: Int32?
  package var signal: Int32?
  /// The last 4 KiB of what the command wrote to stderr.
  package var stderr: [UInt8]

  package init(
    _ reason: String, exitStatus: Int32? = nil, signal: Int32? = nil, stderr: [UInt8] = []
  ) {
    self.reason = reason
    self.exitStatus = exitStatus
    self.signal = signal
    self.stderr = stderr
  }
}

/// What is to become of an item that was handed out.
package enum Outcome {
  case done
  /// Ready again, as if it had never been handed out.
  case giveBack
  /// Ready again after a while; buried where that was its last attempt.
  case retry(Failure)
  case bury(Failure)
}

/// What became of a batch that failed.
package enum Disposal: Equatable {
  /// Microseconds.
  case again(after: Int64)
  case buried(items: Int)
}
