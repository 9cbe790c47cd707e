import Foundation
import Testing

@testable import PipeStats
import PipeTime
@testable import PipeText

struct ControlChartTests {
  /// Minutes from 12:58 on: numbers of batches, their milliseconds, and numbers of failed ones.
  private func minutes(_ minutes: [(batches: Int, time: Int, failed: Int)]) -> [Period] {
    minutes.enumerated().map { index, minute in
      var period = Period(
        start: 1_795_870_680_000_000 + .minutes(Int64(index)), seconds: 60, accepted: 0)
      (period.batches, period.failures) = (minute.batches, minute.failed)
      period.service = Double(minute.batches * minute.time) / 1000
      return period
    }
  }

  private func alike(_ count: Int, _ time: Int) -> ControlCharts {
    ControlCharts(minutes(Array(repeating: (10, time, 0), count: count)))
  }

  /// The flow rates of NIST/SEMATECH e-Handbook, 6.3.2.2: 50.81, 45.8159 and 55.8041, by 3/1.128.
  @Test func `the limits of single values equal the published ones`() throws {
    let rates = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]
    let chart = ControlChart(individuals: rates.map { (0, $0) })
    let limits = try #require(chart.points[0].limits)
    #expect(close(chart.centre, 50.81))
    #expect(close(limits.low, 45.8159, within: 5e-5))
    #expect(close(limits.high, 55.8041, within: 5e-5))
    #expect(chart.outside == 0)
  }

  /// The wafers of NIST/SEMATECH e-Handbook, 6.3.3.2: 0.2313, 0.0524 and 0.4102; samples 15 and 23 are outside.
  @Test func `the limits of failures equal the published ones`() throws {
    let failed = [
      12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22, 8, 10, 5, 13, 11, 20, 18, 24, 15, 9,
      12, 7, 13, 9, 6,
    ]
    let chart = ControlChart(
      proportions: failed.map { (0, Proportion(part: $0, rest: 50 - $0)) })
    let limits = try #require(chart.points[0].limits)
    #expect(fixed(try #require(chart.centre), 4) == "0.2313")
    #expect(fixed(limits.low, 4) == "0.0524")
    #expect(fixed(limits.high, 4) == "0.4102")
    #expect(chart.points.indices.filter { chart.points[$0].state == .high } == [14, 22])
    #expect(chart.outside == 2)
  }

  @Test func `the chart marks an unusual minute and has a gap for a minute without batches`() {
    let charts = ControlCharts(
      minutes([
        (10, 200, 1), (10, 210, 0), (10, 190, 1), (0, 0, 0), (10, 205, 2), (10, 195, 0),
        (10, 200, 1), (10, 204, 0), (100, 196, 3), (10, 600, 9), (10, 201, 0), (3, 10, 0),
        (0, 0, 4),
      ]))
    #expect(
      charts.text == """
        mean service time of a batch
        centre 219 ms |, limits ( 0 us to 503 ms ); times in UTC
        12:58     200 ms  (             o|                   )
        12:59     210 ms  (             o|                   )
        13:00     190 ms  (            o |                   )
        13:01          -
        13:02     205 ms  (             o|                   )
        13:03     195 ms  (            o |                   )
        13:04     200 ms  (             o|                   )
        13:05     204 ms  (             o|                   )
        13:06     196 ms  (             o|                   )
        13:07     600 ms  (              |                   )     *            high
        13:08     201 ms  (             o|                   )
        13:09    10.0 ms  (o             |                   )
        13:10          -
        out of control: 1 period is outside the limits

        batches that failed
        centre 9.8 % |, limits ( ) depend on the number of batches; times in UTC
        12:58      9.1 %  (    o|              )
        12:59      0.0 %  o     |              )
        13:00      9.1 %  (    o|              )
        13:01          -
        13:02     16.7 %  (     |  o          )
        13:03      0.0 %  o     |              )
        13:04      9.1 %  (    o|              )
        13:05      0.0 %  o     |              )
        13:06      2.9 %   (o   |    )
        13:07     47.4 %  (     |          )         *                          high
        13:08      0.0 %  o     |              )
        13:09      0.0 %  o     |                            )
        13:10    100.0 %  (     |                        )                    * high
        out of control: 2 periods are outside the limits

        """)
  }

  @Test func `the calculation leaves out gaps`() {
    let with = ControlCharts(minutes((0..<20).map { ($0 % 2, 100 + $0 * $0, 0) }))
    let without = ControlCharts(minutes((0..<10).map { (1, 100 + (2 * $0 + 1) * (2 * $0 + 1), 0) }))
    #expect(with.service.centre == without.service.centre)
    #expect(with.service.points[1].limits == without.service.points[0].limits)
    #expect(with.service.points[0].state == nil)
  }

  @Test func `equal minutes are in control, though their limits have no width`() {
    for charts in [alike(9, 200), alike(9, 0), alike(60, 77_777)] {
      #expect(charts.service.outside == 0)
      #expect(charts.failures.outside == 0)
      #expect(charts.text.contains("in control: no period is outside its limits"))
    }
  }

  @Test func `the chart distinguishes too slow from too fast`() throws {
    let usual = Array(repeating: (batches: 10, time: 200, failed: 5), count: 30)
    let charts = ControlCharts(minutes(usual + [(50, 100, 0), (10, 900, 100)]))
    #expect(charts.service.points.suffix(2).map(\.state) == [.low, .high])
    #expect(charts.failures.points.suffix(2).map(\.state) == [.low, .high])
  }

  @Test func `seven minutes are too few for limits`() {
    #expect(
      alike(7, 200).text == """
        mean service time of a batch
        too few periods: 7 with batches, 8 needed

        batches that failed
        too few periods: 7 with batches, 8 needed

        """)
    #expect(alike(7, 200).service.points.allSatisfy { $0.state == nil && $0.value != nil })
    #expect(ControlCharts([]).service.centre == nil)
    #expect(alike(8, 200).service.centre != nil)
  }

  @Test func `the control charts are valid JSON`() throws {
    let line = ControlCharts(minutes([(0, 0, 0)] + Array(repeating: (10, 200, 0), count: 9))).line
    let json = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    let service = json?["service"] as? [String: Any]
    #expect(service?["verdict"] as? String == "in control")
    let periods = try #require(service?["periods"] as? [[String: Any]])
    #expect(periods.map { $0["value"] as? Double } == [nil] + Array(repeating: 0.2, count: 9))
    #expect(periods.first?["start"] as? Double == 1_795_870_680)
    #expect(!line.contains("\n"))
  }

  @Test func `the charts accept the earliest and latest times and huge counts`() {
    let starts: [Instant] = [.distantPast, -1, 0, .distantFuture]
    let periods = (0..<12).map {
      var period = Period(start: starts[$0 % 4], seconds: 60, accepted: 0)
      (period.batches, period.failures) = (1_000_000_000_000, 1_000_000_000_000)
      period.service = 2.592e18
      return period
    }
    let charts = ControlCharts(periods)
    #expect(charts.service.outside == 0)
    for line in charts.text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    #expect(charts.text.contains("23:59") && charts.text.contains("00:00"))
    let odd = ControlChart(individuals: (0..<20).map { (0, $0 % 2 == 0 ? .nan : .infinity) })
    #expect(odd.filled == 0)
    let mixed = ControlChart(individuals: (0..<20).map { (0, $0 % 2 == 0 ? .nan : 5) })
    #expect(mixed.centre == 5)
    let wild = ControlChart(individuals: (0..<20).map { (0, $0 % 2 == 0 ? 0 : 1e308) })
    #expect(wild.lines { number($0) }[1].hasSuffix(")"))
  }
}
