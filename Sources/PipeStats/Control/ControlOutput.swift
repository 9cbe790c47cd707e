extension ControlCharts {
  /// The charts as one line of JSON, without its newline. Times in seconds (`start` since the
  /// epoch), failures as fractions of 1; null in gaps.
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

extension ControlCharts {
  /// The charts for people: at most 80 columns, readable without colour, a newline at the end.
  package var text: String {
    let lines =
      ["mean service time of a batch"] + service.lines { inUnits($0) }
      + ["", "batches that failed"] + failures.lines { percent($0) }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension ControlChart {
  /// One line per period, then the conclusion. Times are UTC.
  func lines(_ said: (Double) -> String) -> [String] {
    guard let centre else {
      return ["too few periods: \(filled) with batches, \(Self.fewest) needed"]
    }
    let scale = ControlScale(self)
    let rows = points.map { point in
      let value = (point.value.map(said) ?? "-").right(10)
      let row = "\(UTC(point.start).clock) \(value)  \(scale.line(point, centre: centre))"
      guard let state = point.state, state != .inside else { return row.trimmed }
      return "\(row) \(state.rawValue)"
    }
    return [bounds(centre, said)] + rows + [sum]
  }

  private func bounds(_ centre: Double, _ said: (Double) -> String) -> String {
    let limits = points.compactMap(\.limits)
    let start = "centre \(said(centre)) |, limits "
    guard let first = limits.first, limits.allSatisfy({ $0 == first }) else {
      return start + "( ) depend on the number of batches; times in UTC"
    }
    return start + "( \(said(first.low)) to \(said(first.high)) ); times in UTC"
  }

  private var sum: String {
    outside == 0
      ? "in control: no period is outside its limits"
      : "out of control: \(counted(outside, "period is", "periods are")) outside the limits"
  }
}
