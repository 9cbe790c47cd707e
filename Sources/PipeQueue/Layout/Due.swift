/// An instant that somebody set, and how long he meant it to be away: a clock that was set back since
/// shows by an instant that lies further off than that.
package struct Due: Equatable {
  /// Microseconds since the epoch; 0: at once.
  package let at: Int64
  /// Microseconds from when it was set until then; 0 for a time of day, which goes by the clock alone.
  let span: Int64

  package static let now = Due(at: 0, span: 0)

  /// What need not wait does not hang on the clock.
  static func after(_ span: Int64, from now: Int64) -> Due {
    span > 0 ? Due(at: now + span, span: span) : .now
  }

  func isOver(at now: Int64) -> Bool { at <= now }

  /// nil while it makes sense; else what it should be, counted from `now` on.
  func corrected(at now: Int64) -> Due? {
    // A little is what clocks are slewed by.
    span > 0 && at - span > now + 1_000_000 ? Due.after(span, from: now) : nil
  }
}

extension SegmentLine {
  /// Before when its items are not to be handed out; nil for at once.
  var due: Due? { notBefore.map { Due(at: $0, span: delay ?? 0) } }

  func isDelayed(at now: Int64) -> Bool { due.map { !$0.isOver(at: now) } ?? false }
}
