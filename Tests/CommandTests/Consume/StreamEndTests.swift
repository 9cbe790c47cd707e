import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The end of a --stream worker", .needs("python3"))
struct StreamEndTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
  }

  @Test(
    "a worker killed midway loses nothing: items it took are retried, the rest goes back unharmed")
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

  @Test("a worker that ends before it reads anything causes no crash and loses nothing")
  func atOnce() throws {
    try scratch.store(count: 2000)
    for _ in 0..<10 {
      try scratch.pipe("consume", "--stream", "--", "true").expect(errors: nil, status: 1)
    }
    try scratch.sh("pipe consume | wc -l").expect("2000\n")
  }

  @Test("a worker that fails counts no attempt of items it never took")
  func untaken() throws {
    try scratch.store(count: 3)
    try scratch.worker("line = os.read(0, 120)\nsys.exit(3)")
    try scratch.sh("pipe consume --stream -- ./worker").expect(
      "", errors: "pipe consume: ./worker: exit 3; 3 items given back\n", status: 1)
    #expect(try scratch.attempts() == ["0 1", "1 1", "2 1"])
  }

  @Test("a worker that fails counts no attempt of items that waited to be handed out alone")
  func waiting() throws {
    try scratch.store(count: 3)
    for _ in 0..<5 { try scratch.sh("pipe consume -- false").expect(errors: nil, status: 1) }
    try scratch.worker("burst()\nsys.exit(7)")
    try scratch.sh("pipe consume --stream -- ./worker").expect(errors: nil, status: 1)
    #expect(try scratch.attempts() == ["1 6", "2 6"])
  }

  @Test("a worker that fails counts an attempt of the items it took", arguments: [1, 65, 70])
  func failed(status: Int) throws {
    try scratch.store(count: 3)
    try scratch.worker("burst()\nsys.exit(\(status))")
    try scratch.sh("pipe consume --stream -n 2 -- ./worker").expect(
      "",
      errors: "pipe consume: ./worker: exit \(status); 2 items unanswered, ready again\n",
      status: 1)
    #expect(try scratch.attempts() == ["0 2", "1 2", "2 1"])
  }

  @Test(
    "a worker whose status says it cannot work ends consume with 69, no attempt counted",
    arguments: [64, 78])
  func cannotWork(status: Int) throws {
    try scratch.store(count: 2)
    try scratch.worker("burst()\nsys.exit(\(status))")
    try scratch.sh("pipe consume --stream -- ./worker").expect(
      "", errors: "pipe consume: ./worker: exit \(status); 2 items given back\n", status: 69)
    #expect(try scratch.attempts() == ["0 1", "1 1"])
  }

  @Test("a worker that cannot be executed ends consume with 69")
  func cannotExecute() throws {
    try scratch.store(count: 1)
    try scratch.sh("pipe consume --stream -- ./none").expect(
      "",
      errors: "pipe consume: ./none: No such file or directory; its batch was given back"
        + " (1 item waiting)\n", status: 69)
    #expect(try scratch.attempts() == ["0 1"])
  }

  @Test("a worker that ends well but owes answers is reported, and those items go back")
  func owing() throws {
    try scratch.store(count: 3)
    try scratch.worker("batches = burst()\nsay(ok(batches[1]))")
    try scratch.sh("pipe consume --stream -- ./worker").expect(
      "", errors: "pipe consume: ./worker: ended with items unanswered; 2 items given back\n",
      status: 1)
    #expect(try scratch.attempts() == ["0 1", "2 1"])
  }

  @Test("a worker that ends before its stdin does is reported, since more items may come")
  func early() throws {
    try scratch.worker("say(*map(ok, burst()))")
    let child = try scratch.start("consume", "--follow", "--stream", "--", "./worker")
    try child.waitUntilWatching()
    try scratch.store("1")
    child.finish().expect(
      "", errors: "pipe consume: ./worker: ended before its stdin was closed\n", status: 1)
  }

  @Test("a worker that closes its stdin may answer what it has, and the rest goes back unharmed")
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

  @Test("a worker that closes its stdout gets no more lines")
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
    "an invalid answer ends consume with 65 and one line, and its items go back unharmed",
    arguments: [
      ("hello", "byte 1: expected a value"), ("[1]", "not a batch line: it has no claim"),
      (#"{"id":1}"#, "not a batch line: it has no claim"),
      (#"{"claim":"x"}"#, "byte 10: claim is not a ULID"),
      (#"{"claim":7}"#, "byte 10: claim is not a ULID"),
      (#"{"claim":CLAIM,"result":"fine"}"#, "byte 48: result must be ok, retry or bury"),
      (#"{"claim":CLAIM,"reason":null}"#, "byte 48: reason is not a string"),
      (#"{"claim":CLAIM,"items":{}}"#, "byte 47: items is not an array"),
      (#"{"claim":CLAIM,"items":[{"id":CLAIM}]}"#, "byte 48: an item needs id and item"),
      (#"{"claim":CLAIM,"items":[3]}"#, "byte 48: an item needs id and item"),
      (#"{"claim":CLAIM,"items":[{"id":"x","item":1}]}"#, "byte 54: id is not a ULID"),
      (
        #"{"claim":CLAIM,"items":[{"id":CLAIM,"item":0}]}"#,
        "byte 90: item must be a positive integer"
      ),
      (
        #"{"claim":CLAIM,"items":[{"id":CLAIM,"item":1.0}]}"#,
        "byte 90: item must be a positive integer"
      ),
      (#"{"claim":CLAIM,"items":[{"id":CLAIM,"item":1}]}"#, "CLAIM item 1 is not in claim CLAIM"),
      (
        #"{"claim":CLAIM,"items":[{"id":ENTRY,"item":2}]}"#, "ENTRY item 2 is not in claim CLAIM"
      ),
      (
        #"{"claim":ENTRY}"#, "claim ENTRY is not open: already answered, or never handed out"
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
      [Binary.path, "consume", "--stream", "--", "./worker", answer])
    let claim = String(decoding: try scratch.read("claim"), as: UTF8.self)
    let reason = why.replacingOccurrences(of: "CLAIM", with: claim)
      .replacingOccurrences(of: "ENTRY", with: id)
    run.expect("", errors: "pipe consume: ./worker: line 3: \(reason)\n", status: 65)
    #expect(try scratch.attempts() == ["0 1", "2 1"])
  }

  @Test("a second answer to the same item is invalid")
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
      "", errors: "pipe consume: ./worker: line 2: \(other) item 1 was already answered\n",
      status: 65)
    #expect(try scratch.attempts() == ["2 1"])
  }

  @Test("--timeout ends a worker for its oldest unanswered line, and the others go back unharmed")
  func timeout() throws {
    let ids = try scratch.store("0", "1", "2")
    // Answers the first line. A shell is there long before the time is over.
    let worker = "#!/bin/sh\nread -r line; echo \"$line\"; cat > rest; exec sleep 600\n"
    try scratch.sh("cat > worker; chmod +x worker", input: worker).expect()
    let run = try scratch.sh("pipe consume --stream --timeout 10s -- ./worker")
    run.expect("", errors: nil, status: 1)
    // It is also reported as slow before.
    #expect(
      run.errors.hasSuffix(
        """
        pipe consume: \(ids[1]) item 1: ./worker: timed out; 1 item unanswered, ready again; \
        1 item given back

        """), run.story)
    #expect(try scratch.attempts() == ["1 2", "2 1"])
  }
}

extension Scratch {
  /// Like `attempts`, with few claims for many items.
  func attempts(inOne size: Int) throws -> [String] {
    let run = try sh("pipe consume --envelope --size \(size)").expect()
    return try run.objects().flatMap { batch -> [String] in
      let items = batch["items"] as? [[String: Any]] ?? []
      return items.map { "\($0["data"] ?? "none") \(batch["attempt"] ?? "none")" }
    }
  }
}
