extension ControlCharts {
  /// The same as JSON, one line without its newline. Times in seconds (of `start`, since the epoch), failures
  /// as parts of 1; null in gaps.
  package var line: String {
    object(["service": service.json, "failures": failures.json])
  }
}

extension ControlChart {
  fileprivate var json: String {
    let verdict =
      centre == nil ? "too few periods" : outside == 0 ? "in control" : "out of control"
    let periods = points.map { point in
      object([
        "start": number(Double(point.start) / 1e6), "value": number(point.value),
        "low": number(point.limits?.low), "high": number(point.limits?.high),
        "state": point.state.map { quoted($0.rawValue) } ?? "null",
      ])
    }
    return object([
      "verdict": quoted(verdict), "outside": "\(outside)", "centre": number(centre),
      "periods": "[" + periods.joined(separator: ",") + "]",
    ])
  }
}
