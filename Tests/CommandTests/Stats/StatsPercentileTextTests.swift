import Foundation
import TestSupport
import Testing

@Suite("stats --hgrm")
struct StatsPercentileTextTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  // Parses like HistogramLogProcessor's plotters: heading, rows of 3 or 4 columns, lines with #[.
  private let parser = """
    import json, re, sys
    text, figures = open("hgrm").read(), json.load(open("json"))["latency"][sys.argv[1]]
    lines = text.split("\\n")
    assert lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"], lines[0]
    assert lines[1] == "" and lines[-1] == ""
    rows = [line.split() for line in lines[2:-4]]
    tail = [re.findall(r"(\\w[A-Za-z ]*?) *= +([0-9.]+)", line) for line in lines[-4:-1]]
    assert all(line.startswith("#[") and line.endswith("]") for line in lines[-4:-1])
    tail = dict(pair for line in tail for pair in line)
    rows = [[float(column) for column in row] for row in rows]
    assert all(len(row) == 4 for row in rows[:-1]) and len(rows[-1]) == 3 and rows[-1][1] == 1
    for before, row in zip(rows, rows[1:]): assert all(a <= b for a, b in zip(before, row)), row
    for row in rows[:-1]: assert abs(row[3] * (1 - row[1]) - 1) < 0.01 * row[3] / 100 + 0.01, row
    def close(one, other): assert abs(one - other) <= 0.001 * other + 0.0005, (one, other)
    close(rows[-1][0], figures["max"] * 1e3)
    close(float(tail["Max"]), figures["max"] * 1e3)
    close(float(tail["Mean"]), figures["mean"] * 1e3)
    assert rows[-1][2] == figures["count"] == float(tail["Total count"])
    def at(share): return next(row[0] for row in rows if row[1] >= share - 1e-12)
    close(at(0.5), figures["p50"] * 1e3)
    close(at(0.9), figures["p90"] * 1e3)
    """

  @Test(
    "plotters can parse --hgrm, and its numbers agree with --json", .needs("python3"),
    arguments: ["wait", "service", "total"])
  func parsed(stage: String) throws {
    var notes = StatsLog()
    for index in 0..<2000 {
      let waits = "\(index * index % 7919 * 1000)*2,\(index * 37 % 5000)"
      notes.add(service: 200 + index * 7919 % 100_003, items: 3, waits: waits)
    }
    try notes.write(to: scratch)
    try scratch.sh("pipe stats --json > json; pipe stats --hgrm --of \(stage) > hgrm").expect("")
    try scratch.run(["python3", "-c", parser, stage]).expect("")
  }

  @Test("--hgrm shows the total by default, and no rows if nothing was settled")
  func nothing() throws {
    try scratch.prepare("init")
    let run = try scratch.pipe("stats", "--hgrm").expect()
    #expect(run.lines.count == 5 && run.lines[3].hasSuffix("Total count    =            0]"))
    try scratch.store("1")
    try scratch.pipe("consume", "--", "true").expect("")
    try scratch.sh("cmp <(pipe stats --hgrm) <(pipe stats --hgrm --of total)").expect("")
  }
}
