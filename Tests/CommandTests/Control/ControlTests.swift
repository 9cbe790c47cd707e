import Glibc
import TestSupport
import Testing

@Suite("Cancel, purge and change")
struct ControlTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
  }

  private func states(_ states: String) throws -> [String] {
    try scratch.sh("pipe list --state \(states) | jq -c '.data // .ids'").lines
  }

  @Test("cancel makes dead letters of an entry's waiting items, and counts no attempt")
  func cancel() throws {
    let ids = try scratch.store(#"{"ids":[1,2,3]}"#, "4")
    try scratch.pipe("consume", "-n", "1", "--size", "1").expect("1\n")
    try scratch.pipe("cancel", ids[0]).expect("{\"cancelled\":2,\"entries\":1}\n")
    try scratch.sh("pipe dead | jq -c '[.item, .reason, .history[0].attempt]'").expect(
      "[2,\"cancelled\",0]\n[3,\"cancelled\",0]\n")
    try scratch.pipe("consume").expect("4\n")
    try scratch.sh("pipe retry \(ids[0]); pipe consume").expect(
      "{\"id\":\"\(ids[0])\",\"items\":2}\n2\n3\n")
  }

  @Test("a selection is by priority, state or member, and needs --yes without a terminal")
  func selections() throws {
    try scratch.store(
      #"{"k":"a","priority":"LOW"}"#, #"{"k":"b"}"#, #"{"k":7}"#, #"{"k":"a","priority":"HIGH"}"#)
    try scratch.pipe("enqueue", "--raw", "--quiet", "--delay", "1h", input: "\"later\"\n").expect(
      "")
    try scratch.pipe("cancel", "--all").expect(
      "", errors: "pipe cancel: cancel 5 items of 5 entries: confirm with --yes\n", status: 64)
    try scratch.pipe("cancel", "--match", "k=a", "--priority", "low,medium", "--yes").expect(
      "{\"cancelled\":1,\"entries\":1}\n")
    try scratch.pipe("purge", "--state", "later", "--yes").expect("{\"purged\":1,\"entries\":1}\n")
    try scratch.pipe("cancel", "--match", "k=7", "--yes").expect(
      "{\"cancelled\":1,\"entries\":1}\n")
    try scratch.sh("pipe consume | jq -c .k").expect("\"a\"\n\"b\"\n")
    try scratch.sh("pipe dead | jq -c .data.k").expect("7\n\"a\"\n")
  }

  @Test("several parts of a batch that came back as a whole are taken at once")
  func partsOfABatch() throws {
    let ids = try scratch.store("1", "2", "3", "4", "5", "6")
    try scratch.sh("pipe consume --size 6 -- sh -c 'kill -9 $PPID'; true").expect(errors: nil)
    try scratch.pipe("change", "--delay", "1h", ids[0], ids[5]).expect(
      "{\"changed\":2,\"entries\":2}\n")
    try scratch.pipe("cancel", "--yes", ids[1], ids[3]).expect(
      "{\"cancelled\":2,\"entries\":2}\n")
    try scratch.pipe("consume").expect("3\n5\n")
    try scratch.sh("pipe dead | jq -c .data").expect("2\n4\n")
    try scratch.pipe("change", "--now", ids[0], ids[5]).expect(
      "{\"changed\":2,\"entries\":2}\n")
    try scratch.pipe("consume").expect("1\n6\n")
  }

  @Test("a delayed list over a hundred is not lost when a later entry is cancelled")
  func delayedListOverAHundred() throws {
    try scratch.store(1...95)
    try scratch.sh("pipe consume | wc -l").expect("95\n")
    let list = #"{"ids":[1,2,3,4,5,6,7,8,9,10,11,12]}"# + "\n"
    let delayed = try scratch.pipe("enqueue", "--raw", "--delay", "1h", input: list)
    let id = try delayed.mustSucceed().receipts[0]
    let last = try scratch.store("0")[0]
    try scratch.pipe("cancel", last).expect("{\"cancelled\":1,\"entries\":1}\n")
    try scratch.pipe("consume").expect("")
    try scratch.pipe("change", "--now", id).expect("{\"changed\":12,\"entries\":1}\n")
    try scratch.sh("pipe consume | wc -l").expect("12\n")
  }

  @Test("damage over a hundred costs only its own items when a later entry is cancelled")
  func damageOverAHundred() throws {
    let ids = try scratch.store((100...399).map(String.init).joined(separator: "\n"))
    try scratch.pipe("cancel", ids[299]).expect("{\"cancelled\":1,\"entries\":1}\n")
    // Each line has 79 bytes: those of items 95 to 104, then one of items 150 to 151.
    for (from, count) in [(95, 10), (150, 2)] {
      try scratch.sh(
        "dd if=/dev/zero of=queue/segments/MEDIUM/000/000001 bs=79 seek=\(from) count=\(count)"
          + " conv=notrunc status=none"
      ).expect()
    }
    try scratch.sh("pipe consume | wc -l").expect("287\n", errors: nil)
    try scratch.sh("pipe list --state lost | jq -c '[.number,.items]'").expect(
      "[95,10]\n[150,2]\n")
  }

  @Test("damage in front of a delayed entry does not block the items after it")
  func damageBeforeDelay() throws {
    try scratch.store("1")
    try scratch.pipe("enqueue", "--raw", "--quiet", "--delay", "1h", input: "2\n").expect("")
    try scratch.store("3")
    try scratch.sh("printf x | dd of=queue/segments/MEDIUM/000/000001 conv=notrunc status=none")
      .expect()
    try scratch.pipe("consume").expect("3\n", errors: nil, status: 74)
    try scratch.sh(
      "for state in lost later done; do pipe list --state $state | jq -c '.data // .number'; done"
    )
    .expect("0\n2\n3\n", errors: nil)
  }

  @Test("a consumer sees the entries that are cancelled and retried while it runs")
  func besideConsumer() throws {
    let ids = try scratch.store("1", "2", "3", "4", "5")
    try scratch.pipe("cancel", ids[4]).expect("{\"cancelled\":1,\"entries\":1}\n")
    try scratch.sh("mkfifo go").expect("")
    let child = try scratch.start(
      line: "pipe consume -- sh -c 'cat; test -e free || read _ < go'")
    try scratch.sh(
      "exec 3> go; pipe cancel \(ids[1]) && pipe retry \(ids[4]) && touch free && echo >&3"
    )
    .expect("{\"cancelled\":1,\"entries\":1}\n{\"id\":\"\(ids[4])\",\"items\":1}\n")
    child.finish().expect("1\n3\n4\n5\n", errors: nil)
  }

  @Test("purge removes items without letters; their entry counts as failed")
  func purge() throws {
    let ids = try scratch.store("1", "2")
    try scratch.pipe("purge", ids[0]).expect("{\"purged\":1,\"entries\":1}\n")
    try scratch.pipe("dead").expect("")
    try scratch.pipe("consume").expect("2\n")
    try scratch.sh("pipe status \(ids[0]) | jq -r .status").expect("failed\n")
  }

  @Test("items that a consumer holds are left alone unless --running ends their command")
  func running() throws {
    let id = try scratch.store("1")[0]
    try scratch.pipe("init", "--backoff", "1m..1m").expect("")
    let begun = try Gate(scratch, "begun")
    let child = try scratch.start(
      "consume", "--follow", "--", "sh", "-c", "echo > begun; exec sleep 600")
    _ = try begun.line()
    try scratch.pipe("cancel", id).expect(
      "{\"cancelled\":0,\"entries\":0}\n",
      errors: "pipe cancel: \(id): is claimed: a consumer has it"
        + " (cancel --running ends its command)\n", status: 1)
    try scratch.pipe("cancel", "--running", id).expect("{\"cancelled\":1,\"entries\":1}\n")
    try scratch.sh("pipe dead \(id) | jq -r .reason").expect("cancelled\n")
    child.signal(SIGTERM)
    child.finish().expect("", errors: nil, status: 1)
  }

  @Test("change moves items in time: later, to an instant, and back to now")
  func times() throws {
    let ids = try scratch.store(#"{"ids":[1,2]}"#, "3")
    try scratch.pipe("change", "--delay", "1h", ids[0]).expect("{\"changed\":2,\"entries\":1}\n")
    #expect(try states("later") == ["[1,2]"])
    try scratch.pipe("consume").expect("3\n")
    try scratch.pipe("change", "--at", "2090-01-01T00:00:00Z", ids[0]).expect(nil)
    try scratch.sh("pipe explain --json \(ids[0]) | jq -r .runs[0].due").expect(
      "2090-01-01T00:00:00.000000Z\n")
    try scratch.pipe("change", "--now", ids[0]).expect(nil)
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("change keeps the attempts of items that failed")
  func attempts() throws {
    let id = try scratch.store("1")[0]
    try scratch.pipe("init", "--backoff", "1h..1h").expect("")
    try scratch.sh("pipe consume -- false").expect("", errors: nil, status: 1)
    try scratch.pipe("change", "--now", id).expect(nil)
    try scratch.sh("pipe consume -- sh -c 'echo $PIPE_ATTEMPT'").expect("2\n")
  }

  @Test("an id that is given twice is cancelled once")
  func twice() throws {
    let ids = try scratch.store("1", "2")
    try scratch.pipe("cancel", "--yes", ids[0], ids[0]).expect(
      "{\"cancelled\":1,\"entries\":1}\n")
    try scratch.sh("pipe dead | wc -l").expect("1\n")
  }

  @Test("items that are cancelled and retried before any consumer reaches them run once")
  func once() throws {
    let ids = try scratch.store("1", #"{"ids":[2,3]}"#, "4")
    for _ in 1...2 {
      try scratch.pipe("cancel", ids[1]).expect("{\"cancelled\":2,\"entries\":1}\n")
      try scratch.sh("pipe retry \(ids[1]) | jq .items").expect("2\n")
    }
    try scratch.pipe("consume").expect("1\n2\n3\n4\n")
    try scratch.pipe("consume").expect("")
    try scratch.pipe("fsck").expect(nil)
  }

  @Test("a consumer passes over cancelled items, and a retry brings them back once")
  func passed() throws {
    let ids = try scratch.store("1", "2", "3", "4")
    try scratch.pipe("cancel", "--yes", ids[1], ids[2]).expect("{\"cancelled\":2,\"entries\":2}\n")
    try scratch.pipe("consume").expect("1\n4\n")
    try scratch.sh("pipe dead | jq -c .data").expect("2\n3\n")
    try scratch.pipe("retry", ids[1]).expect(nil)
    try scratch.pipe("drop", ids[2]).expect(nil)
    try scratch.pipe("consume").expect("2\n")
    try scratch.pipe("consume").expect("")
    let states = try scratch.sh("for id in \(ids.joined(separator: " ")); do pipe status $id; done")
    #expect(states.lines.filter { $0.contains("\"completed\"") }.count == 3, "\(states.output)")
    try scratch.pipe("fsck").expect(nil)
  }

  @Test(
    "a retry while the lane end lies behind what was consumed brings back a cancelled item once")
  func behindTheEnd() throws {
    try scratch.store("1", "2", "3")
    try scratch.pipe("consume").expect("1\n2\n3\n")
    let old = try scratch.sh("ls queue/end | grep MEDIUM").output.dropLast()
    let ids = try scratch.store("4", "5", "6")
    try scratch.pipe("cancel", ids[1]).expect("{\"cancelled\":1,\"entries\":1}\n")
    try scratch.pipe("consume").expect("4\n6\n")
    // A power cut undoes the move of the lane end, and a writer keeps the next command from repairing it.
    try scratch.sh("mv queue/end/MEDIUM.* queue/end/\(old)").expect()
    let writer = DirectoryLock(scratch, "queue/end")
    try scratch.pipe("retry", "--all").expect("{\"id\":\"\(ids[1])\",\"items\":1}\n")
    writer.release()
    try scratch.pipe("consume").expect("5\n")
    try scratch.pipe("consume").expect("")
    try scratch.pipe("fsck").expect(nil)
  }

  @Test("no time is changed if an entry cannot be moved")
  func unmoved() throws {
    let ids = try scratch.store("1", "2")
    try scratch.pipe("change", "--priority", "high", "--delay", "1h", ids[0], "nonsense").expect(
      "{\"changed\":1,\"entries\":1}\n", errors: nil, status: 1)
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("parked items are changed and cancelled like others")
  func parked() throws {
    try scratch.sh("seq 1000 | pipe enqueue --raw --quiet").expect("")
    try scratch.pipe("init", "--backoff", "1h..1h").expect("")
    try scratch.sh("pipe consume -j 4 --size 2 -- false").expect("", errors: nil, status: 1)
    #expect(try scratch.sh("find queue/later -type f | wc -l").output != "0\n")
    let id = try scratch.sh("pipe list --state later | tail -1 | jq -r .id").lines[0]
    try scratch.pipe("change", "--now", id).expect("{\"changed\":1,\"entries\":1}\n")
    try scratch.pipe("cancel", "--state", "later", "--yes").expect(
      "{\"cancelled\":999,\"entries\":999}\n")
    try scratch.pipe("consume").expect("1000\n")
    try scratch.pipe("fsck").expect(nil)
  }

  @Test("ids that are unknown or settled are named, and the others are changed")
  func unknown() throws {
    let ids = try scratch.store("1", "2")
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    let run = try scratch.pipe(
      "cancel", "--yes", ids[0], "nonsense", "01M7YFR55BHYP5BSPG0DPTADCJ", ids[1])
    run.expect("{\"cancelled\":1,\"entries\":1}\n", errors: nil, status: 1)
    #expect(run.errors.split(separator: "\n").count == 3, run.story)
  }
}

@Suite("Pause, lanes, promotion and the end")
struct DispatchControlTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
  }

  @Test("a paused queue hands out nothing, takes entries, and says why")
  func pause() throws {
    try scratch.store("1")
    try scratch.pipe("pause", "--reason", "disk\u{1b}[31m").expect("")
    try scratch.pipe("consume").expect(
      "",
      errors: "pipe consume: \(scratch.path)/queue: paused: disk\\u{1b}[31m; nothing is taken\n")
    let id = try scratch.store("2")[0]
    let explanation = try scratch.pipe("explain", id)
    #expect(explanation.output.contains("The queue is paused: disk"), explanation.story)
    #expect(
      explanation.output.contains("; nothing is handed out while the queue is paused."),
      explanation.story)
    #expect(try scratch.pipe("stats").output.contains("paused since "))
    try scratch.sh("pipe stats --json | jq -c '.paused.until'").expect("null\n")
    try scratch.pipe("resume").expect("")
    try scratch.pipe("consume").expect("1\n2\n")
    try scratch.pipe("resume").expect(
      "", errors: "pipe resume: \(scratch.path)/queue: was not paused\n")
  }

  @Test("resume wakes consumers that wait, and a pause ends by itself at its time")
  func wake() throws {
    try scratch.store("1")
    try scratch.pipe("pause").expect("")
    let child = try scratch.start("consume", "--follow", "-n", "1")
    #expect(child.errorLine()?.contains("nothing is taken") == true)
    try scratch.pipe("resume").expect("")
    child.finish().expect("1\n", errors: nil)
    try scratch.store("2")
    try scratch.pipe("pause", "--for", "100ms").expect("")
    try scratch.pipe("consume", "--follow", "-n", "1").expect("2\n", errors: nil)
  }

  @Test("what runs when the queue is paused is finished")
  func running() throws {
    try scratch.store("1", "2")
    let (begun, gate) = (try Gate(scratch, "begun"), try Gate(scratch))
    let child = try scratch.start(
      line: "pipe consume -- sh -c 'echo > begun; read go < gate; cat'")
    _ = try begun.line()
    try scratch.pipe("pause").expect("")
    gate.letPass()
    child.finish().expect("1\n", errors: nil)
    try scratch.sh("pipe list --state done | jq -c .data").expect("1\n")
  }

  @Test("consume --priority takes from these lanes only")
  func lanes() throws {
    try scratch.store(#"{"l":1,"priority":"LOW"}"#, "2", #"{"h":3,"priority":"HIGH"}"#)
    try scratch.sh("pipe consume --priority low,high | jq -c 'keys[0]'").expect("\"h\"\n\"l\"\n")
    try scratch.pipe("consume").expect("2\n")
  }

  @Test(
    "with --promote-after an item that has waited long comes first, and alone", .needsFakeTime)
  func promotion() throws {
    let scratch = try Scratch(binary: Binary.besideTests)
    try scratch.pipe("init", "--promote-after", "1h").expect("")
    try scratch.sh(
      """
      echo '{"l":1,"priority":"LOW"}' | faketime -f -2h pipe enqueue --raw --quiet
      echo '{"l":2,"priority":"LOW"}' | pipe enqueue --raw --quiet
      echo '{"h":3,"priority":"HIGH"}' | pipe enqueue --raw --quiet
      pipe consume | jq -c '.l // .h'
      """
    ).expect("1\n3\n2\n")
  }

  @Test(
    "--promote-after looks behind delayed entries and damage",
    .needsFakeTime, arguments: ["delay", "damage"])
  func promotionBehind(_ first: String) throws {
    let scratch = try Scratch(binary: Binary.besideTests)
    try scratch.pipe("init", "--promote-after", "1h").expect("")
    try scratch.sh(
      """
      test \(first) = damage || set -- --delay 10h
      echo '{"l":0,"priority":"LOW"}' | faketime -f -3h pipe enqueue --raw --quiet "$@"
      echo '{"l":1,"priority":"LOW"}' | faketime -f -2h pipe enqueue --raw --quiet
      echo '{"h":2,"priority":"HIGH"}' | pipe enqueue --raw --quiet
      test \(first) = delay || printf x | dd of=queue/segments/LOW/000/000001 conv=notrunc status=none
      pipe consume | jq -c '.l // .h'
      """
    ).expect("1\n2\n", errors: nil)
  }

  @Test("--until-done waits for retries, delays and other consumers, and then ends")
  func untilDone() throws {
    try scratch.store("1")
    try scratch.pipe("init", "--backoff", "50ms..50ms", "--retries", "2").expect("")
    try scratch.pipe("enqueue", "--raw", "--quiet", "--delay", "100ms", input: "2\n").expect("")
    try scratch.sh("pipe consume --until-done -- sh -c 'test $(cat) = 2'").expect(
      "", errors: nil, status: 1)
    try scratch.sh("(pipe list --state dead; pipe list --state done) | jq -c .data").expect(
      "1\n2\n")
  }
}
