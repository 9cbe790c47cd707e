internal import PipeIO
package import PipeTime

// What an engine that keeps its queue elsewhere shares with the directory's: claims as values, and the rules by
// which outcomes become the next states of items.

extension Claim {
  /// An item as such an engine hands it out.
  package struct Row {
    let entry: EntryID
    let index: Int
    let lane: Lane
    let number: Int
    let attempt: Int
    let isJob: Bool
    let accepted: Instant
    let data: [UInt8]

    /// `number`: counts the items of the lane. `index`: counts from 1 within the entry.
    package init(
      entry: EntryID, index: Int, lane: Lane, number: Int, attempt: Int, isJob: Bool,
      accepted: Instant, data: [UInt8]
    ) {
      self.entry = entry
      self.index = index
      self.lane = lane
      self.number = number
      self.attempt = attempt
      self.isJob = isJob
      self.accepted = accepted
      self.data = data
    }

    fileprivate func continues(_ other: Row) -> Bool {
      lane == other.lane && number == other.number + 1 && attempt == other.attempt
    }
  }

  /// `rows`: in the order in which they are handed out; at least one. `owner`: the number under which this
  /// process holds them.
  package init(_ batch: BatchID, _ rows: [Row], owner: Int) {
    var items: [Item] = []
    var bytes: [UInt8] = []
    var parts: [Part] = []
    var acceptances: [AcceptedItems] = []
    var start = 0
    for (index, row) in rows.enumerated() {
      let from = bytes.count
      bytes += row.data
      items.append(
        Item(
          entry: row.entry, index: row.index, priority: row.lane, isJob: row.isJob,
          data: from..<bytes.count))
      bytes.append(newline)
      acceptances.note(row.accepted)
      guard index + 1 == rows.count || !rows[index + 1].continues(row) else { continue }
      let places = rows[start...index].map { Claim.place($0.number) }
      let range = ItemRange(lane: row.lane, from: places[0], to: Claim.place(row.number + 1))
      let name = NowName(range, .claim(batch: batch, attempt: row.attempt, owner: owner))
      parts.append(Part(name: name, items: start..<(index + 1), places: places))
      start = index + 1
    }
    self.init(
      batch: batch, attempt: rows.map(\.attempt).max() ?? 1, items: items, bytes: bytes,
      parts: parts,
      acceptances: acceptances)
  }

  static func place(_ number: Int) -> Position {
    Position(number: number, segment: Segment.first, offset: 0)
  }

  /// A range of a claim whose items get the same state.
  package struct Piece {
    package enum Fate { case done, ready, again, moved, dead }

    package let lane: Lane
    package let numbers: Range<Int>
    package let fate: Fate
    package let failure: Failure?
  }

  /// The pieces in which the items with an outcome are settled.
  package func pieces(retries: Int, _ outcome: (Int) -> Outcome?) -> [Piece] {
    let plan = SettlingPlan(self, retries, outcome)
    let burials = Dictionary(uniqueKeysWithValues: plan.burials.map { ($0.item, $0.failure) })
    var failures: [Int: Failure] = [:]
    for failed in plan.failures { for item in failed.items { failures[item] = failed.failure } }
    var pieces: [Piece] = []
    for (index, part) in parts.enumerated() {
      for (place, fate) in zip(part.items, plan.fates[index]) {
        let burial = burials[place]
        guard let fate = burial != nil ? .dead : Piece.Fate(fate) else { continue }
        let failure = burial ?? failures[place]
        let number = part.places[place - part.items.lowerBound].number
        pieces.add(part.name.range.lane, number, fate, failure)
      }
    }
    return pieces
  }

  /// A claim of the items without an outcome; nil if there are none.
  package consuming func without(_ settled: [Piece]) -> Claim? {
    var numbers = PerLane<Set<Int>>.repeating([])
    for piece in settled { numbers[piece.lane].formUnion(piece.numbers) }
    var kept: [Part] = []
    for part in parts {
      var start: Int?
      for place in part.items.lowerBound...part.items.upperBound {
        let isHeld =
          place < part.items.upperBound
          && !numbers[part.name.range.lane].contains(
            part.places[place - part.items.lowerBound].number)
        if isHeld {
          start = start ?? place
        } else if let first = start {
          let run = first..<place
          var name = part.name
          name.range = part.range(run)
          kept.append(part.cut(to: run, name))
          start = nil
        }
      }
    }
    return kept.isEmpty ? nil : reduced(to: kept)
  }
}

extension Claim.Piece.Fate {
  fileprivate init?(_ fate: SettlingPlan.Fate) {
    switch fate {
    case .done, .lost: self = .done
    case .ready, .undelayed: self = .ready
    case .again: self = .again
    case .moved: self = .moved
    case .held: return nil
    }
  }
}

extension [Claim.Piece] {
  fileprivate mutating func add(
    _ lane: Lane, _ number: Int, _ fate: Claim.Piece.Fate, _ failure: Failure?
  ) {
    if let last = last, last.lane == lane, last.numbers.upperBound == number, last.fate == fate,
      last.failure?.reason == failure?.reason, last.failure?.stderr == failure?.stderr
    {
      self[count - 1] = Claim.Piece(
        lane: lane, numbers: last.numbers.lowerBound..<(number + 1), fate: fate, failure: failure)
    } else {
      append(Claim.Piece(lane: lane, numbers: number..<(number + 1), fate: fate, failure: failure))
    }
  }
}

extension WriteBatch {
  /// A line as such an engine stores it.
  package struct ForeignLine {
    package let receipt: Int
    package let lane: Lane
    package let items: Int
    /// Items per slice; nil for a record.
    package let slice: Int?
    package let id: EntryID
    package let created: Instant?
    package let options: [UInt8]?
    package let data: [UInt8]
    /// Whether it may equal an earlier line.
    package let mayRepeat: Bool
  }

  /// The lines, lane by lane in order.
  package var foreignLines: [ForeignLine] {
    var found: [ForeignLine] = []
    for lane in Lane.allCases {
      let lines = lanes[lane]
      lines.text.withUnsafeBytes { text in
        for (index, line) in lines.lines.enumerated() {
          // The columns that depend on the place are not filled in.
          guard let parsed = SegmentLine(cut(text, line.start, lines.end(of: index) - 1)) else {
            continue
          }
          found.append(
            ForeignLine(
              receipt: line.receipt, lane: lane, items: parsed.items,
              slice: parsed.isRecord ? nil : parsed.slice, id: line.id, created: parsed.created,
              options: parsed.options.map(Array.init), data: Array(parsed.data),
              mayRepeat: line.mayRepeat))
        }
      }
    }
    return found
  }

  /// Marks entries as duplicates, by receipt: of stored entries with the same ids, or of equal entries, whose ids
  /// are the answers.
  package mutating func markDuplicates(_ known: Set<Int>, answers: [Int: EntryID]) {
    drop(known)
    if !answers.isEmpty { answer(answers) }
  }
}

extension EntryID {
  /// The 16 bytes as PostgreSQL writes a UUID.
  package var uuid: String { ulid.uuid }

  package init?(uuid: String) {
    guard let ulid = ULID(uuid: uuid) else { return nil }
    self.init(ulid)
  }
}

extension BatchID {
  package var uuid: String { ulid.uuid }

  package init?(uuid: String) {
    guard let ulid = ULID(uuid: uuid) else { return nil }
    self.init(ulid)
  }
}

extension ULID {
  /// `01234567-89ab-cdef-0123-456789abcdef`.
  var uuid: String {
    let digits = [high, low].map { half in
      let text = String(half, radix: 16)
      return String(repeating: "0", count: 16 - text.count) + text
    }.joined()
    var text = ""
    for (index, digit) in digits.enumerated() {
      if [8, 12, 16, 20].contains(index) { text.append("-") }
      text.append(digit)
    }
    return text
  }

  init?(uuid: String) {
    let digits = uuid.filter { $0 != "-" }
    guard digits.count == 32, let high = UInt64(digits.prefix(16), radix: 16),
      let low = UInt64(digits.dropFirst(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }
}

// What an engine that keeps its queue elsewhere stores as text and bytes in the forms of the directory: statistics,
// kept outputs, and the waiting items that a person names.

extension Claim {
  /// The line of statistics for the whole claim, done.
  package func settledLine(tag: String?, at now: Instant) -> String {
    settled(.done, [0..<items.count], at: now, tag).text
  }

  /// The lines for the items with an outcome.
  package func settledLines(
    retries: Int, tag: String?, at now: Instant, _ outcome: (Int) -> Outcome?
  ) -> [String] {
    settled(SettlingPlan(self, retries, outcome), at: now, tag).filter { $0.items > 0 }.map(\.text)
  }

  /// An output of items with adjacent numbers.
  package struct OutputPiece {
    package let lane: Lane
    package let numbers: Range<Int>
    /// As in a file of output/.
    package let record: [UInt8]
  }

  /// `chosen`: indices of items; nil: all.
  package func outputPieces(_ output: AttemptOutput, _ chosen: Set<Int>?) -> [OutputPiece] {
    var pieces: [OutputPiece] = []
    for part in parts {
      let numbers = part.places.enumerated().filter { index, _ in
        chosen?.contains(part.items.lowerBound + index) ?? true
      }.map(\.element.number)
      var start = 0
      for index in numbers.indices
      where index + 1 == numbers.count || numbers[index + 1] != numbers[index] + 1 {
        let run = numbers[start]..<(numbers[index] + 1)
        let lane = part.name.range.lane
        let record = OutputRecord(numbers: run, output: output).bytes(lane)
        pieces.append(OutputPiece(lane: lane, numbers: run, record: record))
        start = index + 1
      }
    }
    return pieces
  }
}

extension AttemptOutput {
  /// Reads a record; nil: its bytes are not those that were written.
  package static func record(
    _ bytes: [UInt8], _ lane: Lane
  ) -> (numbers: Range<Int>, output: AttemptOutput)? {
    bytes.withUnsafeBytes { bytes in
      guard let record = OutputRecord.Head(bytes)?.record(bytes, lane) else { return nil }
      return (record.numbers, record.output)
    }
  }
}

extension SettledLine {
  fileprivate var text: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes.dropFirst(), as: UTF8.self)
  }
}

/// Lines of statistics, as the files of stats/ have them.
package struct StatsLines {
  private let lines: [String]
  private let now: Instant
  private let retain: TimeSpan

  package init(_ lines: [String], at now: Instant, retain: TimeSpan) {
    (self.lines, self.now, self.retain) = (lines, now, retain)
  }

  /// Calls `body` with everything settled at `from` or later.
  package func recordings(from: Instant, _ body: (Recording) -> Void) {
    var fold = Compaction(at: now, retain: retain)
    forEach { fold.read($0, from: from, body) }
    for line in fold.lines { body(line.recording) }
  }

  /// The same in fewer lines.
  package var compacted: [String] {
    var fold = Compaction(at: now, retain: retain)
    forEach { fold.add($0) }
    return fold.lines.map { line in
      var bytes: [UInt8] = []
      line.append(to: &bytes)
      return String(decoding: bytes.dropLast(), as: UTF8.self)
    }
  }

  private func forEach(_ body: (UnsafeRawBufferPointer) -> Void) {
    for var line in lines { line.withUTF8 { body(UnsafeRawBufferPointer($0)) } }
  }
}

extension WaitingItems {
  package init(
    _ id: EntryID, _ lane: Lane, _ numbers: Range<Int>, isReady: Bool, attempts: Int
  ) {
    let range = ItemRange(
      lane: lane, from: Claim.place(numbers.lowerBound), to: Claim.place(numbers.upperBound))
    self.init(id: id, isReady: isReady, due: nil, attempts: attempts, range: range)
  }

  package var lane: Lane { range.lane }
  /// Of items in the lane.
  package var numbers: Range<Int> { range.numbers }
}
