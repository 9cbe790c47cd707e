package import PipeIO

/// What was stored from some instant on.
package struct Arrivals {
  package fileprivate(set) var items = 0
  /// When the first and the last of them was accepted, microseconds since the epoch.
  package fileprivate(set) var first: Int64?
  package fileprivate(set) var last: Int64?
}

extension Queue {
  /// `since`: microseconds since the epoch; 0: all that is kept. Found by halving.
  package func arrivals(since: Int64) throws(Fault) -> Arrivals {
    let ends = try ends()
    var found = Arrivals()
    for lane in Priority.allCases {
      let end = ends[lane]
      guard let line = try first(lane, since, end) else { continue }
      found.items += end.place.number - line.number
      found.first = min(found.first ?? .max, line.time)
      found.last = max(found.last ?? .min, end.time)
    }
    return found
  }

  /// Of each lane, the number of the first item that was accepted at an instant or later.
  package func numbers(from time: Int64) throws(Fault) -> [Int] {
    let ends = try ends()
    return try Priority.allCases.map { (lane) throws(Fault) in
      try first(lane, time, ends[lane])?.number ?? ends[lane].place.number
    }
  }

  private func first(
    _ lane: Priority, _ time: Int64, _ end: EndMark
  ) throws(Fault) -> (number: Int, time: Int64)? {
    var found: (number: Int, time: Int64)?
    try Lookup(self).lines(lane, from: time, upTo: end) { line, _, _ in
      found = (line.number, line.time)
      return false
    }
    return found
  }
}
