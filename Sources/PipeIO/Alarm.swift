internal import CPipeIO

/// Interrupts the blocking system call of this thread once after some time, then again each second
/// until it goes, so that a ring between two instructions is not missed.
struct Alarm: ~Copyable {
  private let start = Clock.steady()
  private let seconds: Int

  init(seconds: Int) {
    self.seconds = seconds
    cpipe_interrupt_on_alarm()
    cpipe_alarm(seconds, 1)
  }

  var hasRung: Bool { Clock.steady() - start >= Int64(seconds) * 1_000_000 }

  deinit {
    cpipe_alarm(0, 0)
  }
}
