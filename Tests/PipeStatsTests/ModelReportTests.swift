import Foundation
import Testing

@testable import PipeStats

struct ModelReportTests {
  private let steady = scattered(1200, 150_000...250_000)

  @Test func `the report predicts the wait of batches at 40 % of one consumer's capacity`() {
    let activity = Activity.of(steady, items: 3, failures: [100_000, 300_000])
    #expect(
      ModelReport(activity, seconds: 600).text == """
        1202 batches in 10.0 min, of 3.00 items on average.
        The models' customers are batches; the measured times are per item.

        arrivals     2.00 a second (lambda)
        service      201 ms on average; one consumer serves 4.98 a second (mu)
                     deviation 29.0 ms, 0.14 of the mean; M/M/1 assumes 1
        utilisation  40.2 % of one consumer (rho)

                                         mean wait  mean total   p50 total   p99 total
        measured                           1.00 ms      202 ms      202 ms      250 ms
        M/M/1                               135 ms      336 ms      233 ms      1.55 s
        M/G/1                              69.1 ms      270 ms           -           -
        M/M/2, one more consumer           8.48 ms      209 ms      147 ms      946 ms

        By M/M/2, a second consumer cuts the mean total from 336 ms to 209 ms.

        """)
  }

  @Test func `the report of an overload shows how many consumers keep up`() {
    let report = ModelReport(Activity.of(steady), seconds: 100)
    #expect(
      report.text == """
        1200 batches in 1.67 min

        arrivals     12.0 a second (lambda)
        service      201 ms on average; one consumer serves 4.98 a second (mu)
                     deviation 28.8 ms, 0.14 of the mean; M/M/1 assumes 1
        utilisation  241.1 % of one consumer (rho)

                                         mean wait  mean total   p50 total   p99 total
        measured                           1.00 ms      202 ms      202 ms      250 ms
        M/M/1                                    -           -           -           -
        M/G/1                                    -           -           -           -
        M/M/3, 3 consumers                  223 ms      424 ms      322 ms      1.73 s

        unstable: one consumer cannot keep up; 2.41 would be busy, 3 would suffice

        """)
    #expect(report.isStable == false)
  }

  @Test func `an idle consumer needs no second one`() {
    let report = ModelReport(Activity.of(steady), seconds: 1e6)
    #expect(
      report.sentence
        == "By M/M/2, a second consumer changes little: a mean total of 201 ms.")
  }

  @Test func `the report predicts nothing from few batches, no time or no service time`() {
    let few = Activity.of([5], failures: [7])
    #expect(
      ModelReport(few, seconds: 9).text == "too few samples: 2 batches, 30 needed\n")
    #expect(
      ModelReport(Activity.of([5]), seconds: 9).sentence
        == "too few samples: 1 batch, 30 needed")
    for seconds in [nil, 0, -1, .nan] as [Double?] {
      let report = ModelReport(Activity.of(steady), seconds: seconds)
      #expect(report.sentence == "too few samples: no time has passed")
      #expect(report.isStable == nil)
    }
    let instant = ModelReport(Activity.of([Int](repeating: 0, count: 30)), seconds: 9)
    #expect(instant.sentence == "too few samples: the service times are too short to measure")
  }

  @Test func `thirty batches are enough, and failed batches count among them`() {
    let activity = Activity.of(Array(steady.prefix(20)), failures: Array(steady.prefix(10)))
    let report = ModelReport(activity, seconds: 60)
    #expect(report.isStable == true)
    #expect(report.station?.arrivals == 0.5)
  }

  @Test func `the model report is valid JSON`() throws {
    let line = ModelReport(Activity.of(steady), seconds: 600).line
    #expect(!line.contains("\n"))
    let found = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    #expect(found?["verdict"] as? String == "stable")
    #expect(found?["lambda"] as? Double == 2)
    let more = found?["mmc"] as? [String: Any]
    #expect(more?["consumers"] as? Int == 2)
    #expect((more?["total"] as? [String: Any])?["mean"] as? Double == 0.209394)
    let empty = ModelReport(Activity(), seconds: nil).line
    let none = try JSONSerialization.jsonObject(with: Data(empty.utf8)) as? [String: Any]
    #expect(none?["verdict"] as? String == "too few samples")
    #expect(none?["rho"] is NSNull)
  }

  @Test func `no line of a model report exceeds 80 columns for any numbers`() throws {
    var slow = Activity()
    slow.batches.record(.max, count: 1_000_000_000_000)
    slow.failures.record(1, count: 1_000_000_000_000)
    slow.acknowledged = .max
    slow.retried = .max
    for activity in [slow, Activity.of(steady, items: 1_000_000)] {
      for seconds in [1e-300, 1e-6, 1, 241.3, 2.592e18, 1e300] {
        let report = ModelReport(activity, seconds: seconds)
        for line in report.text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        _ = try JSONSerialization.jsonObject(with: Data(report.line.utf8))
      }
    }
  }
}

extension ModelReport {
  /// As many items came as were settled.
  fileprivate init(_ activity: Activity, seconds: Double?) {
    let success = activity.success
    let (items, isOver) = success.acknowledged.addingReportingOverflow(success.failed)
    self.init(activity, accepted: isOver ? .max : items, seconds: seconds)
  }
}
