import TestSupport
import Testing

@Suite("Live views on a terminal", .needs("tmux"))
struct LiveTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.store("1", "2", "3")
  }

  private func window(_ columns: Int = 80, _ rows: Int = 24) throws -> Window {
    try Window(scratch, columns: columns, rows: rows)
  }

  static let views = ["stats --watch 100ms", "top --every 100ms"]

  @Test("a live view restores the screen, the echo and the cursor when q ends it", arguments: views)
  func ends(view: String) throws {
    let window = try window()
    let before = try window.run("stty -a")
    let shown = try window.screen()
    try window.type("pipe \(view)")
    try window.wait { $0.first?.hasPrefix("every 100 ms") == true }
    try window.press("q")
    let after = try window.wait { $0.last == "$" }
    #expect(after == shown.dropLast() + ["$ pipe \(view)", "$"])
    #expect(try window.run("stty -a") == before)
  }

  @Test(
    "a live view restores the screen when a signal ends it", arguments: views,
    ["INT", "TERM", "HUP"])
  func killed(view: String, signal: String) throws {
    let window = try window()
    let before = try window.run("stty -a")
    try window.type("sh -c 'echo $$ > pid; exec pipe \(view)'")
    try window.wait { $0.first?.hasPrefix("every 100 ms") == true }
    try scratch.sh("kill -\(signal) $(cat pid)").mustSucceed()
    try window.wait { $0.last == "$" }
    #expect(try window.run("stty -a") == before)
  }

  @Test("a live view gives the screen back while it is stopped", arguments: views)
  func stopped(view: String) throws {
    let window = try window()
    try window.type("set -m; pipe \(view)")
    try window.wait { $0.first?.hasPrefix("every 100 ms") == true }
    try window.press("C-z")
    try window.wait { $0.last == "$" }
    try window.type("fg")
    try window.wait { $0.first?.hasPrefix("every 100 ms") == true }
    try window.press("q")
    try window.wait { $0.last == "$" }
  }

  @Test(
    "a live view is redrawn when the terminal changes its size",
    arguments: ["stats --watch 1h", "top --every 1h"])
  func resized(view: String) throws {
    let window = try window()
    try window.type("pipe \(view)")
    try window.wait { $0.first.map { $0.hasPrefix("every ") && $0.count == 80 } == true }
    try window.resize(columns: 200, rows: 50)
    let wide = try window.wait {
      $0.first.map { $0.hasPrefix("every ") && $0.count == 200 } == true
    }
    try window.resize(columns: 40, rows: 10)
    let small = try window.wait {
      $0.first.map { $0.hasPrefix("every ") && $0.count <= 40 } == true
    }
    #expect(small.count <= 10 && small.allSatisfy { $0.count <= 40 })
    #expect(wide.count <= 50)
  }

  @Test("stats --watch fits the window")
  func fits() throws {
    try scratch.sh("pipe consume -n 1 > out").mustSucceed()
    let window = try window()
    try window.type("pipe stats --watch 100ms")
    let lines = try window.wait { $0.last == "more with --all" }
    #expect(lines[1].hasPrefix("Queue at ") && lines.count <= 24)
    try window.resize(columns: 200, rows: 50)
    try window.wait { $0.last?.hasPrefix("ingestion errors") == true }
  }

  @Test(
    "stats --watch of a new queue draws this screen", arguments: [(80, 24), (200, 50)])
  func screen(columns: Int, rows: Int) throws {
    try scratch.prepare("init", "-q", "new")
    let window = try window(columns, rows)
    try window.type("pipe stats -q new --watch 1h")
    let lines = try window.wait { $0.last?.hasPrefix("ingestion errors") == true }
    let time = #/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d/#
    let gap = String(repeating: " ", count: columns - 44)
    #expect(
      lines.map { $0.replacing(time, with: "(time)") } == [
        "every 1 h 0 min\(gap)(time)Z   q ends",
        "Queue at (time) UTC",
        "",
        "items                 HIGH        MEDIUM           LOW           all",
        "ready                    0             0             0             0",
        "claimed                  0             0             0             0",
        "later                    0             0             0             0",
        "dead                     0             0             0             0",
        "done                     0             0             0             0",
        "oldest ready             -             -             -             -",
        "",
        "rates, latency and success are not measured yet",
        "",
        "since the queue was created",
        "rows ingested                          0",
        "failed validations                     0",
        "ingestion errors                       0",
      ])
  }

  @Test("top shows each queue, and what runs there since when")
  func top() throws {
    try scratch.sh("pipe enqueue --raw --quiet -q other", input: "1\n2\n").mustSucceed()
    let gate = try Gate(scratch)
    let handler = try scratch.start([
      "pipe", "consume", "-n", "1", "--", "sh", "-c", "read x < gate",
    ])
    let window = try window()
    try window.type("pipe top queue other --every 100ms")
    let isClaimed = { (line: String) in line.contains(#/^queue +2 +1 +0 +0 /#) }
    let lines = try window.wait { lines in
      lines.contains { $0.contains("process") } && isClaimed(lines[2])
    }
    #expect(
      lines[1] == "QUEUE              READY  CLAIMED   LATER    DEAD    IN/S   OUT/S  P99")
    #expect(lines[3].contains(#/^other +2 +0 +0 +0 /#))
    #expect(lines[5] == "   RUNS FOR  QUEUE              ITEMS  TRY  HELD BY")
    #expect(lines[6].contains(#/^ +[0-9]+ s  queue +1    1  process [0-9]+ \(/#))
    try window.resize(columns: 200, rows: 50)
    let gap = String(repeating: " ", count: 134)
    let wide = try window.wait {
      $0.count > 6 && $0[0].count == 200
        && $0[1] == "QUEUE" + gap + "READY  CLAIMED   LATER    DEAD    IN/S   OUT/S  P99"
    }
    #expect(wide[3].contains(#/^other {134}    2        0       0       0 /#))
    #expect(wide[5] == "   RUNS FOR  QUEUE" + gap.dropFirst(60) + "ITEMS  TRY  HELD BY")
    try window.resize(columns: 80, rows: 24)
    gate.letPass()
    #expect(handler.finish().ending == .exited(0))
    try window.wait { !$0.contains { $0.contains("process") } }
    try scratch.sh("rm -r other").mustSucceed()
    try window.wait { $0.contains { $0.hasPrefix("other: ") && $0.contains("was removed") } }
  }

  @Test("top draws this screen", arguments: [(80, 24), (200, 50)])
  func topScreen(columns: Int, rows: Int) throws {
    try scratch.sh("pipe enqueue --raw --quiet -q other", input: "1\n2\n").mustSucceed()
    let gate = try Gate(scratch)
    let handler = try scratch.start([
      "pipe", "consume", "-n", "1", "--", "sh", "-c", "echo runs; read x < gate",
    ])
    #expect(handler.line() == "runs")
    let window = try window(columns, rows)
    try window.type("pipe top queue other --every 1h")
    let lines = try window.wait { $0.contains { $0.contains("process") } }
    let queues = String(repeating: " ", count: columns - 80)
    let running = String(repeating: " ", count: (columns - 80) / 2)
    let rates = #/^((queue|other)( +[0-9]){4}).*/#
    #expect(
      lines.steady.map {
        // Where the command is cut depends on the digits of the process.
        $0.replacing(rates) { "\($0.output.1) RATES" }
          .replacing(#/\(pipe consume -n 1.*/#, with: "(COMMAND")
      } == [
        "every 1 h SPAN " + queues + "                                   TIME   q ends",
        "QUEUE" + queues + "              READY  CLAIMED   LATER    DEAD    IN/S   OUT/S  P99",
        "queue" + queues + "                  2        1       0       0 RATES",
        "other" + queues + "                  2        0       0       0 RATES",
        "",
        "   RUNS FOR  QUEUE" + running + "              ITEMS  TRY  HELD BY",
        " SPAN  queue" + running + "                  1    1  process N (COMMAND",
      ])
    gate.letPass()
    #expect(handler.finish().ending == .exited(0))
  }

  @Test("top refuses a stdout that is no terminal, and a queue that is missing")
  func refusals() throws {
    try scratch.pipe("top").expect(
      errors: "pipe top: stdout is not a terminal; for scripts there is pipe stats --json\n",
      ending: .exited(64))
    try scratch.pipe("top", "nowhere").expect(
      errors: "pipe top: nowhere: no such queue; pipe init or pipe enqueue creates one\n",
      ending: .exited(66))
  }
}
