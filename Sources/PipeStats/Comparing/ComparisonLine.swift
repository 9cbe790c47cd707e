extension Comparison {
  /// The same as JSON, one line without its newline. Seconds, and parts of 1; null where there is nothing to
  /// say. Differences are B less A.
  package var line: String {
    object([
      "verdict": quoted(verdict), "unit": quoted("batch"), "a": json(first), "b": json(second),
      "difference": difference,
      "welch": welch.map {
        object([
          "t": number($0.t), "degrees_of_freedom": number($0.freedom), "p": number($0.p),
        ])
      } ?? "null",
      "mann_whitney": mannWhitney.map {
        object(["u": number($0.u), "b_faster": number($0.below), "p": number($0.p)])
      } ?? "null",
      "success": success.map {
        object([
          "difference": number($0.difference), "low": number($0.interval.low),
          "high": number($0.interval.high), "p": number($0.p),
        ])
      } ?? "null",
    ])
  }

  private func json(_ side: ComparedSide) -> String {
    object([
      "name": quoted(side.name), "batches": "\(side.service.count)",
      "mean": number(side.service.mean), "variance": number(side.sample?.variance),
      "p50": number(side.service.percentile(50)), "p99": number(side.service.percentile(99)),
      "ratio": number(side.done.ratio), "low": number(side.done.interval?.low),
      "high": number(side.done.interval?.high),
    ])
  }

  private var difference: String {
    guard let welch else { return "null" }
    let percent = { (seconds: Double) in number(part(seconds).map { $0 * 100 }) }
    return object([
      "seconds": number(welch.difference), "low": number(welch.interval.low),
      "high": number(welch.interval.high), "percent": percent(welch.difference),
      "percent_low": percent(welch.interval.low), "percent_high": percent(welch.interval.high),
    ])
  }
}
