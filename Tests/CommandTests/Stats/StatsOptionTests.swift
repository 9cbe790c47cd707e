import Foundation
import TestSupport
import Testing

@Suite("Options of stats")
struct StatsOptionTests {
  private static let alone =
    "--field reads stdin once, and no queue: leave out -q, --since, --watch and --output"
  private static let ever =
    "--since excludes --prometheus, which covers all time, and --chart, which takes -n"
  private static let oneForm =
    "give only one of --prometheus, --hgrm, --plot, --svg, --model, --compare, --by, --chart"
    + " and --field"

  @Test(
    "contradictory options are a usage error that names the contradiction",
    arguments: [
      ("--json --plot", "--json excludes --prometheus, --hgrm, --plot and --svg"),
      ("--json --prometheus", "--json excludes --prometheus, --hgrm, --plot and --svg"),
      ("--plot --hgrm", oneForm),
      ("--model --chart", oneForm),
      ("--field n --prometheus", oneForm),
      ("--compare a", "--compare takes two tags or two queues"),
      ("--compare a b c", "--compare takes two tags or two queues"),
      ("--of wait", "--of needs --hgrm, --plot or --svg"),
      ("-n 5", "-n needs --chart"),
      ("--chart -n 121", "-n is 120 at most: older minutes are not kept separately"),
      ("--watch 99ms", "--watch must be 100ms or more"),
      ("--field a..b", "--field takes member names separated by dots"),
      ("--field ''", "--field takes member names separated by dots"),
      ("--field n --since 1h", alone), ("--field n -q queue", alone),
      ("--field n --watch 1s", alone),
      ("--field n --output f", alone),
      ("--svg a --output b", "--svg names its file: leave out --output"),
      ("--prometheus --since 1h", ever),
      ("--chart --since 1h", ever), ("--since 0s", "--since must be positive"),
      ("--output -", "- is not a file: leave out --output"),
      ("--output ''", "--output is empty; name a file"),
      ("--svg ''", "--svg is empty; name a file"),
    ])
  func contradictions(options: String, reason: String) throws {
    let scratch = try Scratch()
    try scratch.prepare("init")
    try scratch.sh("pipe stats \(options)", input: "{\"n\":1}\n").expect(
      "", errors: "pipe stats: \(reason) (see pipe stats --help)\n", status: 64)
    #expect(try scratch.names(in: ".") == ["queue"])
  }

  @Test(
    "invalid options are a usage error in one line",
    arguments: [
      "--since 5", "--since -1h", "--of foo --hgrm", "--by size", "--by", "--chart -n 0",
      "--watch 0s", "extra",
    ])
  func mistakes(options: String) throws {
    let run = try Scratch().sh("pipe stats \(options)")
    run.expect("", errors: nil, status: 64)
    #expect(run.errors.hasPrefix("pipe stats: ") && run.errors.split(separator: "\n").count == 1)
  }
}
