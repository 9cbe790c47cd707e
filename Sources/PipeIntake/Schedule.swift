/// When entries become ready, from the options of `enqueue`. Microseconds.
package enum Schedule {
  /// As each line says: at once, or not before a time.
  case own
  case after(Int64)
  case at(Int64)

  /// For the lines of a commit that begins at `now`: one instant, so that adjacent entries share
  /// it. nil: each line decides.
  func start(_ now: Int64) -> Start? {
    switch self {
    case .own: nil
    case .after(let delay): delay > 0 ? Start(notBefore: now + delay, delay: delay) : .atOnce
    case .at(let time): Start(time, now)
    }
  }
}

/// When one entry becomes ready.
struct Start {
  let notBefore: Int64?
  /// The delay that was requested; nil for an instant.
  let delay: Int64?

  static let atOnce = Start(notBefore: nil, delay: nil)

  init(notBefore: Int64?, delay: Int64?) {
    self.notBefore = notBefore
    self.delay = delay
  }

  /// A time that is not in the future delays nothing and is not stored.
  init(_ time: Int64, _ now: Int64) {
    self.init(notBefore: time > now ? time : nil, delay: nil)
  }
}
