import Foundation
import TestSupport
import Testing

@Suite("stats after a clock was set back")
struct StatsClockTests {
  private let scratch: Scratch

  /// Items that came tomorrow: some were consumed the day after, and others today.
  init() throws {
    scratch = try Scratch(binary: Binary.besideTests)
    try scratch.retriesAtOnce()
    try scratch.sh("seq 40 | faketime -f +1d pipe enqueue --raw --quiet").expect("")
    try scratch.sh("faketime -f +2d pipe consume -n 20 -- true").expect("")
    try scratch.sh("faketime -f +2d pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    try scratch.pipe("consume", "-n", "15", "--", "true").expect("")
  }

  @Test(
    "stats keeps its counts and shows no negative number when the clock is set back",
    .needsFakeTime, arguments: ["+0d", "-1000d"])
  func back(offset: String) throws {
    for form in [
      "--json", "--json --since 1h", "--json --since 90d", "--prometheus", "--model --json",
    ] {
      let run = try scratch.sh("faketime -f \(offset) pipe stats \(form)").expect(nil)
      #expect(!run.output.contains(#/[:\[, ]-[0-9]/#), run.story)
    }
    for form in ["", "--plot", "--hgrm", "--chart -n 10", "--by tag", "--compare - -"] {
      try scratch.sh("faketime -f \(offset) pipe stats \(form)").expect(nil)
    }
    let run = try scratch.sh("faketime -f \(offset) pipe stats --json").expect()
    let figures = Figures(root: try run.objects()[0])
    #expect(figures.settled == settled(35, failed: 1))
    #expect(figures.items("ready") == [0, 5, 0] && figures.ages("MEDIUM")[0] == 5)
  }
}
