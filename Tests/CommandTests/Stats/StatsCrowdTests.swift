import Foundation
import Glibc
import TestSupport
import Testing

@Suite("stats of many consumers")
struct StatsCrowdTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  // Compares stats/log, without histograms, with --json.
  private let check = """
    import json, math
    lists = {"wait": [], "service": [], "total": []}
    for line in open("queue/stats/log", "rb").read().split(b"\\n"):
      columns = line.split()
      if len(columns) != 7 or columns[3] != b"done": continue
      service = int(columns[4])
      for wait in columns[6].split(b","):
        time, _, count = wait.partition(b"*")
        for _ in range(int(count or 1)):
          lists["wait"].append(int(time))
          lists["service"].append(service)
          lists["total"].append(int(time) + service)
    found = json.load(open("json"))
    for name, values in lists.items():
      values.sort()
      assert len(values) == found["latency"][name]["count"] == 60, (name, len(values))
      wanted = {"mean": sum(values) / len(values), "max": values[-1]}
      for percent in ["50", "90", "99", "99.9"]:
        wanted["p" + percent] = values[math.ceil(len(values) * float(percent) / 100) - 1]
      for key, value in wanted.items():
        if abs(found["latency"][name][key] * 1e6 - value) > 0.01 * value:
          print(name, key, found["latency"][name][key], value)
    """

  @Test(
    "when one of several consumers is killed, stats counts the done items and nothing else",
    .needs("python3"))
  func killed() throws {
    let gate = try Gate(scratch)
    try scratch.store(count: 60)
    let command = ["consume", "--", "sh", "-c", "read n; echo $n; read go < gate"]
    let consumers = try (0..<4).map { _ in try scratch.start([Binary.path] + command) }
    var taken = Set(consumers.compactMap { $0.line() })
    #expect(taken.count == 4)
    gate.letPass(20)
    try wait(until: { try scratch.figures()["success/acknowledged"] == 20 }, "twenty items")
    consumers[1].signal(SIGKILL)
    consumers[1].reap()
    gate.letPass(200)
    for consumer in consumers {
      let run = consumer.finish()
      taken.formUnion(run.lines)
      #expect(run.ending == .exited(0) || consumer === consumers[1], run.story)
    }
    // Its item was not settled: it is ready again, and done by the others or by this one.
    try scratch.pipe("consume", "--", "true").expect("")
    #expect(taken.count == 60)
    try scratch.sh("pipe list --state done | wc -l; pipe stats --json > json").expect("60\n")
    #expect(try scratch.figures().settled == settled(60))
    try scratch.run(["python3", "-c", check]).expect("")
  }

  @Test("consumers that all settle at once lose no item and count none twice")
  func storm() throws {
    try scratch.store(count: 2000)
    let run = try scratch.sh(
      "for i in 1 2 3 4; do pipe consume --size 7 > /dev/null & done; "
        + "pipe batch | pipe ack; pipe consume -j2 --size 5 -- cat > /dev/null; wait")
    run.expect("")
    let figures = try scratch.figures()
    #expect(figures.settled == settled(2000) && figures.items("done") == [0, 2000, 0], run.story)
  }
}
