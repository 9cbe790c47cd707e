/// A point in time by the wall clock, which may step: whole microseconds since the Unix epoch.
/// Sums and differences saturate, so that no time in a damaged file can overflow.
package struct Instant: Hashable, Comparable, Sendable {
  package var microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }
  package init(microseconds: Int) { self.microseconds = Int64(microseconds) }

  package static let epoch = Instant(microseconds: Int64(0))
  /// Before every time that can occur.
  package static let distantPast = Instant(microseconds: Int64.min)
  /// After every time that can occur.
  package static let distantFuture = Instant(microseconds: Int64.max)

  /// Seconds since the epoch.
  package var seconds: Double { Double(microseconds) / 1e6 }

  package static func < (a: Instant, b: Instant) -> Bool { a.microseconds < b.microseconds }

  package static func - (a: Instant, b: Instant) -> TimeSpan {
    TimeSpan(microseconds: difference(a.microseconds, b.microseconds))
  }

  package static func + (instant: Instant, span: TimeSpan) -> Instant {
    Instant(microseconds: sum(instant.microseconds, span.microseconds))
  }

  package static func - (instant: Instant, span: TimeSpan) -> Instant {
    Instant(microseconds: difference(instant.microseconds, span.microseconds))
  }

  package static func += (instant: inout Instant, span: TimeSpan) { instant = instant + span }
}

/// A point in time by the clock that never steps: whole microseconds since boot, including
/// suspension. Waits and deadlines of this process use it; nothing on disk does except what names
/// the boot beside it.
package struct SteadyInstant: Hashable, Comparable, Sendable {
  package var microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }
  package init(microseconds: Int) { self.microseconds = Int64(microseconds) }

  package static let boot = SteadyInstant(microseconds: Int64(0))
  /// Before this machine started.
  package static let distantPast = SteadyInstant(microseconds: Int64.min)
  /// A deadline that never comes.
  package static let distantFuture = SteadyInstant(microseconds: Int64.max)

  package static func < (a: SteadyInstant, b: SteadyInstant) -> Bool {
    a.microseconds < b.microseconds
  }

  package static func - (a: SteadyInstant, b: SteadyInstant) -> TimeSpan {
    TimeSpan(microseconds: difference(a.microseconds, b.microseconds))
  }

  package static func + (instant: SteadyInstant, span: TimeSpan) -> SteadyInstant {
    SteadyInstant(microseconds: sum(instant.microseconds, span.microseconds))
  }

  package static func - (instant: SteadyInstant, span: TimeSpan) -> SteadyInstant {
    SteadyInstant(microseconds: difference(instant.microseconds, span.microseconds))
  }

  package static func += (instant: inout SteadyInstant, span: TimeSpan) { instant = instant + span }
}

/// A length of time in whole microseconds. Sums saturate.
package struct TimeSpan: Hashable, Comparable, Sendable {
  package var microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }
  package init(microseconds: Int) { self.microseconds = Int64(microseconds) }

  package static let zero = TimeSpan(microseconds: Int64(0))

  package static func microseconds(_ count: Int64) -> TimeSpan { TimeSpan(microseconds: count) }
  package static func milliseconds(_ count: Int64) -> TimeSpan { .microseconds(count * 1000) }
  package static func seconds(_ count: Int64) -> TimeSpan { .microseconds(count * 1_000_000) }
  package static func minutes(_ count: Int64) -> TimeSpan { .seconds(count * 60) }
  package static func hours(_ count: Int64) -> TimeSpan { .seconds(count * 3600) }
  package static func days(_ count: Int64) -> TimeSpan { .seconds(count * 86_400) }

  package var seconds: Double { Double(microseconds) / 1e6 }

  package static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.microseconds < b.microseconds }

  package static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan {
    TimeSpan(microseconds: sum(a.microseconds, b.microseconds))
  }

  package static func - (a: TimeSpan, b: TimeSpan) -> TimeSpan {
    TimeSpan(microseconds: difference(a.microseconds, b.microseconds))
  }

  package static func * (count: Int64, span: TimeSpan) -> TimeSpan {
    let (product, overflow) = span.microseconds.multipliedReportingOverflow(by: count)
    guard overflow else { return TimeSpan(microseconds: product) }
    return TimeSpan(microseconds: (count < 0) == (span.microseconds < 0) ? Int64.max : Int64.min)
  }

  package var magnitude: TimeSpan {
    TimeSpan(microseconds: Int64(clamping: microseconds.magnitude))
  }

  /// Rounded towards zero.
  package static func / (span: TimeSpan, parts: Int64) -> TimeSpan {
    TimeSpan(microseconds: span.microseconds / parts)
  }
}

private func sum(_ a: Int64, _ b: Int64) -> Int64 {
  let (value, overflow) = a.addingReportingOverflow(b)
  return overflow ? (b < 0 ? .min : .max) : value
}

private func difference(_ a: Int64, _ b: Int64) -> Int64 {
  let (value, overflow) = a.subtractingReportingOverflow(b)
  return overflow ? (b < 0 ? .max : .min) : value
}

// Text needs a unit: a file takes `.microseconds`, a person `words` or a date. Without these, `\(…)`
// would print the name of the type too.
extension DefaultStringInterpolation {
  @available(*, deprecated, message: "name the unit")
  package mutating func appendInterpolation(_ instant: Instant) {}

  @available(*, deprecated, message: "name the unit")
  package mutating func appendInterpolation(_ instant: SteadyInstant) {}

  @available(*, deprecated, message: "name the unit")
  package mutating func appendInterpolation(_ span: TimeSpan) {}
}
