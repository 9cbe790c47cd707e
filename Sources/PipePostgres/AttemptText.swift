#if Postgres
  internal import PipeQueue
  internal import PipeTime

  /// A failed attempt in a history, after its number: `STARTED ENDED EXIT SIGNAL REASON`.
  enum AttemptText {
    static func line(_ failure: Failure, _ started: Instant, _ ended: Instant) -> String {
      let exit = failure.exitStatus.map { "\($0)" } ?? "-"
      let signal = failure.signal.map { "\($0)" } ?? "-"
      let reason = failure.reason.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        .replacing("\0", with: "\\0")
      return "\(started.microseconds) \(ended.microseconds) \(exit) \(signal) \(reason)"
    }

    /// The attempts of a history, in order.
    static func attempts(_ history: String) -> [Attempt] {
      history.split(separator: "\n").compactMap { line in
        let parts = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, let number = Int(parts[0]), let ended = Int64(parts[2]) else {
          return nil
        }
        return Attempt(
          number: number, started: Int64(parts[1]).map(Instant.init(microseconds:)),
          ended: Instant(microseconds: ended), exitStatus: Int32(parts[3]), signal: Int32(parts[4]),
          reason: String(parts[5]).replacing("\\n", with: "\n").replacing("\\0", with: "\0")
            .replacing("\\\\", with: "\\"))
      }
    }
  }
#endif
