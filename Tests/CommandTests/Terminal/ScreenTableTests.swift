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

  /// The same text whatever ids and times it has.
  private func steady(_ lines: [String]) -> [String] {
    lines.map { line in
      line.replacing(#/[0-9A-Z]{26}/#, with: String(repeating: "I", count: 26))
        .replacing(#/[0-9-]{10} [0-9:]{5,8} UTC/#, with: "TIME")
        .replacing(#/\(([0-9.]+ (us|ms|s|min) ?)+\)/#, with: "(SPAN)")
        .replacing(#/ +([0-9.]+ (us|ms|s|min|items.s) ?)+/#, with: " SPAN ")
    }
  }

  @Test("list cuts its table to 80 columns and escapes what a terminal would obey")
  func list() throws {
    let lines = try window(80, 24).run("pipe list")
    #expect(
      steady(lines) == [
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
      steady(lines).dropFirst() == [
        "IIIIIIIIIIIIIIIIIIIIIIIIII  HIGH      ready SPAN  [5,6]",
        #"IIIIIIIIIIIIIIIIIIIIIIIIII  MEDIUM    ready SPAN  {"name":"größe 日本語の名前 \u001b[31m","n":1}"#,
        "IIIIIIIIIIIIIIIIIIIIIIIIII  MEDIUM    ready SPAN  \"\(String(repeating: "x", count: 138))…",
      ])
  }

  @Test("dead and status print tables")
  func deadAndStatus() throws {
    let window = try window(80, 24)
    #expect(
      steady(try window.run("pipe dead")) == [
        "ID                          ITEM  TRIES     DIED AGO  REASON          DATA",
        "IIIIIIIIIIIIIIIIIIIIIIIIII     3      1 SPAN  exit 65         3",
        "IIIIIIIIIIIIIIIIIIIIIIIIII     4      1 SPAN  exit 65         4",
      ])
    #expect(
      steady(try window.run("pipe status $(pipe dead | jq -r .id | head -n 1)")) == [
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
    let lines = steady(try window.run("pipe stats"))
    #expect(
      lines.filter { !$0.hasPrefix("oldest") } == [
        "Queue at TIME", "",
        "items                 HIGH        MEDIUM           LOW           all",
        "ready                    2             2             0             4",
        "claimed                  0             0             0             0",
        "later                    0             0             0             0",
        "dead                     2             0             0             2",
        "done                     2             0             0             2",
        "", "since TIME (SPAN)", "in SPAN ", "out SPAN ", "",
        "latency               wait       service         total",
        "p50 SPAN  SPAN  SPAN ", "p99 SPAN  SPAN  SPAN ", "max SPAN  SPAN  SPAN ",
        "more with --all",
      ])
    let whole = try scratch.pipe("stats").lines
    #expect(whole.count > 30 && lines.count < 24)
    try window.resize(columns: 200, rows: 50)
    #expect(steady(try window.run("pipe stats")).last == steady(whole).last)
    try window.resize(columns: 80, rows: 24)
    #expect(try scratch.pipe("stats", "--all").lines.count == whole.count)
  }
}
