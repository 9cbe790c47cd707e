import Foundation
import TestSupport
import Testing

@Suite("list")
struct ListTests {
  private func shown(_ scratch: Scratch, _ options: String = "") throws -> [String] {
    try scratch.sh("pipe list \(options) | cut -d , -f 2,4-").expect().lines
  }

  @Test("list shows ready and claimed items, and with --state items in the given states")
  func states() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    try scratch.store(#"{"ids":[1,2,3,4]}"#, #"{"a": 1,"priority":"HIGH"}"#, "9")
    try scratch.sh("pipe consume -n 2 -- true").expect()
    try scratch.sh("pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    let gate = try Gate(scratch)
    let hold = ["-n", "1", "--", "sh", "-c", "read n; echo $n; read go < gate"]
    let child = try scratch.start([Binary.path, "consume"] + hold)
    #expect(child.line() == "2")
    let claimed = #""priority":"MEDIUM","state":"claimed","ids":[2]}"#
    let ready = [
      #""priority":"MEDIUM","state":"ready","ids":[3,4]}"#,
      #""priority":"MEDIUM","state":"ready","data":9}"#,
    ]
    let high = #""priority":"HIGH","state":"done","data":{"a": 1,"priority":"HIGH"}}"#
    let done = #""priority":"MEDIUM","state":"done","ids":[1]}"#
    #expect(try shown(scratch) == [claimed] + ready)
    #expect(try shown(scratch, "--state claimed") == [claimed])
    #expect(try shown(scratch, "--state ready") == ready)
    #expect(try shown(scratch, "--state done") == [high, done])
    #expect(try shown(scratch, "--state done --state ready") == [high, ready[0], done, ready[1]])
    #expect(try shown(scratch, "-n 2") == [claimed, ready[0]])
    #expect(try shown(scratch, "--state done -n 1") == [high])
    gate.letPass()
    child.finish().expect()
  }

  @Test("list changes nothing in the queue")
  func disturbsNothing() throws {
    let scratch = try Scratch()
    try scratch.store("1", "2")
    let names = { try scratch.sh("ls queue/now queue/end").lines }
    let before = try names()
    #expect(try scratch.pipe("list").expect().lines.count == 2)
    #expect(try names() == before)
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("list says when delayed, failed and parked items are ready, and a copy keeps these times")
  func later() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--backoff", "1h..1h").expect("")
    try scratch.sh("seq 200 | pipe enqueue --raw --quiet").expect("")
    try scratch.sh("pipe consume -j 2 -- false 2> errors").expect("", status: 1)
    #expect(try scratch.sh("find queue/later -type f | wc -l").output != "0\n")
    try scratch.sh("echo 201 | pipe enqueue --raw --quiet --delay 2h").expect("")
    let all = try scratch.sh("pipe list").objects()
    let now = try scratch.sh("date -u +%FT%TZ").output
    #expect(all.count == 201)
    #expect(all.allSatisfy { ($0["not_before"] as? String ?? "") > now }, "\(all)")
    try scratch.sh("pipe list | pipe enqueue -q other --quiet; pipe list -q other | sort > copy")
      .expect("")
    try scratch.sh("pipe list | sort | diff - copy").expect("")
  }

  @Test("list can be piped into another queue, which keeps ids, times and priorities")
  func copy() throws {
    let scratch = try Scratch()
    let ids = try scratch.store(#"{"ids":[1,2,3],"priority":"LOW"}"#, #"{"a":  1.0}"#)
    try scratch.pipe("consume", "-n", "1").expect(#"{"a":  1.0}"# + "\n")
    let copied = try scratch.sh("pipe list --state ready --state done | pipe enqueue -q other")
    #expect(copied.expect().receipts == [ids[1], ids[0]], copied.story)
    let times = "| sed 's/,\"state\":\"[a-z]*\"//'"
    let original = try scratch.sh("pipe list --state ready --state done \(times)")
    try scratch.sh("pipe list -q other \(times)").expect(original.output)
    try scratch.pipe("consume", "-q", "other").expect("{\"a\":  1.0}\n1\n2\n3\n")
  }

  @Test("list rejects invalid options", arguments: ["--state waiting", "-n 0", "-n x", "more"])
  func usage(options: String) throws {
    let scratch = try Scratch()
    try scratch.store("1")
    try scratch.sh("pipe list \(options)").expect("", errors: nil, status: 64)
  }
}
