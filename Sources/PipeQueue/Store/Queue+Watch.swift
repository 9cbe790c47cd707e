package import PipeIO

extension Queue {
  /// Wakes when something may have become ready: an end that moved, a name that was given back, an owner
  /// that died. Begin to watch, then look, then wait; otherwise something comes in between.
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

  /// How to learn that the reader of `pipe` may have taken something.
  package func watchReads(of pipe: PipeOutput) throws(Fault) -> PipeOutput.Reads {
    try pipe.watchReads(reportOnce)
  }

  // Several watches have one reason why they cannot be had.
  private func reportOnce(_ text: String) {
    if !isWatchReported { report(text) }
    isWatchReported = true
  }

  /// Whether the name of an event is that of a slot, closed by its last holder.
  package static func meansOwnerGone(_ name: UnsafeRawBufferPointer) -> Bool {
    decimal(name) != nil
  }

  /// Whether the name of an event can mean that items became ready: not those that claims and
  /// acknowledgements leave.
  package static func meansReady(_ name: UnsafeRawBufferPointer) -> Bool {
    guard let state = NowName(name) else { return true }
    return state.isAgain
  }
}
