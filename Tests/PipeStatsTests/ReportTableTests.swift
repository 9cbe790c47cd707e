import PipeStats
import Testing
import PipeTime

struct ReportTableTests {
  @Test func `a report shows waiting items, latencies and failures`() {
    #expect(
      ReportTable(.busy).text() == """
        Queue at 2026-11-20 08:15:02 UTC

        items                 HIGH        MEDIUM           LOW           all
        ready                   10         1,200             0         1,210
        claimed                  3             3             0             6
        later                    0            12             0            12
        dead                     0             1             0             1
        done             1,000,000    11,345,678             0    12,345,678
        oldest ready        1.25 s    3 min 12 s             -    3 min 12 s

        waiting, by age in minutes
                   all    <1    <2    <4    <8   <16   <32   <64  <128  <256  256+
        HIGH        10    10     -     -     -     -     -     -     -     -     -
        MEDIUM    1212   700   300   150    50     -     -     7     3     1     1
        LOW          -     -     -     -     -     -     -     -     -     -     -

        in the last 10 min
        in            2.02 items/s
        out           1.67 items/s

        latency               wait       service         total
        items                1,000         1,000         1,000
        mean               15.6 ms       7.57 ms       23.2 ms
        p50                 812 us       5.00 ms       5.81 ms
        p90                 812 us       5.00 ms       5.81 ms
        p99                95.0 ms       42.0 ms        137 ms
        p99.9              95.0 ms       42.0 ms        137 ms
        max                 12.1 s        1.50 s        13.6 s

        success            99.50 %    95 % interval 98.84 % to 99.79 %
        acknowledged         1,000
        failed                   5    4 retried, 1 buried

        since the queue was created
        rows ingested                 12,346,907
        failed validations                     3
        ingestion errors                       0

        """)
  }

  @Test func `an empty queue has a short report`() {
    #expect(
      ReportTable(.empty).text() == """
        Queue at 2026-11-20 08:15:02 UTC

        items                 HIGH        MEDIUM           LOW           all
        ready                    0             0             0             0
        claimed                  0             0             0             0
        later                    0             0             0             0
        dead                     0             0             0             0
        done                     0             0             0             0
        oldest ready             -             -             -             -

        rates, latency and success are not measured yet

        since the queue was created
        rows ingested                          0
        failed validations                     0
        ingestion errors                       0

        """)
  }

  @Test func `the largest numbers fit in 80 columns`() {
    #expect(
      ReportTable(.huge).text() == """
        Queue at 2026-11-20 08:15:02 UTC

        items                  HIGH         MEDIUM            LOW            all
        ready                     1  1000000000000  1000000000000  2000000000001
        claimed                   0              0              0              0
        later                     0              0              0              0
        dead                      0              0              0              0
        done          1000000000000  1000000000000  1000000000000  3000000000000
        oldest ready           1 us           30 d    1157 d 10 h    1157 d 10 h

        waiting, by age in hours
                   all    <1    <2    <4    <8   <16   <32   <64  <128  <256  256+
        HIGH     2.00T     1 99999  100k 1.00M 1.00M 1.00T     -     -     - 1.00T
        MEDIUM   2.00T     1 99999  100k 1.00M 1.00M 1.00T     -     -     - 1.00T
        LOW      2.00T     1 99999  100k 1.00M 1.00M 1.00T     -     -     - 1.00T

        since 2026-10-21 08:15 UTC (30 d)
        in            385,802 items/s
        out           3.85e-7 items/s

        latency                wait        service          total
        items         1000000000000  1000000000000  1000000000000
        mean                   30 d           1 us           30 d
        p50                    30 d           1 us           30 d
        p90                    30 d           1 us           30 d
        p99                    30 d           1 us           30 d
        p99.9                  30 d           1 us           30 d
        max                    30 d           1 us           30 d

        success               100 %    95 % interval 99.99 % to 100 %
        acknowledged  1000000000000
        failed                    0

        since the queue was created
        rows ingested              5000000000000
        failed validations         1000000000000
        ingestion errors                  99,999

        """)
    #expect(ReportTable(.huge).text().split(separator: "\n").allSatisfy { $0.count <= 80 })
  }

  @Test func `a queue younger than the window shows its start and what is not measured yet`() {
    var report = Report.busy
    report.since = 3600
    (report.start, report.seconds) = (report.at - TimeSpan.seconds(1234), 1234)
    report.activity = Activity()
    report.inPerSecond = 0.002
    report.outPerSecond = 0
    #expect(
      ReportTable(report).text().contains(
        """
        in the last 1 h, recorded since 2026-11-20 07:54 UTC (20 min 34 s)
        in            7.20 items/h
        out              0 items/h

        latency       not measured yet
        success       not measured yet


        """))
  }

  @Test func `a report says that nothing happened in its window`() {
    var report = Report.empty
    report.since = 3600
    #expect(
      ReportTable(report).text().contains(
        """
        in the last 1 h
        nothing arrived and nothing was settled


        """))
  }
}
