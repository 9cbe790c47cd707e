package import PipeTime

/// Why an attempt failed.
package struct Failure {
  package var reason: String
  package var exitStatus: Int32?
  package var signal: Int32?
  /// The last 4 KiB that the command wrote to stderr.
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

/// The outcome of an item that was handed out.
package enum Outcome {
  case done
  /// Ready again, as if it had never been handed out.
  case giveBack
  /// Ready again after the backoff; buried if this was its last attempt.
  case retry(Failure)
  case bury(Failure)
  /// Ready at a time that the caller of `settle` gives; no attempt is counted.
  case wait
}

/// The result of settling a failed batch.
package enum Disposal: Equatable {
  case again(after: TimeSpan)
  case buried(items: Int)
}

/// How long a failed batch waits: doubles from `base` up to `most`.
package struct Backoff: Equatable {
  package var base: TimeSpan
  package var most: TimeSpan

  package init(base: TimeSpan, most: TimeSpan) {
    self.base = base
    self.most = most
  }

  /// Time to wait after failure number `attempt`, counted from 1. Half of the delay is
  /// random, so that items that failed together do not come back together ("equal jitter", Brooker,
  /// Exponential Backoff And Jitter, AWS Architecture Blog 2015): between once and twice `base` at
  /// first, and never more than `most`.
  package func delay(after attempt: Int, random: UInt64) -> TimeSpan {
    guard base > .zero, most > .zero else { return .zero }
    let ceiling = min(most, attempt < 40 ? (1 << Int64(attempt)) * base : most)
    let half = ceiling / 2
    return ceiling - half + .microseconds(Int64(random % UInt64(half.microseconds + 1)))
  }
}

extension Failure {
  func isSame(_ other: Failure) -> Bool {
    reason == other.reason && exitStatus == other.exitStatus && signal == other.signal
  }
}
