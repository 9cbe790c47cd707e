import Foundation
import TestSupport
import Testing

@Suite("Segment retention")
struct RetentionTests {
  /// Fills more than one segment in one lane; returns the id of the first line.
  private func storeMuch(_ scratch: Scratch) throws -> String {
    let line = "\"" + String(repeating: "x", count: 1 << 19) + "\"\n"
    let run = try scratch.pipe("enqueue", "--raw", input: String(repeating: line, count: 24))
    return try #require(run.expect().receipts.first)
  }

  private func segments(_ scratch: Scratch) throws -> [String] {
    try scratch.names(in: "queue/segments/MEDIUM/000")
  }

  @Test("segments of done items stay as long as --retain says")
  func stay() throws {
    let scratch = try Scratch()
    let id = try storeMuch(scratch)
    try scratch.sh("pipe consume | wc -l").expect("24\n")
    _ = try storeMuch(scratch)
    #expect(try segments(scratch).first == "000001")
    try scratch.sh("pipe status \(id) | cut -d , -f 2").expect("\"status\":\"completed\"\n")
  }

  @Test("older done segments go, a few with each new one, and segments with undone items stay")
  func go() throws {
    let scratch = try Scratch()
    try scratch.pipe("init", "--retain", "0s").expect("")
    let old = try storeMuch(scratch)
    try scratch.sh("pipe consume | wc -l").expect("24\n")
    let waiting = try storeMuch(scratch)
    #expect(try segments(scratch).first != "000001")
    try scratch.pipe("status", old).expect(
      "", errors: "pipe status: \(old): no such id in \(scratch.path)/queue\n", status: 1)
    let left = try segments(scratch)
    _ = try storeMuch(scratch)
    #expect(try segments(scratch).starts(with: left), "nothing of it is done")
    try scratch.sh("pipe status \(waiting) | cut -d , -f 2").expect("\"status\":\"yet_to_start\"\n")
    try scratch.sh("pipe list | wc -l; pipe consume | wc -l; pipe list").expect("48\n48\n")
  }

  @Test("a segment stays while one of its items is parked or dead", arguments: ["later", "dead"])
  func aside(kind: String) throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--retain", "0s", "--backoff", "1h..1h")
    var parked = 300
    let lines = (0..<300).map { "\($0)\n" }.joined()
    try scratch.prepare("enqueue", "--raw", "--quiet", input: lines)
    if kind == "later" {
      let held = try scratch.pipe("batch", "--size", "1", "--hold", "1h").output
      try scratch.pipe("ack", "--retry", input: held).expect("")
      try scratch.store("300")
      try scratch.pipe("consume", "-n", "1").expect("300\n")
      // The items left in now/ are done: only parked items still need the segment.
      try makeDue(scratch.path("queue"), [.retries])
      let near = try scratch.names(in: "queue/now").count { $0.contains(".again.") }
      try scratch.sh("pipe consume | wc -l").expect("\(near)\n")
      parked = 300 - near
    } else {
      try scratch.sh("pipe consume --size 300 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    }
    for _ in 0..<3 {
      _ = try storeMuch(scratch)
      try scratch.sh("pipe consume | wc -l").expect("24\n")
    }
    #expect(try segments(scratch).first == "000001")
    if kind == "later" {
      try makeDue(scratch.path("queue"))
    } else {
      try scratch.prepare("retry", "--all")
    }
    try scratch.sh("pipe consume | wc -l").expect("\(parked)\n")
  }
}
