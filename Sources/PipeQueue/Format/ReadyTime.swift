/// An instant that somebody set, and how long he meant it to be away: a clock that was set back since
/// shows by an instant that lies further off than that.
package struct ReadyTime: Equatable {
  /// Microseconds since the epoch; 0: at once.
  package let at: Int64
  /// Microseconds from when it was set until then; 0 for a time of day, which goes by the clock alone.
  let span: Int64

  package static let now = ReadyTime(at: 0, span: 0)

  /// What need not wait does not hang on the clock.
  static func after(_ span: Int64, from now: Int64) -> ReadyTime {
    span > 0 ? ReadyTime(at: now + span, span: span) : .now
  }

  func isOver(at now: Int64) -> Bool { at <= now }

  /// nil while it makes sense; else what it should be, counted from `now` on.
  func corrected(at now: Int64) -> ReadyTime? {
    // A little is what clocks are slewed by.
    span > 0 && at - span > now + 1_000_000 ? ReadyTime.after(span, from: now) : nil
  }
}
