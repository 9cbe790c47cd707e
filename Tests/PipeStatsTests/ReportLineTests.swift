import PipeStats
import Testing

struct ReportLineTests {
  @Test func `a report is one line with every number of the contract`() {
    let expected = [
      #"{"items":{"ready":{"HIGH":10,"MEDIUM":1200,"LOW":0},"claimed":{"HIGH":3,"MEDIUM":3,"LOW":0},"#,
      #""later":{"HIGH":0,"MEDIUM":12,"LOW":0},"dead":{"HIGH":0,"MEDIUM":1,"LOW":0},"#,
      #""done":{"HIGH":1000000,"MEDIUM":11345678,"LOW":0},"lost":{"HIGH":0,"MEDIUM":0,"LOW":0}},"#,
      #""oldest_ready_seconds":{"HIGH":1.25,"MEDIUM":192.3,"LOW":null},"#,
      #""rates":{"in_per_second":2.01667,"out_per_second":1.66667},"#,
      #""latency":{"wait":{"count":1000,"mean":0.0156466,"p50":0.000812,"p90":0.000812,"p99":0.095039,"#,
      #""p99.9":0.095039,"max":12.1},"#,
      #""service":{"count":1000,"mean":0.00756959,"p50":0.005003,"p90":0.005003,"p99":0.042015,"#,
      #""p99.9":0.042015,"max":1.5},"#,
      #""total":{"count":1000,"mean":0.0232161,"p50":0.005815,"p90":0.005815,"p99":0.137087,"#,
      #""p99.9":0.137087,"max":13.6}},"#,
      #""success":{"acknowledged":1000,"failed":5,"ratio":0.995025,"low":0.988407,"high":0.997873},"#,
      #""counters":{"ingested_rows_total":12346907,"failed_validations_total":3,"#,
      #""ingestion_errors_total":0,"pipe_accepted_items_total":12346950,"#
        + #""pipe_acknowledged_items_total":1000,"pipe_failed_items_total":5},"#,
      #""window":{"since_seconds":600.0,"seconds":600.0},"#,
      #""ages":{"bounds_seconds":[60.0,120.0,240.0,480.0,960.0,1920.0,3840.0,7680.0,15360.0],"#,
      #""HIGH":[10,0,0,0,0,0,0,0,0,0],"MEDIUM":[700,300,150,50,0,0,7,3,1,1],"#,
      #""LOW":[0,0,0,0,0,0,0,0,0,0]}}"#,
    ]
    #expect(ReportLine(.busy).text == expected.joined() + "\n")
  }

  @Test func `an unmeasured figure is null, and a missing count is 0`() {
    let none = #"{"count":0,"mean":null,"p50":null,"p90":null,"p99":null,"p99.9":null,"max":null}"#
    let zeros = #"{"HIGH":0,"MEDIUM":0,"LOW":0}"#
    let noAges = "[0,0,0,0,0,0,0,0,0,0]"
    let expected = [
      #"{"items":{"ready":\#(zeros),"claimed":\#(zeros),"later":\#(zeros),"dead":\#(zeros),"#,
      #""done":\#(zeros),"lost":\#(zeros)},"oldest_ready_seconds":{"HIGH":null,"MEDIUM":null,"LOW":null},"#,
      #""rates":{"in_per_second":null,"out_per_second":null},"#,
      #""latency":{"wait":\#(none),"service":\#(none),"total":\#(none)},"#,
      #""success":{"acknowledged":0,"failed":0,"ratio":null,"low":null,"high":null},"#,
      #""counters":{"ingested_rows_total":0,"failed_validations_total":0,"ingestion_errors_total":0,"#,
      #""pipe_accepted_items_total":0,"pipe_acknowledged_items_total":0,"pipe_failed_items_total":0},"#,
      #""window":{"since_seconds":null,"seconds":null},"#,
      #""ages":{"bounds_seconds":[60.0,120.0,240.0,480.0,960.0,1920.0,3840.0,7680.0,15360.0],"#,
      #""HIGH":\#(noAges),"MEDIUM":\#(noAges),"LOW":\#(noAges)}}"#,
    ]
    #expect(ReportLine(.empty).text == expected.joined() + "\n")
  }

  @Test func `a wait of a month is a number without an exponent`() {
    let latency =
      #""count":1000000000000,"mean":2590939.0,"p50":2592000.0,"p90":2592000.0,"p99":2592000.0,"#
      + #""p99.9":2592000.0,"max":2592000.0"#
    #expect(ReportLine(.huge).text.contains(latency))
  }
}
