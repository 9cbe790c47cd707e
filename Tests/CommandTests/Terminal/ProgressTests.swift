import TestSupport
import Testing

@Suite("Progress lines on a terminal", .needs("tmux"))
struct ProgressTests {
  private let scratch: Scratch
  private let gate: Gate

  init() throws {
    scratch = try Scratch()
    gate = try Gate(scratch)
    try scratch.pipe("init").mustSucceed()
    try scratch.sh("yes '{\"n\":1}' | head -n 200000 > big").mustSucceed()
  }

  static let sizes = [(80, 24), (200, 50)]

  private func window(_ columns: Int = 80, _ rows: Int = 24) throws -> Window {
    let window = try Window(scratch, columns: columns, rows: rows)
    try window.type("export PIPE_TEST_PROGRESS=0; clear")
    try window.wait { $0 == ["$"] }
    return window
  }

  @Test(
    "ingest of a file shows lines, rate, share and time left, and erases them at the end",
    arguments: sizes)
  func share(columns: Int, rows: Int) throws {
    let window = try window(columns, rows)
    try window.type("clear; pipe ingest big | { read x < gate; wc -l; }")
    let line = #/^[0-9,]+ lines  [0-9,.]+\/s  [0-9.]+ %  [0-9a-z ]+ left$/#
    try window.wait { $0.count == 1 && $0[0].contains(line) }
    gate.letPass()
    #expect(try window.wait { $0.last == "$" } == ["200000", "$"])
  }

  @Test("enqueue behind ingest leaves the line to ingest, which knows the share")
  func pipeline() throws {
    let window = try window()
    try window.type("clear; pipe ingest big | pipe enqueue | { read x < gate; wc -l; }")
    try window.wait { $0.contains { $0.contains(#/^[0-9,]+ lines .* left$/#) } }
    gate.letPass()
    #expect(try window.wait { $0.last == "$" } == ["200000", "$"])
  }

  @Test("enqueue of a file shows its share")
  func enqueue() throws {
    let window = try window()
    try window.type("clear; pipe enqueue --raw < big | { read x < gate; wc -l; }")
    try window.wait { $0.contains { $0.contains(#/^[0-9,]+ lines .* left$/#) } }
    gate.letPass()
    #expect(try window.wait { $0.last == "$" } == ["200000", "$"])
  }

  @Test(
    "consume shows items, rate, share and time left while a command runs", arguments: sizes)
  func consume(columns: Int, rows: Int) throws {
    try scratch.store("1", "2", "3", "4")
    let window = try window(columns, rows)
    try window.type("clear; pipe consume -n 2 --group -- sh -c 'read x < gate; echo did >&2'")
    let line = #/^1 item  [0-9.]+\/(s|min|h)  50.00 %  [0-9a-z ]+ left$/#
    try window.wait { $0.count == 1 && $0[0].contains(line) }
    gate.letPass()
    try window.wait { $0.first == "did" }
    gate.letPass()
    #expect(try window.wait { $0.last == "$" } == ["did", "did", "$"])
  }

  @Test("a consumer that waits for more shows how many items wait")
  func follow() throws {
    try scratch.store("1", "2", "3")
    let window = try window()
    // The line is drawn before the command starts, and ^C must find the command running.
    let command = "echo runs > /dev/tty; read x < gate"
    try window.type("clear; pipe consume --follow --group -- sh -c '\(command)'")
    try window.wait { $0.contains { $0.contains(#/^1 item  .*  2 items waitingruns$/#) } }
    try window.press("C-c")
    try window.wait { $0.last == "$" }
  }

  @Test("route shows its progress, and erases it before the counts")
  func route() throws {
    try scratch.sh("pipe enqueue --raw --quiet < big").mustSucceed()
    try scratch.pipe("init", "-q", "full", "--max-items", "1000").mustSucceed()
    let window = try window()
    let lines = try window.run("pipe route --to full --to there")
    #expect(lines.contains { $0.contains("is full") } && !lines.contains { $0.contains(" left") })
  }

  @Test(
    "no progress line appears with --quiet, with NO_COLOR, on a dumb terminal, or in the background",
    arguments: [("", "--quiet"), ("NO_COLOR=1", ""), ("TERM=dumb", ""), ("", "&")])
  func none(variables: String, option: String) throws {
    let window = try window()
    let background = option == "&" ? "& wait" : ""
    let flag = option == "&" ? "" : option
    // By then ingest has read more than once.
    let reader = "{ head -c 1000000 > /dev/null; echo drawn; read x < gate; cat > /dev/null; }"
    let command = "{ \(variables) pipe ingest \(flag) big | \(reader); } \(background)"
    try window.type("set -m; clear; \(command)")
    let lines = try window.wait { $0.contains("drawn") }
    #expect(!lines.contains { $0.contains("/s") })
    gate.letPass()
  }
}
