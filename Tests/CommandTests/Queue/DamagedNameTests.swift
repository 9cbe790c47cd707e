import Foundation
import TestSupport
import Testing

@Suite("Damaged names")
struct DamagedNameTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1h..1h")
  }

  private func name(in directory: String, _ word: String) throws -> String {
    try #require(try scratch.names(in: "queue/" + directory).first { $0.contains(word) })
  }

  private func words(_ id: String) throws -> String? {
    try scratch.one("status", id)["status"] as? String
  }

  @Test(
    "a name in now/ with one changed digit is ignored, and its items are delivered again",
    arguments: [("-2.", "-3."), ("-2.", "-1."), (".0.", ".1."), (".154.", ".155."), ("e", "f")])
  func changedDigit(from: String, to: String) throws {
    try scratch.store("1", "2", "3")
    try scratch.pipe("consume", "-n", "1", "--size", "2").expect("1\n2\n")
    let done = try name(in: "now", "done")
    let other = done.replacingOccurrences(of: from, with: to)
    try scratch.sh("cd queue/now; mv \(done) \(other)").expect()
    let run = try scratch.pipe("consume").expect("1\n2\n3\n", errors: nil)
    #expect(run.errors.contains("queue/now/\(other): the name is damaged"), run.story)
    try scratch.pipe("consume").expect("", "it is reported once")
    #expect(try scratch.names(in: "queue/now").contains(other + ".bad"))
  }

  @Test("a damaged name replaces no file that an earlier one left")
  func secondBad() throws {
    try scratch.store("1", "2")
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    let done = try name(in: "now", "done")
    let other = done.replacingOccurrences(of: "-1.", with: "-2.")
    try scratch.sh("cd queue/now; mv \(done) \(other); echo earlier > \(other).bad").expect()
    try scratch.pipe("consume").expect("1\n2\n", errors: nil)
    try scratch.sh("cat queue/now/\(other).bad; ls queue/now | grep -c bad").expect("earlier\n2\n")
  }

  @Test(
    "a name with a changed lane, segment, owner or state is invalid", arguments: ["done", "again"])
  func otherFields(word: String) throws {
    try scratch.store("1", "2", #"{"n":3,"priority":"HIGH"}"#)
    try scratch.pipe("consume", "-n", "1").expect("{\"n\":3,\"priority\":\"HIGH\"}\n")
    try scratch.sh("pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    let old = try name(in: "now", ".\(word)")
    for (from, to) in [("HIGH", "LOW"), ("MEDIUM", "LOW"), ("done", "lost"), (".1.", ".2.")] {
      let new = old.replacingOccurrences(of: from, with: to)
      guard new != old else { continue }
      try scratch.sh("cp -a queue copy; mv copy/now/\(old) copy/now/\(new)").expect()
      let run = try scratch.pipe("consume", "-q", "copy")
      #expect(run.lines.contains("2"), run.story)
      #expect(run.lines.count == 2, "what the name covered is ready: \(run.story)")
      try scratch.sh("rm -r copy").expect()
    }
  }

  @Test(
    "an item whose name in later/ or dead/ is lost becomes ready again",
    arguments: ["later", "dead"])
  func lostAside(directory: String) throws {
    let ids = try scratch.store("1", "2", "3")
    if directory == "dead" {
      try scratch.sh("pipe consume -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    } else {
      let lines = (4...300).map { "\($0)\n" }.joined()
      try scratch.pipe("enqueue", "--raw", "--quiet", input: lines).expect("")
      try scratch.sh("pipe consume -- false").expect(errors: nil, status: 1)
    }
    let aside = try scratch.sh("find queue/\(directory) -type f | wc -l").expect().output
    let left = directory == "dead" ? 0 : 300 - (Int(aside.trimmingCharacters(in: .newlines)) ?? 0)
    try scratch.sh("rm -r queue/\(directory)/MEDIUM").expect()
    for id in ids { #expect(try words(id) != "completed") }
    let count = "pipe stats --json | jq -c '[.items.done.MEDIUM, .items.ready.MEDIUM]'"
    try scratch.sh(count).expect("[0,\(300 * (left > 0 ? 1 : 0) + (left > 0 ? -left : 3))]\n")
    let run = try scratch.sh("pipe consume | wc -l")
    run.expect("\(left > 0 ? 300 - left : 3)\n", errors: nil)
    #expect(run.errors.contains("items have no name in later/ or dead/; they are ready again"))
    try scratch.pipe("consume").expect("")
  }

  @Test("a dead letter is still found and retried when the register is lost")
  func lostRegister() throws {
    let id = try scratch.store("1")[0]
    try scratch.sh("pipe consume -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try scratch.sh("rm -r queue/register").expect()
    #expect(try words(id) == "failed")
    try scratch.sh("pipe retry \(id) | jq .items").expect("1\n")
    try scratch.pipe("consume").expect("1\n")
    #expect(try words(id) == "completed")
    try scratch.pipe("consume").expect("")
  }

  @Test("a missing or damaged lane end is read from the segments", arguments: ["rm", "mv"])
  func end(change: String) throws {
    try scratch.store("1", "2", #"{"n":3,"priority":"LOW"}"#)
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    for lane in ["HIGH", "MEDIUM", "LOW"] {
      let end = try name(in: "end", lane)
      let command =
        change == "rm" ? "rm \(end)" : "mv \(end) \(lane).9\(end.dropFirst(lane.count + 1))"
      try scratch.sh("cd queue/end; \(command)").expect()
    }
    try scratch.pipe("list").expect(errors: nil)
    try scratch.pipe("enqueue", "--raw", "--quiet", input: "4\n").expect("", errors: nil)
    try scratch.pipe("consume").expect("2\n4\n{\"n\":3,\"priority\":\"LOW\"}\n")
    try scratch.sh("pipe stats --json | jq -c '[.items.done, .counters.ingested_rows_total]'")
      .expect("[{\"HIGH\":0,\"MEDIUM\":3,\"LOW\":1},4]\n")
  }

  @Test(
    "format is restored from its copy, and the copy is recreated",
    arguments: [
      "rm queue/format", "sed -i s/^retries.*/retries.1/ queue/format", ": > queue/format",
      "sed -i 's/^pipe-queue 3/pipe-queue 2/' queue/format",
      "sed -i 's/^pipe-queue 3/pipe-queue 9/' queue/format",
    ])
  func format(damage: String) throws {
    try scratch.store("1")
    let good = try scratch.read("queue/format")
    try scratch.sh(damage).expect()
    let run = try scratch.pipe("consume").expect("1\n", errors: nil)
    #expect(run.errors.contains("restored from format.copy"), run.story)
    #expect(try scratch.read("queue/format") == good)
    try scratch.sh("rm queue/format.copy; pipe init").expect("")
    #expect(try scratch.read("queue/format.copy") == good)
  }

  @Test(
    "a missing directory is recreated, and items that no name covers are delivered",
    arguments: ["now", "end", "later", "dead", "owners", "strays", "quarantine", "register"])
  func directory(name: String) throws {
    try scratch.store("1", "2")
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    try scratch.sh("rm -r queue/\(name)").expect()
    try scratch.pipe("enqueue", "--raw", "--quiet", input: "3\n").expect("", errors: nil)
    let run = try scratch.pipe("consume").expect(
      name == "now" ? "1\n2\n3\n" : "2\n3\n", errors: nil)
    try scratch.pipe("consume").expect("", "\(run.story)")
  }

  @Test("the next entry survives a damaged newline at the end of the last line")
  func lastNewline() throws {
    try scratch.store("1", "2")
    let segment = "\(scratch.path)/queue/segments/MEDIUM/000/000001"
    let file = try #require(FileHandle(forUpdatingAtPath: segment))
    let size = try file.seekToEnd()
    try file.seek(toOffset: size - 1)
    try file.write(contentsOf: Data("x".utf8))
    try file.close()
    try scratch.pipe("enqueue", "--raw", "--quiet", input: "3\n").expect("", errors: nil)
    let run = try scratch.pipe("consume")
    #expect(run.lines == ["1", "3"], run.story)
    #expect(run.ending == .exited(74) && run.errors.contains("1 item lost"), run.story)
  }

  @Test("lost items are counted, listed and failed, never done, until drop --lost removes them")
  func lost() throws {
    let ids = try scratch.store("1", "2", "3", #"{"ids":[4,5]}"#)
    let file = try #require(
      FileHandle(forUpdatingAtPath: "\(scratch.path)/queue/segments/MEDIUM/000/000001"))
    // In the data of the second line; each line has 77 bytes.
    try file.seek(toOffset: 2 * 77 - 2)
    try file.write(contentsOf: Data("x".utf8))
    try file.close()
    try scratch.sh("pipe status \(ids[1]) | jq -r .status").expect("failed\n")
    let run = try scratch.pipe("consume")
    #expect(run.lines == ["1", "3", "4", "5"] && run.ending == .exited(74), run.story)
    let status = try scratch.one("status", ids[1])
    #expect(status["status"] as? String == "failed")
    #expect((status["reason"] as? String)?.hasPrefix("lost: its line is damaged") == true)
    let counts = "pipe stats --json | jq -c '[.items.done.MEDIUM, .items.lost.MEDIUM]'"
    try scratch.sh(counts).expect("[4,1]\n")
    try scratch.sh("pipe stats --prometheus | grep -c '^pipe_lost_items{priority=\"MEDIUM\"} 1'")
      .expect("1\n")
    try scratch.sh("pipe list --state lost | jq -c '[.id,.items,.number,.byte]'").expect(
      "[null,1,1,77]\n")
    try scratch.pipe("drop").expect("", errors: nil, status: 64)
    try scratch.sh("pipe drop --lost | jq .items").expect("1\n")
    try scratch.sh(counts).expect("[4,0]\n")
    try scratch.pipe("list", "--state", "lost").expect("")
    #expect(try words(ids[1]) == "failed")
  }

  @Test("a missing segment holds back its own items and no others")
  func missingSegment() throws {
    try scratch.store("1", #"{"n":2,"priority":"HIGH"}"#, #"{"n":3,"priority":"LOW"}"#)
    try scratch.sh("mv queue/segments/MEDIUM/000/000001 kept").expect()
    let run = try scratch.pipe("consume")
    #expect(run.lines.count == 2 && run.ending == .exited(74), run.story)
    #expect(run.errors.contains("segments/MEDIUM/000/000001: is missing; restore it"), run.story)
    try scratch.pipe("enqueue", "--raw", "--quiet", input: "4\n").expect("", errors: nil)
    #expect(try scratch.pipe("consume").lines == ["4"], "a new segment follows the missing one")
    try scratch.sh("mv kept queue/segments/MEDIUM/000/000001").expect()
    try scratch.pipe("consume").expect("1\n")
    try scratch.sh("pipe stats --json | jq -c .items.done").expect(
      "{\"HIGH\":1,\"MEDIUM\":2,\"LOW\":1}\n")
  }

  @Test(
    "a copy delivers all that it accepts, whatever the order in which its parts were copied",
    arguments: ["segments end", "segments", "end segments", "now", "now segments", "end", "dead"])
  func copied(first: String) throws {
    let many = { (from: Int) in (from..<(from + 10)).map { "\($0)\n" }.joined() }
    try scratch.pipe("enqueue", "--raw", "--quiet", input: many(0)).expect("")
    try scratch.pipe("consume").expect(many(0))
    try scratch.sh("mkdir -m 700 copy; cd queue; cp -a \(first) ../copy").expect()
    try scratch.pipe("enqueue", "--raw", "--quiet", input: many(10)).expect("")
    try scratch.pipe("consume").expect(many(10))
    try scratch.sh("cd queue; for f in *; do test -e ../copy/$f || cp -a $f ../copy; done").expect()
    let new = (100...104).map { "\($0)" }
    try scratch.pipe(
      "enqueue", "--raw", "--quiet", "-q", "copy", input: new.joined(separator: "\n")
    ).expect("", errors: nil)
    let run = try scratch.pipe("consume", "-q", "copy")
    #expect(new.allSatisfy(run.lines.contains), run.story)
    try scratch.sh("pipe consume -q copy | wc -l").expect("0\n", errors: nil, status: 0)
  }
}
