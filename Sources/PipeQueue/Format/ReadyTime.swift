/// A deadline and the delay it was set with. If the deadline now lies further ahead than that
/// delay, the clock was set back.
struct ReadyTime: Equatable {
  /// Microseconds since the epoch; 0: at once.
  let at: Int64
  /// Microseconds from when it was set until `at`; 0 for a time of day, which only the clock
  /// decides.
  let span: Int64

  static let now = ReadyTime(at: 0, span: 0)

  /// Without a wait the result is due at once, whatever the clock says.
  static func after(_ span: Int64, from now: Int64) -> ReadyTime {
    span > 0 ? ReadyTime(at: now + span, span: span) : .now
  }

  func isOver(at now: Int64) -> Bool { at <= now }

  /// nil if the deadline is plausible; else the corrected deadline, counted from `now`.
  func corrected(at now: Int64) -> ReadyTime? {
    // Allows one second, because clocks are slewed.
    span > 0 && at - span > now + 1_000_000 ? ReadyTime.after(span, from: now) : nil
  }
}
