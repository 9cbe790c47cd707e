import Foundation
import TestSupport
import Testing

@Suite("enqueue --dedup after a clock ran ahead", .needsFakeTime)
struct DedupClockTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch(binary: Binary.besideTests) }

  /// Whether `line` is answered with an earlier entry while the clock is `offset` ahead.
  private func isHit(
    _ line: String, ahead offset: String, window: String = "10m"
  ) throws -> Bool {
    let run = try scratch.sh(
      "faketime -f \(offset) pipe enqueue --raw --dedup \(window)", input: line + "\n")
    return run.expect().output.contains(#""duplicate":true"#)
  }

  @Test("--dedup finds entries within the window and no older ones after a clock ran ahead")
  func window() throws {
    #expect(try !isHit("1", ahead: "+1d"))
    #expect(try !isHit(#"{"order":7}"#, ahead: "+0s"))
    #expect(try isHit(#"{"order":7}"#, ahead: "+0s"), "a repeat")
    #expect(try isHit(#"{"order":7}"#, ahead: "+9m"), "a repeat within the window")
    #expect(try !isHit(#"{"order":7}"#, ahead: "+11m"), "after the window")
    // The clock has caught up with the first entry; the line above was stored a day ago.
    #expect(try !isHit(#"{"order":7}"#, ahead: "+86700s"))
    try scratch.sh("pipe consume | grep -c order").expect("3\n")
  }

  @Test("--dedup ignores an entry that seems to come from the future", arguments: ["1s", "30d"])
  func later(window: String) throws {
    #expect(try !isHit("5", ahead: "+1h", window: window))
    #expect(try !isHit("5", ahead: "+0s", window: window))
    #expect(try isHit("5", ahead: "+0s", window: "1h"))
    try scratch.sh("pipe consume").expect("5\n5\n")
  }

  @Test("--dedup is right in lanes whose clock was not ahead, and after its files are rebuilt")
  func lanes() throws {
    let low = #"{"a":1,"priority":"LOW"}"#
    #expect(try !isHit("1", ahead: "+30d", window: "1h"))
    #expect(try !isHit(low, ahead: "+0s", window: "5m"))
    #expect(try isHit(low, ahead: "+0s", window: "5m"))
    #expect(try !isHit("2", ahead: "+0s", window: "5m"))
    try scratch.sh("rm -r queue/dedup").expect("")
    #expect(try isHit(low, ahead: "+1m", window: "5m"))
    #expect(try isHit("2", ahead: "+1m", window: "5m"))
    #expect(try !isHit("2", ahead: "+6m", window: "5m"))
  }

  @Test("--dedup applies its window to keys, and a routed entry loses its old acceptance time")
  func keys() throws {
    #expect(try !isHit("1", ahead: "+1d"))
    let line = { entryLine(id(at: 1_795_000_000_000, $0), #""key":"a b","data":\#($0)"#) }
    for (number, isHit) in [(1, false), (2, true)] {
      let run = try scratch.pipe("enqueue", "--dedup", "10m", input: line(number) + "\n")
      #expect(run.expect().output.contains("duplicate") == isHit, run.story)
    }
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    try scratch.sh("grep -o '{\"key\".*accepted\":[0-9]*}' queue/segments/*/*/* | wc -l").expect(
      "1\n")
    try scratch.pipe("route", "--to", "other").expect(nil)
    try scratch.sh("cut -d ' ' -f 7- other/segments/MEDIUM/*/*").expect(
      #"{"key":"a\u0020b"} 1"# + "\n")
  }

  @Test("the gateway's window of 300 s is right after a clock ran ahead")
  func gateway() throws {
    let body = #"{"ids":[1,2]}"#
    try scratch.sh("faketime -f +1h pipe enqueue --raw --quiet", input: body + "\n").expect("")
    let gateway = try Gateway(scratch)
    let id = try gateway.post("/ingest", body).receipt()
    #expect(try gateway.post("/ingest", body).receipt() == id)
    gateway.stop().expect("", errors: nil)
    try scratch.pipe("consume").expect("1\n2\n1\n2\n")
    #expect(try !isHit(body, ahead: "+301s", window: "300s"))
  }
}
