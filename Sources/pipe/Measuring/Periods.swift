internal import PipeIO
internal import PipeQueue
internal import PipeStats

extension Measurement {
  /// The last `count` minutes, the running one included. `body` gets what was recorded, each with the index
  /// of its minute.
  func minutes(
    _ count: Int, _ body: (Int, Recording) -> Void = { _, _ in }
  ) throws(Fault) -> [Period] {
    let minute: Int64 = 60_000_000
    let start = (now / minute - Int64(count) + 1) * minute
    var periods: [Period] = []
    var before = try queue.numbers(from: start).reduce(0, +)
    for index in 0..<count {
      let begin = start + Int64(index) * minute
      let behind = try queue.numbers(from: begin + minute).reduce(0, +)
      let seconds = min(60, inSeconds(now - begin))
      periods.append(Period(start: begin, seconds: seconds, accepted: behind - before))
      before = behind
    }
    try queue.recordings(since: start, at: now) { recording in
      let index = Int((recording.middle - start) / minute)
      guard periods.indices.contains(index) else { return }
      periods[index].add(recording)
      body(index, recording)
    }
    return periods
  }
}

extension Period {
  fileprivate mutating func add(_ recording: Recording) {
    let count = recording.times.reduce(0) { $0 &+ $1.count }
    switch recording.kind {
    case .wait, .service, .total: return
    case .retried, .buried: failures &+= count
    case .batches:
      batches &+= count
      acknowledged &+= recording.items
      service += recording.times.reduce(0) {
        $0 + inSeconds(Int64($1.microseconds)) * Double($1.count)
      }
    }
  }
}
