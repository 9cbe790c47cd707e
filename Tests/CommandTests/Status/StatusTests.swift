import Foundation
import TestSupport
import Testing

@Suite("status")
struct StatusTests {
  @Test("status follows each slice of an id request through its life")
  func life() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    try scratch.pipe("init", "--slice", "2").expect("")
    let id = try scratch.store(#"{"ids":[1,2,3,4,5]}"#)[0]
    let (new, runs, done) = ("yet_to_start", "triggered", "completed")
    #expect(try scratch.words(id) == [new, new, new, new])
    let gate = try Gate(scratch)
    let wait = ["--", "sh", "-c", "echo up; read go < gate"]
    let child = try scratch.start([Binary.path, "consume", "--size", "3", "-n", "1"] + wait)
    #expect(child.line() == "up")
    #expect(try scratch.words(id) == [runs, runs, runs, new])
    gate.letPass()
    child.finish().expect()
    #expect(try scratch.words(id) == [runs, done, runs, new])
    try scratch.sh("pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    #expect(
      try scratch.words(id) == [runs, done, runs, new], "item 4 has failed and is ready again")
    try scratch.sh("pipe consume -n 1 -- true").expect()
    #expect(try scratch.words(id) == [runs, done, done, new], "some completed, none running")
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 69'").expect(errors: nil, status: 69)
    #expect(try scratch.words(id) == [runs, done, done, new], "nothing was attempted")
    try scratch.sh("pipe consume -- true").expect()
    #expect(try scratch.words(id) == [done, done, done, done])
  }

  @Test("status prints ids, slices of three and times as they are")
  func line() throws {
    let scratch = try Scratch()
    let id = "01M7YFR55BHYP5BSPG0DPTADCJ"
    let time = "2026-11-21T05:00:00.123456Z"
    let rest = #""time":"\#(time)","ids":[10000000000000000007, 2,3 ,4]"#
    try scratch.pipe("enqueue", "--quiet", input: entryLine(id, rest)).expect("")
    let before = #"{"ingestion_id":"\#(id)","status":"yet_to_start","batches":["#
    let first =
      #"{"batch_id":"\#(id).1","ids":[10000000000000000007,2,3],"status":"yet_to_start"},"#
    let second = #"{"batch_id":"\#(id).2","ids":[4],"status":"yet_to_start"}]"#
    try scratch.pipe("status", id).expect(
      #"\#(before)\#(first)\#(second),"created_at":"\#(time)"}"# + "\n")
  }

  @Test("status shows a record as one batch without ids")
  func record() throws {
    let scratch = try Scratch()
    let id = try scratch.store(#"{"ids":[1],"data":2}"#)[0]
    let batches = { try scratch.pipe("status", id).objects()[0]["batches"] as? [[String: String]] }
    #expect(try batches() == [["batch_id": id + ".1", "status": "yet_to_start"]])
    try scratch.pipe("consume").expect(#"{"ids":[1],"data":2}"# + "\n")
    #expect(try batches() == [["batch_id": id + ".1", "status": "completed"]])
  }

  @Test("status counts the attempts at an unfinished item")
  func attempts() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    let id = try scratch.store("1")[0]
    let attempts = { try scratch.pipe("status", id).objects()[0]["attempts"] as? Int }
    #expect(try attempts() == nil, "none was made")
    try scratch.sh("for i in 1 2; do pipe consume -- false; done").expect(errors: nil, status: 1)
    #expect(try attempts() == 2)
    try scratch.sh("pipe consume -- true").expect()
    #expect(try attempts() == nil, "all is done")
  }

  @Test("status answers for each id in the given order, and reports unknown ids")
  func unknown() throws {
    let scratch = try Scratch()
    let ids = try scratch.store("1", "2")
    let unknown = "01M7YFR55BHYP5BSPG0DPTADCJ"
    let run = try scratch.pipe("status", ids[1], unknown, ids[0])
    run.expect(
      errors: "pipe status: \(unknown): no such id in \(scratch.path)/queue\n", status: 1)
    #expect(try run.objects().map { $0["ingestion_id"] as? String } == [ids[1], ids[0]], run.story)
  }

  @Test(
    "status prints an invalid id harmlessly",
    arguments: [
      ("../../etc/passwd", "../../etc/passwd"), ("", ""), ("*", "*"),
      ("\u{1b}[31mred\u{1b}[0m\u{7}", "\\u{1b}[31mred\\u{1b}[0m\\u{7}"),
      ("a\nb\r\u{9b}2J", "a\\u{a}b\\u{d}\\u{9b}2J"), ("\u{202e}txet", "\\u{202e}txet"),
    ])
  func hostile(text: String, shown: String) throws {
    let scratch = try Scratch()
    try scratch.store("1")
    let why = "not an id; enqueue prints ids: 26 digits and capital letters"
    try scratch.pipe("status", text).expect(
      "", errors: "pipe status: \(shown): \(why)\n", status: 1)
  }

  @Test("status needs an id")
  func usage() throws {
    let scratch = try Scratch()
    try scratch.store("1")
    try scratch.pipe("status").expect("", errors: nil, status: 64)
  }
}
