internal import PipeText

/// What has happened, and which promises were broken.
package struct Tally {
  package internal(set) var lives = 0
  package internal(set) var powerCuts = 0
  /// Lives that ended with all processes killed, but power.
  package internal(set) var crashes = 0
  package internal(set) var kills = 0
  package internal(set) var stops = 0
  package internal(set) var failures = 0
  package internal(set) var shortWrites = 0
  package internal(set) var fullDisks = 0
  /// Calls that changed or flushed something.
  package internal(set) var calls = 0
  package internal(set) var accepted = 0
  package internal(set) var delivered = 0
  /// Deliveries again of items whose consumer had been killed or had not ended well.
  package internal(set) var again = 0
  package internal(set) var lost: [Int] = []
  package internal(set) var torn: [String] = []
  package internal(set) var doubled: [Int] = []
  /// Other broken promises, one line each.
  package internal(set) var breaches: [String] = []

  mutating func breach(_ text: String) { breaches.append(text) }

  package var isBroken: Bool {
    !(lost.isEmpty && torn.isEmpty && doubled.isEmpty && breaches.isEmpty)
  }
  /// False also if nothing was accepted, so that nothing was tested.
  package var isKept: Bool { !isBroken && accepted > 0 }
}

/// The verdict of a torture, as text and as JSON.
package struct VerdictText {
  private let tally: Tally
  private let seed: UInt64

  package init(_ tally: Tally, seed: UInt64) { (self.tally, self.seed) = (tally, seed) }

  private var rows: [(name: String, count: Int, meaning: String)] {
    [
      ("lives", tally.lives, "of the machine"),
      ("power cuts", tally.powerCuts, "unflushed writes and names lost, torn or kept at random"),
      ("crashes", tally.crashes, "all processes killed at once"),
      ("kills", tally.kills, "kill -9 of one process, before or after a call"),
      ("stops", tally.stops, "SIGSTOP or SIGTERM of one process"),
      ("failed calls", tally.failures, "EIO, ENOSPC, EDQUOT, ENFILE"),
      ("short writes", tally.shortWrites, ""),
      ("full disks", tally.fullDisks, ""),
      ("calls", tally.calls, "that changed or flushed something"),
      ("accepted", tally.accepted, "items with a receipt"),
      ("delivered", tally.delivered, "of them"),
      ("again", tally.again, "delivered again before they were settled, as after a kill"),
      ("lost", tally.lost.count, "accepted and never delivered"),
      ("torn", tally.torn.count, "delivered with other bytes"),
      ("doubled", tally.doubled.count, "delivered again after they were settled"),
      ("other", tally.breaches.count, "crashes of pipe, hangs, findings of fsck"),
    ]
  }

  /// A table, and the verdict in its last line.
  package var text: String {
    var text = ""
    for row in rows {
      let line = row.name.left(14) + whole(row.count).right(12) + "  " + row.meaning
      text += line.prefix(while: { _ in true }).trimmedAtEnd + "\n"
    }
    for breach in tally.breaches.prefix(10) { text += "  " + breach + "\n" }
    for line in tally.torn.prefix(3) { text += "  torn: " + line + "\n" }
    for number in tally.lost.prefix(10) { text += "  lost: item \(number)\n" }
    for number in tally.doubled.prefix(10) { text += "  doubled: item \(number)\n" }
    let verdict =
      tally.isKept
      ? "every promise was kept"
      : tally.isBroken ? "promises were broken" : "nothing was accepted, so nothing was tested"
    return text + "seed \(seed): \(verdict)\n"
  }

  /// `{"seed":7,"lives":40,…,"lost":0,…,"kept":true}`
  package var json: String {
    let members = rows.map { row in
      "\"\(row.name.split(separator: " ").joined(separator: "_"))\":\(row.count)"
    }
    return "{\"seed\":\(seed),\(members.joined(separator: ",")),\"kept\":\(tally.isKept)}\n"
  }
}

extension Substring {
  fileprivate var trimmedAtEnd: Substring {
    self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)]
  }
}
