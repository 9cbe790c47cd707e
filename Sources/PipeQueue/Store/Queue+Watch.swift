package import PipeIO

extension Queue {
  /// Wakes when something may have become ready: an end moved, a name was given back, an owner
  /// died. Begin to watch, then select, then wait; otherwise a change in between is missed.
  package func watchReady() throws(Fault) -> Watch {
    let watch = try Watch(reportOnce)
    try watch.changes(in: end)
    try watch.changes(in: now())
    try watch.closings(in: try part("owners"))
    return watch
  }

  /// Wakes when something may have been settled.
  package func watchSettling() throws(Fault) -> Watch {
    let watch = try Watch(reportOnce)
    try watch.changes(in: now())
    return watch
  }

  /// Wakes when the reader of `pipe` may have read something.
  package func watchReads(of pipe: PipeOutput) throws(Fault) -> PipeOutput.Reads {
    try pipe.watchReads(reportOnce)
  }

  // Several watches fail for the same reason; it is reported once.
  private func reportOnce(_ text: String) {
    if !isWatchReported { report(text) }
    isWatchReported = true
  }

  /// Whether the name of an event is that of a slot, which its last holder closed.
  package static func meansOwnerGone(_ name: UnsafeRawBufferPointer) -> Bool {
    decimal(name) != nil
  }

  /// Whether the name of an event can mean that items became ready. The names that claims and
  /// acknowledgements leave cannot.
  package static func meansReady(_ name: UnsafeRawBufferPointer) -> Bool {
    guard let state = NowName(name) else { return true }
    return state.isAgain
  }
}
