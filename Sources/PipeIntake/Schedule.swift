/// When entries become ready, by the options of `enqueue`. Microseconds.
package enum Schedule {
  /// As their own lines say: at once, or not before a time.
  case own
  case after(Int64)
  case at(Int64)

  /// For the lines of a commit that begins at `now`: one instant, so that neighbours share it. nil: ask
  /// the line.
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
  /// The interval that was asked for; not for an instant.
  let delay: Int64?

  static let atOnce = Start(notBefore: nil, delay: nil)

  init(notBefore: Int64?, delay: Int64?) {
    self.notBefore = notBefore
    self.delay = delay
  }

  /// What does not lie ahead delays nothing, and is not kept.
  init(_ time: Int64, _ now: Int64) {
    self.init(notBefore: time > now ? time : nil, delay: nil)
  }
}
