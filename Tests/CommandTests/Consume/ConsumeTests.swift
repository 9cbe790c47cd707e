import Foundation
import TestSupport
import Testing

@Suite("consume")
struct ConsumeTests {
  @Test("consume takes HIGH before MEDIUM before LOW, and each lane in order of arrival")
  func order() throws {
    let scratch = try Scratch()
    let words = (0..<60).map { ["LOW", "MEDIUM", "HIGH"][$0 * 7 % 3] }
    let lines = words.enumerated().map { #"{"n":\#($0),"priority":"\#($1)"}"# }
    for half in [lines[..<30], lines[30...]] {
      try scratch.pipe("enqueue", "--raw", "--quiet", input: half.joined(separator: "\n")).expect(
        "")
    }
    let expected = ["HIGH", "MEDIUM", "LOW"].flatMap { word in lines.filter { $0.contains(word) } }
    try scratch.pipe("consume").expect(expected.map { $0 + "\n" }.joined())
  }

  @Test("consume hands out the items of an id request in order, even with a later HIGH between")
  func idRequest() throws {
    let scratch = try Scratch()
    try scratch.store(#"{"ids":[5,3,3,9,1]}"#)
    try scratch.pipe("consume", "-n", "2").expect("5\n3\n")
    try scratch.store(#"{"ids":[7],"priority":"HIGH"}"#)
    try scratch.pipe("consume").expect("7\n3\n9\n1\n")
  }

  @Test("consume fills a batch from several entries")
  func size() throws {
    let scratch = try Scratch()
    try scratch.store(#"{"ids":[1,2,3]}"#, "4", #"{"ids":[5,6,7,8]}"#, "9")
    try scratch.sh("pipe consume --size 5 -- sh -c 'tr \"\\n\" \" \"; echo'").expect(
      "1 2 3 4 5 \n6 7 8 9 \n")
  }

  @Test(
    "consume runs one command per item unless --size says otherwise, and stops after -n batches")
  func batches() throws {
    let scratch = try Scratch()
    try scratch.store(#"{"ids":[1,2,3,4,5,6,7]}"#)
    try scratch.sh("pipe consume -n 2 -- wc -l").expect("1\n1\n")
    try scratch.sh("pipe consume -n 2 --size 2 -- cat").expect("3\n4\n5\n6\n")
    try scratch.sh("pipe consume -n 2 -- cat").expect("7\n")
    try scratch.sh("pipe consume -n 2 -- cat").expect("")
  }

  @Test("consume -j N runs N commands at once")
  func jobs() throws {
    let scratch = try Scratch()
    let gate = try Gate(scratch)
    try scratch.store(#"{"ids":[1,2,3,4,5,6,7,8]}"#)
    let command = ["-j", "4", "--", "sh", "-c", "read n; echo started $n; read go < gate"]
    let child = try scratch.start([Binary.path, "consume"] + command)
    let first = (0..<4).map { _ in child.line() ?? "none" }
    #expect(first.sorted() == ["started 1", "started 2", "started 3", "started 4"])
    try scratch.pipe("list", "--state", "claimed").expect(
      try scratch.pipe("list").lines.first! + "\n")
    gate.letPass(8)
    #expect(child.finish().expect().lines.count == 8)
  }

  @Test("consume -j 4 hands out each item once")
  func allOnce() throws {
    let scratch = try Scratch()
    let lines = (0..<150).map { "\($0)" }
    try scratch.pipe("enqueue", "--raw", "--quiet", input: lines.joined(separator: "\n")).expect("")
    try scratch.sh("pipe consume -j 4 -- cat | sort -n").expect(lines.map { $0 + "\n" }.joined())
    try scratch.pipe("list").expect("")
  }

  @Test("consume --envelope writes batch lines")
  func envelope() throws {
    let scratch = try Scratch()
    let ids = try scratch.store(#"{"ids":[8,9],"priority":"HIGH"}"#, #"{"a": 1.0}"#)
    let run = try scratch.pipe("consume", "--envelope", "--size", "3")
    let claim = try #require(try run.objects().first?["claim"] as? String)
    let items = """
      {"id":"\(ids[0])","item":1,"key":"\(ids[0])","priority":"HIGH","data":8},\
      {"id":"\(ids[0])","item":2,"key":"\(ids[0])-2","priority":"HIGH","data":9},\
      {"id":"\(ids[1])","item":1,"key":"\(ids[1])","priority":"MEDIUM","data":{"a": 1.0}}
      """
    run.expect(#"{"claim":"\#(claim)","attempt":1,"items":[\#(items)]}"# + "\n")
    #expect(claim.count == 26 && !ids.contains(claim), run.story)
  }

  @Test(
    "consume --envelope gives commands batch lines with the claim and attempt of their environment")
  func envelopeForCommand() throws {
    let scratch = try Scratch()
    try scratch.retriesAtOnce()
    try scratch.store("true")
    try scratch.sh("pipe consume -- false").expect(errors: nil, status: 1)
    let run = try scratch.sh("pipe consume --envelope -- sh -c 'cat; echo $PIPE_CLAIM'")
    run.expect()
    let batch = try #require(
      try JSONSerialization.jsonObject(with: Data(run.lines[0].utf8)) as? [String: Any])
    #expect(batch["claim"] as? String == run.lines[1], run.story)
    #expect(batch["attempt"] as? Int == 2, run.story)
  }

  @Test("consume succeeds on an empty queue and runs no command")
  func empty() throws {
    let scratch = try Scratch()
    try scratch.pipe("init").expect("")
    try scratch.pipe("consume").expect("")
    try scratch.sh("pipe consume -- false").expect("")
  }

  @Test("consume rejects invalid options")
  func usage() throws {
    let scratch = try Scratch()
    try scratch.pipe("init").expect("")
    let wrong = [
      "-j 2", "--timeout 5s", "-n 0 -- true", "--size 0", "-j x -- true", "--timeout 5 -- true",
      "--timeout 5y -- true", "-- ''", "true", "--follow=yes", "--unknown",
    ]
    for options in wrong {
      try scratch.sh("pipe consume \(options)").expect("", errors: nil, status: 64, options)
    }
  }
}
