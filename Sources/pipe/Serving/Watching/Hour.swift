internal import PipeIO
internal import PipeQueue
internal import PipeStats

extension Measurement {
  /// The last hour, minute by minute, the running one included.
  func hour() throws(Fault) -> [Minute] {
    var times = [[(microseconds: Int, count: Int)]](repeating: [], count: 60)
    var failed = [Int](repeating: 0, count: 60)
    let periods = try minutes(60) { index, recording in
      switch recording.kind {
      case .total: times[index] += recording.times
      case .retried, .buried: failed[index] &+= recording.items
      case .wait, .service, .batches: break
      }
    }
    return periods.enumerated().map { index, period in
      var total = Latency()
      total.record(times[index])
      return Minute(period, failed: failed[index], total: total)
    }
  }
}
