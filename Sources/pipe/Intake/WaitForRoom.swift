internal import PipeIO
internal import PipeQueue

extension Queue {
  /// Until something may have left the queue, a signal comes, or `deadline` (`Clock.steady`) has come. Room in
  /// the queue comes with a rename in now/; room on the disk comes without any sign, so that one is asked about
  /// each second.
  func waitForRoom(until deadline: Int64 = .max, or signals: SignalQueue? = nil) throws(Fault) {
    let watch = try watchSettling()
    var poller = Poller()
    _ = poller.watch(watch.number)
    if let signals { _ = poller.watch(signals.number) }
    try poller.wait(until: min(deadline, Clock.steady() + 1_000_000))
  }
}
