import Foundation
import TestSupport
import Testing

/// The N of FLEET_SEEDS=N.
private let seeds =
  ProcessInfo.processInfo.environment["FLEET_SEEDS"].flatMap { UInt64($0) } ?? 8

@Suite("The two engines", .needsFleet)
struct FleetDifferenceTests {
  private let fleet: Fleet

  init() throws { fleet = try Fleet() }

  /// A state of all items, as `list` and `dead` show it, without times.
  private func state(_ queue: String) throws -> String {
    let list =
      "pipe list -q \(queue) --state ready --state claimed --state later --state dead --state done"
    return try fleet.scratch.sh(
      "\(list) | jq -c '[.priority, .state, .data, .ids]'; pipe dead -q \(queue) | jq -c '[.item, .data, .reason]'"
    ).expect(nil, errors: nil).output
  }

  @Test(
    "random steps have the same outcome in a directory and in PostgreSQL", arguments: 1...seeds)
  func random(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let queues = ["local", "'\(fleet.address)'"]
    let retries = Int.random(in: 0...2, using: &random)
    for queue in queues {
      try fleet.scratch.sh("pipe init -q \(queue) --backoff 0s..0s --retries \(retries)").expect(
        nil, errors: nil)
    }
    for step in 0..<25 {
      let command = self.command(step, &random)
      let runs = try queues.map { queue in
        try fleet.scratch.sh(command.replacing("QUEUE", with: queue))
      }
      #expect(runs[0].output == runs[1].output, "step \(step) of seed \(seed): \(command)")
      #expect(
        runs[0].ending == runs[1].ending,
        "step \(step) of seed \(seed): \(command)\n\(runs[1].story)")
      let states = try queues.map(state)
      #expect(states[0] == states[1], "after step \(step) of seed \(seed): \(command)")
      if states[0] != states[1] { return }
    }
  }

  /// The ids of one or two entries that wait.
  private func waiting(_ random: inout SplitMix) -> String {
    let place = Int.random(in: 1...5, using: &random)
    return
      "$(pipe list -q QUEUE --state ready --state later | jq -r .id | sed -n '\(place),\(place + 1)p')"
  }

  private func command(_ step: Int, _ random: inout SplitMix) -> String {
    let size = Int.random(in: 1...6, using: &random)
    switch Int.random(in: 0..<11, using: &random) {
    case 0, 1:
      let lines = (0..<Int.random(in: 1...4, using: &random)).map { line in
        let lane = ["HIGH", "MEDIUM", "LOW"].randomElement(using: &random)!
        let ids = (0..<Int.random(in: 1...7, using: &random)).map {
          "\(step * 100 + line * 10 + $0)"
        }
        return Bool.random(using: &random)
          ? #"{"ids":[\#(ids.joined(separator: ","))],"priority":"\#(lane)"}"#
          : #"{"n":\#(step * 10 + line),"priority":"\#(lane)"}"#
      }
      return
        "printf '%s\\n' '\(lines.joined(separator: "' '"))' | pipe enqueue --raw --quiet -q QUEUE"
    case 2: return "pipe consume -q QUEUE -n 2 --size \(size)"
    case 3:
      // Each batch ends in one of these ways, by the sum of its bytes.
      let handler =
        "cat > in; case $(($(cksum < in | cut -d ' ' -f 1) % 4)) in 0|1) cat in;; 2) exit 1;; 3) exit 65;; esac"
      return "pipe consume -q QUEUE -n 3 --size \(size) -- sh -c '\(handler)' 2> errors"
    case 4:
      // Of each batch some items are done, some are retried and some are buried.
      return """
        pipe batch -q QUEUE -n 1 --size \(size) | jq -c '.items |= map(.result = ["ok","retry","bury"][.item % 3])' \
        | tee lines | pipe ack -q QUEUE 2> errors
        """
    case 5: return "pipe retry -q QUEUE --all | jq -c .items"
    case 6:
      return "pipe cancel -q QUEUE \(waiting(&random)) 2> errors; cat errors | wc -l"
    case 7:
      let lane = ["HIGH", "MEDIUM", "LOW"].randomElement(using: &random)!
      return
        "pipe change -q QUEUE --priority \(lane) \(waiting(&random)) 2> errors; cat errors | wc -l"
    case 8:
      // Far away, or at once.
      let due = ["--delay 1h", "--now"].randomElement(using: &random)!
      return "pipe change -q QUEUE \(due) \(waiting(&random)) 2> errors; cat errors | wc -l"
    case 9:
      let lane = ["HIGH", "MEDIUM", "LOW"].randomElement(using: &random)!
      return
        "pipe purge -q QUEUE --yes --priority \(lane) --state later 2> errors; cat errors | wc -l"
    default:
      let line = #"{"n":\#(Int.random(in: 0..<3, using: &random))}"#
      return
        "echo '\(line)' | pipe enqueue --raw -q QUEUE --dedup 1h --delay \(["0s", "1h"].randomElement(using: &random)!) | jq -c .duplicate"
    }
  }
}
