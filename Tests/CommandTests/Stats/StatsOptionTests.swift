import Foundation
import Testing

@Suite("options of stats")
struct StatsOptionTests {
  private static let alone =
    "--field reads stdin once, and no queue: it goes without -q, --since, --watch and --output"
  private static let ever =
    "--since is not for --prometheus, which is of all time, nor for --chart"

  @Test(
    "that contradict each other are a mistake, and say which",
    arguments: [
      ("--json --plot", "--json is a form of its own"),
      ("--json --prometheus", "--json is a form of its own"),
      ("--plot --hgrm", "one form at a time: leave out all but one"),
      ("--model --chart", "one form at a time: leave out all but one"),
      ("--field n --prometheus", "one form at a time: leave out all but one"),
      ("--compare a", "--compare takes two tags or two queues"),
      ("--compare a b c", "--compare takes two tags or two queues"),
      ("--of wait", "--of is for --hgrm, --plot and --svg"),
      ("-n 5", "-n is for --chart"),
      ("--chart -n 121", "-n is 120 at most: older minutes are not kept apart"),
      ("--watch 99ms", "--watch takes 100ms or more"),
      ("--field a..b", "--field takes names with dots between them"),
      ("--field ''", "--field takes names with dots between them"),
      ("--field n --since 1h", alone), ("--field n -q queue", alone),
      ("--field n --watch 1s", alone),
      ("--field n --output f", alone),
      ("--svg a --output b", "--svg names its file: leave out --output"),
      ("--prometheus --since 1h", ever),
      ("--chart --since 1h", ever), ("--since 0s", "--since takes more than nothing"),
      ("--output -", "- is no file: leave out --output"),
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
    "that are not understood are a mistake in one line",
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
