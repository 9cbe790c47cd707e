import PipeStats
import PipeTime

/// 2026-11-20 08:15:02 UTC.
let morning: Instant = 1_795_162_502_000_000

private let bounds = [60.0, 120, 240, 480, 960, 1920, 3840, 7680, 15_360]
private var noAges: AgeTable {
  AgeTable(bounds: bounds, counts: PerPriority(all: Array(repeating: 0, count: 10)))
}

extension Report {
  /// A queue in which nothing ever happened.
  static var empty: Report {
    Report(
      at: morning, depths: Depths(), oldestReady: PerPriority(all: nil), ages: noAges,
      counters: Counters())
  }

  /// Some waits, some work, one dead letter.
  static var busy: Report {
    var depths = Depths()
    depths.ready = PerPriority(high: 10, medium: 1200, low: 0)
    depths.claimed = PerPriority(high: 3, medium: 3, low: 0)
    depths.later = PerPriority(high: 0, medium: 12, low: 0)
    depths.dead = PerPriority(high: 0, medium: 1, low: 0)
    depths.done = PerPriority(high: 1_000_000, medium: 11_345_678, low: 0)
    var ages = noAges
    ages.counts.high[0] = 10
    ages.counts.medium = [700, 300, 150, 50, 0, 0, 7, 3, 1, 1]
    var counters = Counters()
    counters.ingestedRows = 12_346_907
    counters.acceptedItems = 12_346_950
    counters.failedValidations = 3
    return Report(
      at: morning, depths: depths,
      oldestReady: PerPriority(high: 1.25, medium: 192.3, low: nil), ages: ages, since: 600,
      seconds: 600, activity: .minutes, ever: .minutes, counters: counters,
      inPerSecond: 2.016667, outPerSecond: 1.666667)
  }

  /// A report with the largest possible numbers.
  static var huge: Report {
    let many = 1_000_000_000_000
    var depths = Depths()
    depths.ready = PerPriority(high: 1, medium: many, low: many)
    depths.done = PerPriority(all: many)
    var activity = Activity()
    activity.wait.record(Latency.longest, count: many)
    activity.service.record(1, count: many)
    activity.total.record(Latency.longest, count: many)
    activity.acknowledged = many
    var counters = Counters()
    counters.ingestedRows = 5 * many
    counters.failedValidations = many
    counters.ingestionErrors = 99_999
    return Report(
      at: morning, depths: depths,
      oldestReady: PerPriority(high: 0.000_001, medium: 2_592_000, low: 100_000_000),
      ages: AgeTable(
        bounds: bounds.map { $0 * 60 },
        counts: PerPriority(all: [1, 99_999, 100_000, 999_949, 999_950, many, 0, 0, 0, many])),
      start: morning - 2_592_000_000_000, seconds: 2_592_000, activity: activity,
      ever: activity, counters: counters,
      inPerSecond: 385_802.469, outPerSecond: 0.000_000_385)
  }
}

extension Activity {
  /// 1000 items of one consumer: 970 were quick, 29 slow, one very slow.
  static var minutes: Activity {
    var activity = Activity()
    for (wait, service, count) in [
      (812, 5_000, 970), (95_000, 42_000, 29), (12_100_000, 1_500_000, 1),
    ] {
      activity.wait.record(wait, count: count)
      activity.service.record(service, count: count)
      activity.total.record(wait + service, count: count)
    }
    activity.acknowledged = 1000
    activity.retried = 4
    activity.buried = 1
    activity.first = morning - 599_000_000
    activity.last = morning - 1_000_000
    return activity
  }
}

extension Report {
  /// The busy report with its last hour: twice as much came in the first half as in the second.
  static var hour: Report {
    var report = Report.busy
    let first = Instant(microseconds: morning.microseconds / 60_000_000 * 60_000_000) - .hours(1)
    report.periods = (0..<60).map { minute in
      var period = Period(
        start: first + .minutes(Int64(minute)), seconds: 60, accepted: minute < 30 ? 120 : 60)
      period.acknowledged = minute == 0 ? 0 : 90
      return period
    }
    return report
  }
}
