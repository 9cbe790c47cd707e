import TestSupport
import Testing

@Suite("Tables on a terminal", .needs("tmux"))
struct ScreenTableTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.sh(
      """
      pipe init --retries 0
      echo '{"ids":[1,2,3,4,5,6],"priority":"HIGH"}' | pipe enqueue --raw --quiet
      pipe consume -n 1 --size 2 -- true
      pipe consume -n 1 --size 2 -- sh -c 'exit 65' || true
      printf '%s\\n' '{"name":"größe 日本語の名前 \\u001b[31m","n":1}' '"\(String(repeating: "x", count: 300))"' |
        pipe enqueue --raw --quiet
      """
    ).mustSucceed()
  }

  private func window(_ columns: Int, _ rows: Int) throws -> Window {
    try Window(scratch, columns: columns, rows: rows)
  }

  @Test("list cuts its table to 80 columns and escapes what a terminal would obey")
  func list() throws {
    let lines = try window(80, 24).run("pipe list")
    #expect(
      lines.steady == [
        "ID                          PRIORITY  STATE            AGE  DATA",
        "IIIIIIIIIIIIIIIIIIIIIIIIII  HIGH      ready SPAN  [5,6]",
        #"IIIIIIIIIIIIIIIIIIIIIIIIII  MEDIUM    ready SPAN  {"name":"größe 日本…"#,
        #"IIIIIIIIIIIIIIIIIIIIIIIIII  MEDIUM    ready SPAN  "xxxxxxxxxxxxxxxxxx…"#,
      ])
  }

  @Test("list uses the width of a wide terminal")
  func wideList() throws {
    let lines = try window(200, 50).run("pipe list")
    #expect(
      lines.steady.dropFirst() == [
        "IIIIIIIIIIIIIIIIIIIIIIIIII  HIGH      ready SPAN  [5,6]",
        #"IIIIIIIIIIIIIIIIIIIIIIIIII  MEDIUM    ready SPAN  {"name":"größe 日本語の名前 \u001b[31m","n":1}"#,
        "IIIIIIIIIIIIIIIIIIIIIIIIII  MEDIUM    ready SPAN  \"\(String(repeating: "x", count: 138))…",
      ])
  }

  @Test("list shows the command of a job, and a record of the same form as it is")
  func jobs() throws {
    try scratch.sh(
      """
      pipe submit -q jobs -- sh -c 'echo "$1"' sh "it's" > /dev/null
      echo '{"argv":["x"],"cwd":"/","env":[],"n":1}' | pipe enqueue -q jobs --raw --quiet
      """
    ).mustSucceed()
    #expect(
      try window(120, 24).run("pipe list -q jobs").steady.dropFirst() == [
        #"IIIIIIIIIIIIIIIIIIIIIIIIII  MEDIUM    ready SPAN  sh -c 'echo "$1"' sh 'it'\''s'"#,
        #"IIIIIIIIIIIIIIIIIIIIIIIIII  MEDIUM    ready SPAN  {"argv":["x"],"cwd":"/","env":[],"n":1}"#,
      ])
  }

  @Test("dead and status print tables", arguments: [(80, 24), (200, 50)])
  func deadAndStatus(columns: Int, rows: Int) throws {
    let window = try window(columns, rows)
    let wide = String(repeating: " ", count: columns == 80 ? 0 : 59)
    #expect(
      try window.run("pipe dead").steady == [
        "ID                          ITEM  TRIES     DIED AGO  REASON\(wide)          DATA",
        "IIIIIIIIIIIIIIIIIIIIIIIIII     3      1 SPAN  exit 65\(wide)         3",
        "IIIIIIIIIIIIIIIIIIIIIIIIII     4      1 SPAN  exit 65\(wide)         4",
      ])
    #expect(
      try window.run("pipe status $(pipe dead | jq -r .id | head -n 1)").steady == [
        "ID                          STATUS                AGE  TRIES  REASON",
        "IIIIIIIIIIIIIIIIIIIIIIIIII  triggered SPAN      -",
        "  .1                        failed                            ids 1 2 3",
        "  .2                        failed                            ids 4 5 6",
      ])
  }

  @Test("--json and a pipe give the same lines of JSON", arguments: ["list", "dead"])
  func json(command: String) throws {
    let expected = try scratch.pipe(command).lines
    let lines = try window(200, 50).run("pipe \(command) --json")
    #expect(lines.joined() == expected.joined())
    #expect(try scratch.pipe(command, "--json").lines == expected)
  }

  @Test("stats fits 24 rows, the most wanted first, and prints everything with --all")
  func stats() throws {
    let window = try window(80, 24)
    let lines = try window.run("pipe stats").steady
    #expect(
      lines.filter { !$0.hasPrefix("oldest") } == StatsScreen.items + [
        "", "since TIME (SPAN)", "in SPAN ", "out SPAN ", "",
        "latency               wait       service         total",
        "p50 SPAN  SPAN  SPAN ", "p99 SPAN  SPAN  SPAN ", "max SPAN  SPAN  SPAN ",
        "more with --all",
      ])
    let whole = try scratch.pipe("stats").lines
    #expect(whole.count > 30 && lines.count < 24)
    try window.resize(columns: 200, rows: 50)
    let wide = try window.run("pipe stats").steady.filter { !$0.hasPrefix("oldest") }.map {
      // The class of an age depends on the time that has passed.
      $0.hasPrefix("HIGH") || $0.hasPrefix("MEDIUM") ? String($0.prefix(14)) : $0
    }
    #expect(
      wide == StatsScreen.items + [
        "", "waiting, by age in seconds",
        "           all    <1    <2    <4    <8   <16   <32   <64  <128  <256  256+",
        "HIGH         2", "MEDIUM       2",
        "LOW          -     -     -     -     -     -     -     -     -     -     -",
        "", "since TIME (SPAN)", "in SPAN ", "out SPAN ", "",
        "latency               wait       service         total",
        "items                    2             2             2",
        "mean SPAN  SPAN  SPAN ", "p50 SPAN  SPAN  SPAN ", "p90 SPAN  SPAN  SPAN ",
        "p99 SPAN  SPAN  SPAN ", "p99.9 SPAN  SPAN  SPAN ", "max SPAN  SPAN  SPAN ", "",
        "success            50.00 %    95 % interval 15.00 % to 85.00 %",
        "acknowledged             2", "failed                   2    0 retried, 2 buried", "",
        "since the queue was created",
        "rows ingested                          3", "failed validations                     0",
        "ingestion errors                       0",
      ])
    try window.resize(columns: 80, rows: 24)
    #expect(try scratch.pipe("stats", "--all").lines.count == whole.count)
  }
}

private enum StatsScreen {
  /// The beginning, at each size.
  static let items = [
    "Queue at TIME", "",
    "items                 HIGH        MEDIUM           LOW           all",
    "ready                    2             2             0             4",
    "claimed                  0             0             0             0",
    "later                    0             0             0             0",
    "dead                     2             0             0             2",
    "done                     2             0             0             2",
  ]
}
