import Foundation
import Glibc
import Testing

@Suite("the end of the worker of consume --stream", .needs("python3"))
struct StreamEndTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
  }

  @Test("by a signal in the middle loses nothing: what it had taken is retried, the rest unharmed")
  func killed() throws {
    try scratch.store(count: 2000)
    try scratch.worker(
      """
      for n in range(3):
        batches = burst()
        for batch in batches[:100]: log(batch)
        say(*map(ok, batches[:100]))
        if len(batches) > 100: break
      os.kill(0, signal.SIGKILL)
      """)
    let run = try scratch.sh("pipe consume --stream -- ./worker")
    run.expect("", errors: nil, status: 1)
    #expect(run.errors.hasPrefix("pipe consume: ./worker: killed by signal 9; "), run.story)
    try scratch.sh("pipe consume >> log; sort -n log > all; seq 0 1999 | cmp all").expect("")
  }

  @Test("before it has read anything is no crash, and loses nothing")
  func atOnce() throws {
    try scratch.store(count: 2000)
    for _ in 0..<10 {
      try scratch.pipe("consume", "--stream", "--", "true").expect(errors: nil, status: 1)
    }
    try scratch.sh("pipe consume | wc -l").expect("2000\n")
  }

  @Test("counts no attempt of what it never took")
  func untaken() throws {
    try scratch.store(count: 3)
    try scratch.worker("line = os.read(0, 120)\nsys.exit(3)")
    try scratch.sh("pipe consume --stream -- ./worker").expect(
      "", errors: "pipe consume: ./worker: exit 3; 3 items given back\n", status: 1)
    #expect(try scratch.attempts() == ["0 1", "1 1", "2 1"])
  }

  @Test("counts no attempt of what waited to be handed out alone")
  func waiting() throws {
    try scratch.store(count: 3)
    for _ in 0..<5 { try scratch.sh("pipe consume -- false").expect(errors: nil, status: 1) }
    try scratch.worker("burst()\nsys.exit(7)")
    try scratch.sh("pipe consume --stream -- ./worker").expect(errors: nil, status: 1)
    #expect(try scratch.attempts() == ["1 6", "2 6"])
  }

  @Test("with a failure counts an attempt of what it had taken", arguments: [1, 65, 70])
  func failed(status: Int) throws {
    try scratch.store(count: 3)
    try scratch.worker("burst()\nsys.exit(\(status))")
    try scratch.sh("pipe consume --stream -n 2 -- ./worker").expect(
      "",
      errors: "pipe consume: ./worker: exit \(status); 2 items without an answer ready again\n",
      status: 1)
    #expect(try scratch.attempts() == ["0 2", "1 2", "2 1"])
  }

  @Test(
    "with a status that says it cannot work is 69, and nothing is counted", arguments: [64, 78])
  func cannotWork(status: Int) throws {
    try scratch.store(count: 2)
    try scratch.worker("burst()\nsys.exit(\(status))")
    try scratch.sh("pipe consume --stream -- ./worker").expect(
      "", errors: "pipe consume: ./worker: exit \(status); 2 items given back\n", status: 69)
    #expect(try scratch.attempts() == ["0 1", "1 1"])
  }

  @Test("that never was, because it cannot be executed, is 69")
  func cannotExecute() throws {
    try scratch.store(count: 1)
    try scratch.sh("pipe consume --stream -- ./none").expect(
      "", errors: "pipe consume: ./none: No such file or directory; its batch was given back\n",
      status: 69)
    #expect(try scratch.attempts() == ["0 1"])
  }

  @Test("without a failure gives back what it owes, and is told")
  func owing() throws {
    try scratch.store(count: 3)
    try scratch.worker("batches = burst()\nsay(ok(batches[1]))")
    try scratch.sh("pipe consume --stream -- ./worker").expect(
      "", errors: "pipe consume: ./worker: ended with answers owed; 2 items given back\n", status: 1
    )
    #expect(try scratch.attempts() == ["0 1", "2 1"])
  }

  @Test("before that of its stdin is told, since more may come")
  func early() throws {
    try scratch.worker("say(*map(ok, burst()))")
    let child = try scratch.start("consume", "--follow", "--stream", "--", "./worker")
    try child.untilWatching()
    try scratch.store("1")
    child.finish().expect(
      "", errors: "pipe consume: ./worker: ended before its stdin did\n", status: 1)
  }

  @Test("of its stdin leaves it time to answer what it has, and the rest goes back unharmed")
  func closesInput() throws {
    try scratch.store(count: 3000)
    try scratch.worker(
      """
      batches = burst()
      os.close(0)
      for batch in batches: log(batch)
      say(*map(ok, batches))
      """)
    let run = try scratch.sh("pipe consume --stream -- ./worker")
    run.expect("", errors: nil, status: 1)
    #expect(run.errors.hasPrefix("pipe consume: ./worker: ended "), run.story)
    let rest = try scratch.attempts(inOne: 4000)
    let taken = try scratch.read("log").count { $0 == 0x0a }
    #expect(rest == (taken..<3000).map { "\($0) 1" } && taken > 0)
  }

  @Test("of its stdout is its end for new lines")
  func closesOutput() throws {
    try scratch.store(count: 3000)
    try scratch.worker(
      """
      batches = burst()
      say(*map(ok, batches))
      sys.stdout.close(); os.close(1)
      while burst(): pass
      """)
    let run = try scratch.sh("pipe consume --stream -- ./worker")
    #expect(run.ending == .exited(1), run.story)
    #expect(run.errors.hasPrefix("pipe consume: ./worker: ended "), run.story)
  }

  @Test(
    "comes with rubbish: 65, one line says where, and its items go back unharmed",
    arguments: [
      ("hello", "byte 1: expected a value"), ("[1]", "not a batch line: has no claim"),
      (#"{"id":1}"#, "not a batch line: has no claim"),
      (#"{"claim":"x"}"#, "byte 10: claim is not a ULID"),
      (#"{"claim":7}"#, "byte 10: claim is not a ULID"),
      (#"{"claim":CLAIM,"result":"fine"}"#, "byte 48: result must be ok, retry or bury"),
      (#"{"claim":CLAIM,"reason":null}"#, "byte 48: reason is not a string"),
      (#"{"claim":CLAIM,"items":{}}"#, "byte 47: items is not an array"),
      (#"{"claim":CLAIM,"items":[{"id":CLAIM}]}"#, "byte 48: an item without id and item"),
      (#"{"claim":CLAIM,"items":[3]}"#, "byte 48: an item without id and item"),
      (#"{"claim":CLAIM,"items":[{"id":"x","item":1}]}"#, "byte 54: id is not a ULID"),
      (
        #"{"claim":CLAIM,"items":[{"id":CLAIM,"item":0}]}"#,
        "byte 90: item is not a number from 1 on"
      ),
      (
        #"{"claim":CLAIM,"items":[{"id":CLAIM,"item":1.0}]}"#,
        "byte 90: item is not a number from 1 on"
      ),
      (#"{"claim":CLAIM,"items":[{"id":CLAIM,"item":1}]}"#, "CLAIM item 1 is not in claim CLAIM"),
      (
        #"{"claim":CLAIM,"items":[{"id":ENTRY,"item":2}]}"#, "ENTRY item 2 is not in claim CLAIM"
      ),
      (
        #"{"claim":ENTRY}"#, "claim ENTRY is not open: answered before, or never handed out"
      ),
    ])
  func rubbish(answer: String, why: String) throws {
    let id = try scratch.store("0", "1", "2")[0]
    try scratch.worker(
      #"""
      batches = burst()
      first, rest = batches[0], batches[1:]
      say({"claim": batches[1]["claim"]})
      os.write(1, b"\n")
      line = sys.argv[1].replace("CLAIM", json.dumps(first["claim"]))
      line = line.replace("ENTRY", json.dumps(first["items"][0]["id"]))
      with open("claim", "w") as file: file.write(first["claim"])
      os.write(1, line.encode() + b"\n" + json.dumps(ok(first)).encode() + b"\n")
      time.sleep(600)
      """#)
    let run = try scratch.run(
      [Scratch.binary, "consume", "--stream", "--", "./worker", answer])
    let claim = String(decoding: try scratch.read("claim"), as: UTF8.self)
    let reason = why.replacingOccurrences(of: "CLAIM", with: claim)
      .replacingOccurrences(of: "ENTRY", with: id)
    run.expect("", errors: "pipe consume: ./worker: line 3: \(reason)\n", status: 65)
    #expect(try scratch.attempts() == ["0 1", "2 1"])
  }

  @Test("comes with a second answer to the same item")
  func twice() throws {
    let id = try scratch.store(#"{"ids":[1,2]}"#)[0]
    try scratch.worker(
      """
      batch = burst()[0]
      for n in (0, 1, 0): say({"claim": batch["claim"], "items": batch["items"][n:n + 1]})
      time.sleep(600)
      """)
    let run = try scratch.sh("pipe consume --stream --size 2 -- ./worker")
    run.expect("", errors: nil, status: 65)
    #expect(run.errors.contains(": line 3: claim "), run.story)
    let other = try scratch.store(#"{"ids":[1,2]}"#)[0]
    #expect(other != id)
    try scratch.worker(
      """
      batch = burst()[0]
      for n in (0, 0): say({"claim": batch["claim"], "items": batch["items"][n:n + 1]})
      time.sleep(600)
      """)
    try scratch.sh("pipe consume --stream --size 2 -- ./worker").expect(
      "", errors: "pipe consume: ./worker: line 2: \(other) item 1 was answered before\n",
      status: 65)
    #expect(try scratch.attempts() == ["2 1"])
  }

  @Test("comes at --timeout, for the oldest line without an answer; the others go back unharmed")
  func timeout() throws {
    let ids = try scratch.store("0", "1", "2")
    try scratch.worker("batches = burst()\nsay(ok(batches[0]))\ntime.sleep(600)")
    try scratch.sh("pipe consume --stream --timeout 3s -- ./worker").expect(
      "",
      errors: """
        pipe consume: \(ids[1]) item 1: ./worker: timed out; 1 item without an answer ready again; \
        1 item given back

        """, status: 1)
    #expect(try scratch.attempts() == ["1 2", "2 1"])
  }
}

extension Scratch {
  /// As `attempts`, with a few claims for many items.
  func attempts(inOne size: Int) throws -> [String] {
    let run = try sh("pipe consume --envelope --size \(size)").expect()
    return try run.objects().flatMap { batch -> [String] in
      let items = batch["items"] as? [[String: Any]] ?? []
      return items.map { "\($0["data"] ?? "none") \(batch["attempt"] ?? "none")" }
    }
  }
}
