import Foundation
import TestSupport
import Testing

@Suite("route")
struct RouteTests {
  private func entries(_ scratch: Scratch, _ queue: String) throws -> [String] {
    try scratch.pipe("list", "-q", queue).expect().lines
  }

  @Test("route sends entries where their member says, with id, time, priority and bytes unchanged")
  func byValue() throws {
    let scratch = try Scratch()
    try scratch.store(
      #"{"level":"error","x":1.50,"priority":"HIGH"}"#, #"{"level":"info"}"#, #"{"x":3}"#,
      #"{"ids":[7,8,9,10],"priority":"LOW"}"#, #"{"level":{"a":1}}"#)
    let before = Set(try entries(scratch, "queue"))
    try scratch.pipe("route", "--on", "level", "error=errors", "info=infos", "*=rest").expect(
      """
      {"queue":"errors","entries":1}
      {"queue":"infos","entries":1}
      {"queue":"rest","entries":3}

      """)
    let errors = try entries(scratch, "errors")
    #expect(errors.count == 1 && errors[0].contains(#""data":{"level":"error","x":1.50,"#))
    let moved = try errors + entries(scratch, "infos") + entries(scratch, "rest")
    #expect(Set(moved) == before && moved.count == before.count)
    #expect(try entries(scratch, "queue").isEmpty)
    try scratch.pipe("batch", "-q", "rest", "--dry-run").expect()
  }

  @Test("route --to copies each entry to each queue, once even if it is routed again")
  func toAll() throws {
    let scratch = try Scratch()
    let ids = try scratch.store("1", "2", "3")
    try scratch.sh("cp -r queue again").expect()
    let expected = #"{"queue":"a","entries":3}"# + "\n" + #"{"queue":"b","entries":3}"# + "\n"
    try scratch.pipe("route", "--to", "a", "--to", "b").expect(expected)
    // As after a crash between storing and acknowledging.
    try scratch.pipe("route", "-q", "again", "--to", "a", "--to", "b", "--to", "c").expect(
      """
      {"queue":"a","entries":0}
      {"queue":"b","entries":0}
      {"queue":"c","entries":3}

      """)
    for queue in ["a", "b", "c"] {
      let objects = try scratch.pipe("list", "-q", queue).expect().objects()
      #expect(objects.map { $0["id"] as? String } == ids)
    }
  }

  @Test("route --on takes a name with an escaped dot")
  func escapedDot() throws {
    let scratch = try Scratch()
    try scratch.store(#"{"log.level":"error"}"#, #"{"log":{"level":"error"}}"#)
    try scratch.pipe("route", "--on", #"log\.level"#, "error=errors", "*=rest").expect(
      """
      {"queue":"errors","entries":1}
      {"queue":"rest","entries":1}

      """)
    try scratch.pipe("consume", "-q", "errors").expect(#"{"log.level":"error"}"# + "\n")
  }

  @Test("route matches numbers, words, values with equals signs and members of objects")
  func values() throws {
    let scratch = try Scratch()
    try scratch.store(
      #"{"a":{"b":1.0}}"#, #"{"a":{"b":true}}"#, #"{"a":{"b":"x=y"}}"#, #"{"a":{"b":"\u00e9"}}"#)
    try scratch.pipe("route", "--on", "a.b", "1.0=n", "true=t", "x=y=e", "é=u").expect(
      """
      {"queue":"n","entries":1}
      {"queue":"t","entries":1}
      {"queue":"e","entries":1}
      {"queue":"u","entries":1}

      """)
  }

  @Test("an entry without a route becomes a dead letter that says so, and the status is 1")
  func unrouted() throws {
    let scratch = try Scratch()
    try scratch.store(
      #"{"level":"odd\u001b"}"#, "[1]", #"{"level":"info"}"#, #"{"level":"a","level":"info"}"#)
    try scratch.pipe("route", "--on", "level", "info=infos").expect(
      #"{"queue":"infos","entries":1}"# + "\n",
      errors: "pipe route: 3 items have no route: see pipe dead\n", status: 1)
    let dead = try scratch.pipe("dead").expect().objects()
    let reasons = dead.compactMap { $0["reason"] as? String }
    #expect(
      reasons == [
        "no route for odd\\u{1b}", "no route: no such member",
        "no route: duplicate member \"level\"",
      ])
    try scratch.prepare("retry", "--all")
    try scratch.pipe("route", "--on", "level", "*=rest").expect()
    #expect(try entries(scratch, "rest").count == 3)
  }

  @Test("route stores what fits into a full queue and leaves the rest ready")
  func full() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "-q", "small", "--max-items", "2")
    try scratch.store("1", "2", "3")
    let run = try scratch.pipe("route", "--to", "big", "--to", "small")
    run.expect("", errors: nil, status: 75)
    #expect(run.errors.contains("small: the queue is full"), run.story)
    #expect(try entries(scratch, "queue").count == 1)
    try scratch.prepare("init", "-q", "small", "--max-items", "3")
    try scratch.pipe("route", "--to", "big", "--to", "small").expect()
    #expect(try entries(scratch, "big").count == 3 && entries(scratch, "small").count == 3)
  }

  @Test("an entry that the other queue can never hold ends route and stays where it was")
  func tooLarge() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "-q", "small", "--max-items", "3")
    try scratch.store("1", #"{"ids":[2,3,4,5]}"#)
    try scratch.pipe("consume", "-q", "small").expect("")
    try scratch.pipe("route", "--follow", "--to", "small").expect(
      "",
      errors:
        "pipe route: small: the entry is too large for this queue: 4 items, at most 3 allowed"
        + " (pipe init --max-items)\n",
      status: 78)
    try scratch.pipe("consume").expect("2\n3\n4\n5\n")
    try scratch.pipe("consume", "-q", "small").expect("1\n")
  }

  @Test("route --follow moves new entries, waits for room and ends at SIGTERM")
  func follows() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "-q", "small", "--max-items", "1")
    try scratch.store("1", "2", "3")
    let child = try scratch.start(["pipe", "route", "--follow", "--to", "small"])
    #expect(child.errorLine()?.contains("small: the queue is full") == true)
    let reader = try scratch.start(["pipe", "consume", "--follow", "-q", "small"])
    #expect(reader.line() == "1" && reader.line() == "2" && reader.line() == "3")
    try scratch.store("4")
    #expect(reader.line() == "4")
    child.signal(SIGTERM)
    child.finish().expect(#"{"queue":"small","entries":4}"# + "\n", errors: nil)
    reader.signal(SIGTERM)
    reader.finish().expect(errors: nil)
  }

  @Test("route refuses to route a queue to itself, under any name")
  func itself() throws {
    let scratch = try Scratch()
    try scratch.store("1")
    try scratch.sh("ln -s queue link; pipe route --to link").expect("", errors: nil, status: 64)
    #expect(try entries(scratch, "queue").count == 1)
  }

  @Test(
    "route rejects invalid arguments",
    arguments: [
      "", "--on level", "--on level x", "x=y", "--on level x=y --to z", "--on level x=a x=b",
      "--on a..b x=y", "--on level x=", "--to ''",
    ])
  func usage(arguments: String) throws {
    try Scratch().sh("pipe route \(arguments)").expect("", errors: nil, status: 64)
  }
}
