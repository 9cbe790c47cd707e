internal import PipeText

/// What has happened, and which promises were broken.
package struct Tally {
  package internal(set) var lives = 0
  package internal(set) var powerCuts = 0
  /// Lives that ended with a kill of all programs, without a power cut.
  package internal(set) var crashes = 0
  package internal(set) var kills = 0
  package internal(set) var stops = 0
  package internal(set) var failures = 0
  package internal(set) var shortWrites = 0
  /// Lives on a disk with less than 1 MiB left.
  package internal(set) var smallDisks = 0
  /// Calls that may change or flush a file of the queues.
  package internal(set) var calls = 0
  package internal(set) var accepted = 0
  package internal(set) var delivered = 0
  /// Deliveries of items that were delivered before, but not settled.
  package internal(set) var again = 0
  package internal(set) var lost: [Int] = []
  package internal(set) var torn: [String] = []
  package internal(set) var doubled: [Int] = []
  /// Other broken promises, one line each.
  package internal(set) var breaches: [String] = []

  mutating func take(_ oracle: Oracle) {
    (accepted, delivered, again) = (oracle.accepted, oracle.delivered, oracle.again)
    (lost, torn, doubled) = (oracle.lost, oracle.torn, oracle.doubled)
  }

  mutating func breach(_ text: String) { breaches.append(text) }

  package var hasBrokenPromise: Bool {
    !(lost.isEmpty && torn.isEmpty && doubled.isEmpty && breaches.isEmpty)
  }
  /// False also if nothing was accepted, so that nothing was tested.
  package var provesPromises: Bool { !hasBrokenPromise && accepted > 0 }
}

/// The verdict of a torture, as text and as JSON.
package struct VerdictText {
  private let tally: Tally
  private let seed: UInt64

  package init(_ tally: Tally, seed: UInt64) { (self.tally, self.seed) = (tally, seed) }

  private var rows: [(name: String, count: Int, meaning: String)] {
    [
      ("lives", tally.lives, "simulated lives of a machine"),
      ("power cuts", tally.powerCuts, "unflushed writes and names lost, torn or kept at random"),
      ("crashes", tally.crashes, "all programs killed at once"),
      ("kills", tally.kills, "kill -9 of one process, before or after a call"),
      ("stops", tally.stops, "SIGSTOP or SIGTERM of one process"),
      ("failed calls", tally.failures, "EIO, ENOSPC, EDQUOT, ENFILE"),
      ("short writes", tally.shortWrites, "writes that took only part of their bytes"),
      ("small disks", tally.smallDisks, "lives with less than 1 MiB left"),
      ("calls", tally.calls, "that may change or flush a file"),
      ("accepted", tally.accepted, "items with a receipt"),
      ("delivered", tally.delivered, "accepted items that were delivered"),
      ("again", tally.again, "delivered before, but not settled, as after a kill"),
      ("lost", tally.lost.count, "accepted and never delivered"),
      ("torn", tally.torn.count, "delivered with other bytes"),
      ("doubled", tally.doubled.count, "delivered again after they were settled"),
      ("other", tally.breaches.count, "unexpected exits, hangs, findings of fsck"),
    ]
  }

  /// A table, and the verdict in its last line.
  package var text: String {
    var text = ""
    for row in rows {
      text += row.name.left(14) + whole(row.count).right(12) + "  " + row.meaning + "\n"
    }
    for breach in tally.breaches.prefix(10) { text += "  " + breach + "\n" }
    for line in tally.torn.prefix(3) { text += "  torn: " + line + "\n" }
    for number in tally.lost.prefix(10) { text += "  lost: item \(number)\n" }
    for number in tally.doubled.prefix(10) { text += "  doubled: item \(number)\n" }
    let verdict =
      tally.provesPromises
      ? "every promise was kept"
      : tally.hasBrokenPromise
        ? "promises were broken" : "nothing was accepted, so nothing was tested"
    return text + "seed \(seed): \(verdict)\n"
  }

  /// `{"seed":7,"lives":40,…,"lost":0,…,"kept":true}`
  package var json: String {
    let members = rows.map { row in
      "\"\(row.name.split(separator: " ").joined(separator: "_"))\":\(row.count)"
    }
    return "{\"seed\":\(seed),\(members.joined(separator: ",")),\"kept\":\(tally.provesPromises)}\n"
  }
}
