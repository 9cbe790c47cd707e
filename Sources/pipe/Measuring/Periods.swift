internal import PipeIO
internal import PipeQueue
internal import PipeStats

extension Measurement {
  /// The last `count` minutes, the running one included.
  func minutes(_ count: Int) throws(Fault) -> [Period] {
    let minute: Int64 = 60_000_000
    let start = (now / minute - Int64(count) + 1) * minute
    var activities = [Activity](repeating: Activity(), count: count)
    try queue.recordings(since: start, at: now) { recording in
      // The middle, for what lies in two.
      let index = Int((recording.first / 2 + recording.last / 2 - start) / minute)
      // Waits are not looked at minute by minute, and would take memory.
      switch recording.kind {
      case .batches, .retried, .buried:
        if activities.indices.contains(index) { activities[index].add(recording) }
      case .wait, .service, .total: return
      }
    }
    var periods: [Period] = []
    var before = try queue.numbers(from: start).reduce(0, +)
    for (index, activity) in activities.enumerated() {
      let begin = start + Int64(index) * minute
      let behind = try queue.numbers(from: begin + minute).reduce(0, +)
      periods.append(
        Period(
          start: begin, seconds: min(60, inSeconds(now - begin)), accepted: behind - before,
          activity: activity))
      before = behind
    }
    return periods
  }
}
