internal import CPipeIO

/// While this lives, a blocking system call of this thread is interrupted: by the signals to stop, and
/// once a second, so that a signal that comes between two instructions is not missed.
struct Alarm: ~Copyable {
  private let start = Clock.steady()
  private var interruption = cpipe_interruption()

  init() {
    var stops = Stops.watched
    cpipe_begin_interruption(&interruption, &stops)
  }

  /// Whether a second has passed.
  var hasRung: Bool { Clock.steady() - start >= 1_000_000 }

  deinit {
    var interruption = interruption
    cpipe_end_interruption(&interruption)
    Stops.noteCaught()
  }
}
