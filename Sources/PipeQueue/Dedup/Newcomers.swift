/// The lines of a draft, in the order in which they came, with what they are looked up by.
struct Newcomers {
  struct Line {
    let lane: Priority
    let index: Int
    let receipt: Int
    let print: Fingerprint
    let mayRepeat: Bool
  }

  private(set) var lines: [Line] = []
  /// Those that may not repeat an earlier one, by their wanted hashes; of equal ones the earlier first.
  let order: [Int]

  init(_ draft: Draft, _ hash: SeededHash) {
    for lane in Priority.allCases {
      for (index, line) in draft[lane].lines.enumerated() {
        let print = draft.withLine(lane, index) { Fingerprint($0, lane, hash) }
        lines.append(
          Line(
            lane: lane, index: index, receipt: line.receipt, print: print,
            mayRepeat: line.mayRepeat))
      }
    }
    lines.sort { $0.receipt < $1.receipt }
    let lines = lines
    order = lines.indices.filter { !lines[$0].mayRepeat }.sorted {
      let (one, other) = (lines[$0].print.wanted, lines[$1].print.wanted)
      return one != other ? one < other : $0 < $1
    }
  }

  var hashes: [UInt64] { order.map { lines[$0].print.wanted } }

  /// Of a line that was not left out.
  func print(ofReceipt receipt: Int) -> Fingerprint {
    var (low, high) = (0, lines.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if lines[middle].receipt < receipt { low = middle + 1 } else { high = middle }
    }
    return lines[low].print
  }

  /// Answers to lines that repeat one of the same draft, added to those that were found in the queue.
  func repeats(in draft: Draft, _ answers: inout [Int: EntryID]) {
    guard lines.count > 1 else { return }
    var known = Chains(lines.count)
    for (position, line) in lines.enumerated() where answers[line.receipt] == nil {
      var earlier = line.mayRepeat ? nil : known.last(line.print.wanted)
      while let found = earlier, !isRepeat(position, found.line, draft) {
        earlier = known.before(found)
      }
      if let earlier {
        answers[line.receipt] = draft.receipts[lines[earlier.line].receipt].id
        continue
      }
      known.add(line.print.content, position)
      if let key = line.print.key { known.add(key, position) }
    }
  }

  private func isRepeat(_ one: Int, _ other: Int, _ draft: Draft) -> Bool {
    let (line, earlier) = (lines[one], lines[other])
    return draft.withLine(line.lane, line.index) { new in
      draft.withLine(earlier.lane, earlier.index) { new.repeats($0, line.lane, earlier.lane) }
    }
  }
}

/// Lines by hash, the latest first; many have one, as contents do that came under different keys.
private struct Chains {
  struct Link {
    let line: Int
    let before: Int
  }

  private var links: [Link] = []
  private var latest: [UInt64: Int] = [:]

  init(_ count: Int) { latest.reserveCapacity(count) }

  func last(_ hash: UInt64) -> Link? { latest[hash].map { links[$0] } }

  func before(_ link: Link) -> Link? { link.before < 0 ? nil : links[link.before] }

  mutating func add(_ hash: UInt64, _ line: Int) {
    links.append(Link(line: line, before: latest[hash] ?? -1))
    latest[hash] = links.count - 1
  }
}

extension Draft {
  /// The columns that place and instant decide are blank yet.
  func withLine<Result>(_ lane: Priority, _ index: Int, _ body: (SegmentLine) -> Result) -> Result {
    let (start, end) = (self[lane].lines[index].start, self[lane].end(of: index))
    return lanes[Int(lane.rawValue)].text.withUnsafeBytes { text in
      // Its own writer made it.
      body(SegmentLine(cut(text, start, end - 1))!)
    }
  }
}
