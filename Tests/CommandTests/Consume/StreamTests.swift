import Foundation
import Glibc
import TestSupport
import Testing

@Suite("--stream workers", .needs("python3"))
struct StreamTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
  }

  private func none() throws { try scratch.pipe("list").expect("") }

  @Test("a worker runs once and gets each of 100,000 items once")
  func roundTrip() throws {
    try scratch.store(count: 100_000)
    try scratch.worker(
      """
      while batches := burst():
        for batch in batches: log(batch)
        say(*map(ok, batches))
      """)
    try scratch.sh("pipe consume --stream -- ./worker").expect("")
    try none()
    try scratch.sh("seq 0 99999 | cmp log").expect()
  }

  @Test("a worker may answer in another order than it was asked")
  func anotherOrder() throws {
    try scratch.store(count: 3000)
    try scratch.worker(
      """
      while batches := burst():
        say(*map(ok, batches[1::2][::-1]))
        say(*map(ok, batches[0::2][::-1]))
      """)
    try scratch.sh("pipe consume --stream -- ./worker").expect("")
    try none()
  }

  @Test("a worker may answer each item by itself, in any order, with members of its own")
  func items() throws {
    try scratch.store(#"{"ids":[1,2,3,4,5]}"#, "6", "7")
    try scratch.worker(
      """
      while batches := burst():
        for batch in batches:
          for item in batch["items"][::-1]:
            say({"mine": [1], "items": [dict(item, result="ok", mine={})], "claim": batch["claim"]})
      """)
    try scratch.sh("pipe consume --stream --size 3 -- ./worker").expect("")
    try none()
  }

  @Test("jq can be a worker: a batch line returned as it came acknowledges", .needs("jq"))
  func echo() throws {
    try scratch.store(#"{"ids":[1,2,3,4,5]}"#, "6", "7")
    try scratch.sh("pipe consume --stream --size 4 -- jq -c .").expect("")
    try none()
  }

  @Test("a worker says for each item whether it is done, to be retried or to be buried, and why")
  func results() throws {
    let id = try scratch.store(#"{"ids":[1,2,3,4]}"#)[0]
    try scratch.worker(
      """
      for batch in burst():
        results = [{}, {"result": "bury"}, {"result": "ok"}, {"reason": "mine"}]
        items = [dict(item, **more) for item, more in zip(batch["items"], results)]
        say({"claim": batch["claim"], "result": "retry", "reason": "all", "items": items})
      """)
    try scratch.sh("pipe consume --stream --size 4 -- ./worker").expect(
      "",
      errors: """
        pipe consume: \(id) item 1: all (attempt 1); ready again later
        pipe consume: \(id) item 2: all (attempt 1); buried (dead letter)
        pipe consume: \(id) item 4: mine (attempt 1); ready again later

        """, status: 1)
    #expect(try scratch.attempts().filter { $0 != "2 2" } == ["1 2", "4 2"])
  }

  @Test("a worker gets lines of --size items, and at most -n of them")
  func lines() throws {
    try scratch.store(count: 10)
    try scratch.worker(
      """
      while batches := burst():
        for batch in batches:
          print(len(batch["items"]), batch["attempt"], file=sys.stderr, flush=True)
        say(*map(ok, batches))
      """)
    try scratch.sh("pipe consume --stream --size 3 -n 2 -- ./worker").expect(
      "", errors: "3 1\n3 1\n")
    try scratch.sh("pipe consume --stream -n 1 -- ./worker").expect("", errors: "1 1\n")
    try scratch.pipe("consume").expect("7\n8\n9\n")
  }

  @Test("a worker is not started when nothing is ready")
  func nothing() throws {
    try scratch.pipe("init").expect("")
    try scratch.sh("pipe consume --stream -- touch started; ls").expect("queue\n")
  }

  @Test("a worker sees the queue and leads a process group")
  func surroundings() throws {
    try scratch.store("1")
    try scratch.worker(
      """
      print(os.environ["PIPE_QUEUE"], os.getpid() == os.getpgrp(), file=sys.stderr, flush=True)
      say(*map(ok, burst()))
      """)
    try scratch.sh("PIPE_ID=x pipe consume -q ./queue/ --stream -- ./worker").expect(
      "", errors: "\(scratch.path)/queue True\n")
  }

  @Test("with --follow a worker also gets later items, until a signal ends its stdin")
  func follow() throws {
    try scratch.worker(
      """
      while batches := burst():
        say(*map(ok, batches))
        for batch in batches: print(batch["items"][0]["data"], file=sys.stderr, flush=True)
      """)
    let child = try scratch.start("consume", "--follow", "--stream", "--", "./worker")
    for number in 0..<5 {
      try scratch.store("\(number)")
      #expect(child.errorLine() == "\(number)")
    }
    child.signal(SIGTERM)
    child.finish().expect("", errors: nil)
    try none()
  }

  @Test("a worker gets an item on its last attempt alone")
  func lastAttempt() throws {
    try scratch.store(count: 3)
    for _ in 0..<5 { try scratch.sh("pipe consume -- false").expect(errors: nil, status: 1) }
    try scratch.store("3", "4")
    try scratch.worker(
      """
      while batches := burst():
        print(*[item["data"] for batch in batches for item in batch["items"]], file=sys.stderr)
        say(*map(ok, batches))
      """)
    // An item that was never tried may be in the same claim; then it is handed out alone, too.
    let run = try scratch.sh("pipe consume --stream --size 2 -- ./worker")
    run.expect("", errors: nil)
    #expect(run.errors.hasPrefix("0\n1\n2\n"), run.story)
    try none()
  }

  @Test("--stream requires a command, and excludes -j and --envelope")
  func usage() throws {
    try scratch.pipe("init").expect("")
    for options in ["--stream", "--stream -j 2 -- true", "--stream --envelope -- true"] {
      try scratch.sh("pipe consume \(options)").expect("", errors: nil, status: 64, options)
    }
    try scratch.sh("pipe consume --stream -j 1 -- true").expect("")
  }
}
