import PipeStats
import Testing

struct PercentileTextTests {
  // The output of HdrHistogram for the same values.
  @Test func `the percentile text equals HdrHistogram's`() {
    var latency = Latency()
    latency.record(Latency.longest)
    latency.record(0, count: 3)
    latency.record(9_999, count: 2)
    #expect(
      latency.percentileText == """
               Value     Percentile TotalCount 1/(1-Percentile)

               0.000 0.000000000000          3           1.00
               0.000 0.100000000000          3           1.11
               0.000 0.200000000000          3           1.25
               0.000 0.300000000000          3           1.43
               0.000 0.400000000000          3           1.67
               0.000 0.500000000000          3           2.00
               9.999 0.550000000000          5           2.22
               9.999 0.600000000000          5           2.50
               9.999 0.650000000000          5           2.86
               9.999 0.700000000000          5           3.33
               9.999 0.750000000000          5           4.00
               9.999 0.775000000000          5           4.44
               9.999 0.800000000000          5           5.00
               9.999 0.825000000000          5           5.71
        2592012763.135 0.850000000000          6           6.67
        2592012763.135 1.000000000000          6
        #[Mean    = 431823173.551, StdDeviation   = 965585961.378]
        #[Max     = 2592012763.135, Total count    =            6]
        #[Buckets =           32, SubBuckets     =         2048]

        """)
  }

  @Test func `the percentile text of an empty latency has no rows`() {
    #expect(
      Latency().percentileText == """
               Value     Percentile TotalCount 1/(1-Percentile)

        #[Mean    =        0.000, StdDeviation   =        0.000]
        #[Max     =        0.000, Total count    =            0]
        #[Buckets =           32, SubBuckets     =         2048]

        """)
  }

  @Test func `the percentile text counts a million million items that waited a month`() {
    var latency = Latency()
    latency.record(Latency.longest, count: 1_000_000_000_000)
    latency.record(1_000_000)
    let lines = latency.percentileText.split(separator: "\n")
    #expect(lines.contains("2592012763.135 1.000000000000 1000000000001"))
    #expect(lines.contains("#[Max     = 2592012763.135, Total count    = 1000000000001]"))
  }
}
