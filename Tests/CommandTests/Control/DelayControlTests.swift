import TestSupport
import Testing

@Suite("Cancel, change and retry of delayed entries")
struct DelayControlTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
  }

  /// Stores a record that is ready after `delay`, and returns its id.
  private func store(_ data: String, delay: String) throws -> String {
    try scratch.pipe("enqueue", "--raw", "--delay", delay, input: data + "\n").receipts[0]
  }

  /// How many minutes the entry still waits, rounded up; 0 if it is ready.
  private func minutes(_ id: String) throws -> Int {
    let state = #".runs[0] | if .state == "later" then .in_seconds / 60 | ceil else 0 end"#
    return Int(try scratch.sh("pipe explain --json \(id) | jq '\(state)'").output.dropLast()) ?? -1
  }

  @Test("explain shows the time that change set, and not the one in the entry")
  func changed() throws {
    let id = try store("1", delay: "5h")
    try scratch.pipe("change", "--delay", "10m", id).expect(nil)
    #expect(try minutes(id) == 10)
    try scratch.pipe("change", "--now", id).expect(nil)
    #expect(try minutes(id) == 0)
  }

  @Test("delayed entries that a consumer passed over together keep their own times")
  func passedOver() throws {
    let (soon, late) = (try store("1", delay: "10m"), try store("2", delay: "5h"))
    try scratch.pipe("consume").expect("")
    #expect(try minutes(soon) == 10)
    #expect(try minutes(late) == 300)
    let wait = "(.not_before | sub(\"[.].*\"; \"Z\") | fromdate) - now | . / 60 | ceil"
    try scratch.sh("pipe list --state later | jq '\(wait)'").expect("10\n300\n")
    try scratch.pipe("change", "--priority", "HIGH", late).expect(nil)
    #expect(try minutes(late) == 300)
  }

  @Test(
    "after the clock was set back each delayed entry waits for its own delay, and no longer",
    .needsFakeTime, arguments: ["", "pipe consume"])
  func clockSetBack(_ before: String) throws {
    let scratch = try Scratch(binary: Binary.besideTests)
    try scratch.sh(
      """
      tomorrow() { faketime -f +24h "$@"; }
      echo 1 | tomorrow pipe enqueue --raw --quiet --delay 1h
      seq 2 3 | tomorrow pipe enqueue --raw --quiet --delay 5h
      echo 4 | tomorrow pipe enqueue --raw --quiet --delay 1h
      \(before.isEmpty ? "" : "tomorrow \(before)")
      echo 5 | pipe enqueue --raw --quiet --delay 2h
      pipe consume
      for minutes in 59 61 119 121 299 301
      do echo "$minutes:" $(faketime -f +${minutes}m pipe consume)
      done
      """
    ).expect("59:\n61: 1 4\n119:\n121: 5\n299:\n301: 2 3\n")
  }

  @Test("an item that change made ready is ready again after it is given back")
  func givenBack() throws {
    let id = try store("1", delay: "5h")
    try scratch.pipe("change", "--now", id).expect(nil)
    try scratch.sh("pipe consume > /dev/full").expect(nil, errors: nil, status: 75)
    #expect(try minutes(id) == 0)
    try scratch.pipe("consume").expect("1\n")
  }

  @Test("an entry that was cancelled before its delay was over still waits for it after a retry")
  func retried() throws {
    let ids = [try store("1", delay: "5h"), try store("2", delay: "5h")]
    try scratch.pipe("cancel", ids[0]).expect(nil)
    // Its neighbour has a name by then.
    try scratch.pipe("consume").expect("")
    try scratch.pipe("cancel", ids[1]).expect(nil)
    try scratch.pipe("retry", "--all").expect(nil)
    for _ in 0..<2 {
      #expect(try ids.map(minutes) == [300, 300])
      try scratch.pipe("consume").expect("")
    }
    try scratch.pipe("change", "--now", ids[0], ids[1]).expect(nil)
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("a consumer that passes over a purged entry before its time leaves it purged")
  func purged() throws {
    let ids = try scratch.store("1", "2")
    let delayed = try store("3", delay: "5h")
    try scratch.pipe("purge", "--yes", delayed).expect(nil)
    // The failed items come first, in a batch of their own; the untried ones after them are passed over.
    try scratch.sh("pipe consume -n 1 -- false; pipe consume --size 9 -- cat")
      .expect("1\n2\n", errors: nil)
    try scratch.sh("pipe list; pipe status \(delayed) | jq -r .status").expect("failed\n")
    for id in ids { try scratch.sh("pipe status \(id) | jq -r .status").expect("completed\n") }
  }

  @Test("items whose hold is over can be cancelled")
  func holdIsOver() throws {
    let ids = try scratch.store(#"{"ids":[1,2]}"#)
    try scratch.sh("pipe batch -n 1 --hold 1s > line").expect("")
    try wait(until: { try scratch.sh("pipe list --state claimed").output.isEmpty }, "the end")
    try scratch.pipe("cancel", ids[0]).expect("{\"cancelled\":2,\"entries\":1}\n")
    try scratch.sh("pipe dead | jq -c '.history | map(.reason)' | sort -u").expect(
      "[\"not settled within its hold time\",\"cancelled\"]\n")
  }

  @Test("cancelled items that no consumer has reached do not count towards --max-items")
  func bounds() throws {
    try scratch.pipe("init", "--max-items", "3").expect(nil)
    let ids = try scratch.store("1", "2", "3")
    try scratch.pipe("enqueue", "--raw", input: "4\n").expect(nil, errors: nil, status: 75)
    try scratch.pipe("cancel", "--yes", ids[0], ids[1]).expect(nil)
    try scratch.store("4", "5")
    try scratch.pipe("enqueue", "--raw", input: "6\n").expect(nil, errors: nil, status: 75)
    try scratch.pipe("consume").expect("3\n4\n5\n")
  }
}
