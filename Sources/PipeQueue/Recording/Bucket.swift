/// An interval of time whose recordings are kept together: the longer ago, the longer it is.
struct Bucket: Hashable, Comparable {
  /// Microseconds since the epoch.
  let start: Int64
  /// Microseconds; 0 for all that is older than what is kept by time.
  let span: Int64

  private static let second: Int64 = 1_000_000

  /// What was settled at `time`, seen at `now`. `retain`: microseconds for which times matter.
  init(_ time: Int64, at now: Int64, retain: Int64) {
    let age = now &- time
    if age > retain {
      (start, span) = (0, 0)
      return
    }
    let seconds: Int64 =
      switch age / Bucket.second {
      case ..<600: 10
      case ..<7200: 60
      case ..<43_200: 600
      case ..<259_200: 3600
      default: 21_600
      }
    span = seconds * Bucket.second
    start = time - time % span
  }

  static func < (one: Bucket, other: Bucket) -> Bool {
    (one.start, one.span) < (other.start, other.span)
  }
}
