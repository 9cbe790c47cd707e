import TestSupport
import Testing

@Suite("change --delay of scattered entries")
struct ScatteredDelayTests {
  private let scratch: Scratch
  private let ids: [String]
  /// Every 25th of 500.
  private let chosen: [String]

  init() throws {
    scratch = try Scratch()
    ids = try scratch.pipe("enqueue", "--raw", input: Self.text(1...500)).receipts
    chosen = stride(from: 0, to: 500, by: 25).map { [ids] in ids[$0] }
  }

  private static func text(_ numbers: some Sequence<Int>) -> String {
    numbers.map { "\($0)\n" }.joined()
  }

  private func change(_ option: String, _ ids: [String]) throws {
    try scratch.sh("xargs pipe change \(option)", input: ids.joined(separator: "\n"))
      .expect(nil)
  }

  private func names(_ kind: String) throws -> Int {
    Int(try scratch.sh("ls $PIPE_QUEUE/now | grep -cE '\(kind)'; true").output.dropLast()) ?? -1
  }

  @Test("they leave no names in now/, and count as later everywhere")
  func states() throws {
    try change("--delay 1h", chosen)
    #expect(try names("again|claim|done") == 0)
    try scratch.sh("pipe list --state later | wc -l; pipe list --state ready | wc -l")
      .expect("20\n480\n")
    try scratch.sh("pipe explain \(chosen[3]) | grep -c 'it waits until'").expect("1\n")
    try scratch.sh("pipe explain --json \(ids[30]) | jq .runs[0].ahead").expect("28\n")
    try scratch.sh("pipe stats --json | jq -c '[.items.ready.MEDIUM, .items.later.MEDIUM]'").expect(
      "[480,20]\n")
    try scratch.sh("pipe fsck; head -1 $PIPE_QUEUE/format").expect("pipe-queue 5\n")
  }

  @Test("a consumer passes over them, and hands them out when they are due")
  func passedOver() throws {
    try change("--delay 1h", chosen)
    try scratch.sh("pipe consume | wc -l").expect("480\n")
    try scratch.sh("pipe fsck; pipe list --state later | wc -l").expect("20\n")
    try change("--now", chosen)
    try scratch.pipe("consume").expect(Self.text(stride(from: 1, to: 500, by: 25)))
    try scratch.sh("pipe fsck; pipe list").expect("")
  }

  @Test("they can be changed again, made ready and cancelled")
  func again() throws {
    try change("--delay 1h", chosen)
    try change("--delay 2h", Array(chosen[..<5]))
    try change("--now", Array(chosen[5..<10]))
    try scratch.sh("xargs pipe cancel --yes", input: chosen[10...].joined(separator: "\n"))
      .expect("{\"cancelled\":10,\"entries\":10}\n")
    try scratch.sh("for state in later dead ready; do pipe list --state $state | wc -l; done")
      .expect("5\n10\n485\n")
    try scratch.sh("pipe consume | wc -l; pipe retry --all | wc -l; pipe consume | wc -l")
      .expect("485\n10\n10\n")
    try scratch.pipe("fsck").expect("")
  }

  @Test("they keep their places in their lane, and a new priority moves them")
  func moved() throws {
    try change("--delay 1h", chosen)
    try scratch.pipe("change", "--priority", "HIGH", chosen[1]).expect(nil)
    try change("--now", chosen)
    try scratch.sh("pipe consume | head -3").expect("26\n1\n2\n", errors: nil)
  }

  @Test("they count towards --max-items")
  func bounds() throws {
    try scratch.pipe("init", "--max-items", "500").expect(nil)
    try change("--delay 1h", chosen)
    try scratch.pipe("enqueue", "--raw", input: "0\n").expect(nil, errors: nil, status: 75)
    try scratch.sh("pipe consume -n 1").expect("2\n")
    try scratch.store("501")
    try scratch.pipe("enqueue", "--raw", input: "0\n").expect(nil, errors: nil, status: 75)
  }

  @Test("if the early name is lost, fsck finds them and repairs it")
  func repaired() throws {
    try change("--delay 1h", chosen)
    try scratch.sh("rm $PIPE_QUEUE/now/early.*; pipe fsck").expect(
      "now/: the early name is missing: cancelled or delayed, and ready again: 20 items of MEDIUM\n",
      errors: nil, status: 1)
    try scratch.sh("pipe fsck --repair").expect(nil, errors: nil, status: 1)
    try scratch.sh("pipe fsck; pipe consume | wc -l").expect("480\n")
  }

  @Test("many adjacent entries share a name, and need no newer format")
  func adjacent() throws {
    try change("--delay 1h", Array(ids[100..<300]))
    #expect(try names("again") == 1)
    try scratch.sh("head -1 $PIPE_QUEUE/format; pipe list --state later | wc -l")
      .expect("pipe-queue 3\n200\n")
  }
}
