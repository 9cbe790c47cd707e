/// How many items came and were done, period by period, in the unit that suits them.
struct PaceSeries {
  struct Point {
    /// Microseconds since the epoch.
    let start: Int64
    let came: Double
    let done: Double
  }

  /// `items/s` or `items/min`
  let unit: String
  /// The end of the axis.
  let top: Double
  let points: [Point]
  /// Items of all periods.
  let came: Int
  let done: Int

  /// Several periods become one point where there are more than `most`. Nil when there are none.
  init?(_ periods: [Period], most: Int) {
    guard !periods.isEmpty, most > 0 else { return nil }
    let size = (periods.count + most - 1) / most
    let groups = stride(from: 0, to: periods.count, by: size).map {
      periods[$0..<min(periods.count, $0 + size)]
    }
    let paces = groups.map { group in
      let seconds = group.reduce(0) { $0 + max(0, $1.seconds) }
      let rate = { (items: Int) in seconds > 0 ? Double(items) / seconds : 0 }
      return Point(
        start: group.first?.start ?? 0, came: rate(PaceSeries.came(group)),
        done: rate(PaceSeries.done(group)))
    }
    let peak = paces.map { max($0.came, $0.done) }.max() ?? 0
    let factor = peak < 2 ? 60.0 : 1
    unit = peak < 2 ? "items/min" : "items/s"
    top = roundedUp(peak * factor)
    points = paces.map {
      Point(start: $0.start, came: $0.came * factor, done: $0.done * factor)
    }
    came = PaceSeries.came(periods[...])
    done = PaceSeries.done(periods[...])
  }

  private static func came(_ periods: ArraySlice<Period>) -> Int {
    periods.reduce(0) { $0 &+ $1.accepted }
  }

  private static func done(_ periods: ArraySlice<Period>) -> Int {
    periods.reduce(0) { $0 &+ $1.acknowledged }
  }
}
