extension ModelReport {
  /// What another consumer would do, or why nothing can be said.
  package var sentence: String {
    guard let station else { return tooFew }
    guard let exponential else { return unstable(station) }
    guard let more else { return "The models say nothing of a second consumer." }
    let (now, then) = (exponential.meanTotal, more.meanTotal)
    let saved = (now - then) / now * 100
    return saved < 1
      ? "By M/M/2 a second consumer changes little: a mean total of \(inUnits(then))."
      : "By M/M/2 a second consumer cuts the mean total from \(inUnits(now)) to \(inUnits(then))."
  }

  private var tooFew: String {
    if batches < Self.fewest {
      return "too few samples: \(counted(batches, "batch", "batches")), \(Self.fewest) are needed"
    }
    guard let seconds, seconds > 0 else { return "too few samples: no time has passed" }
    guard arrivals > 0 else { return "too few samples: nothing came in this time" }
    return "too few samples: the service was too short to be measured"
  }

  private func unstable(_ station: Station) -> String {
    let start = "unstable: one consumer cannot keep up"
    guard let more else { return start + ", nor would a million" }
    return start
      + "; \(threeDigits(station.load)) would be busy, \(more.consumers) would suffice"
  }
}

/// `1 batch`, `2 batches`.
func counted(_ count: Int, _ one: String, _ many: String) -> String {
  "\(count) \(count == 1 ? one : many)"
}
