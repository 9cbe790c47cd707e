package import PipeTime

/// An entry to store; `WriteBatch.append` gets its data.
package struct NewEntry {
  package var id: EntryID
  package var priority: Lane
  /// Number of ids and items per slice of an id request; nil for a record.
  package var ids: (count: Int, slice: Int)?
  /// When the entry was first seen; nil if that is now.
  package var created: Instant?
  /// The OPTIONS column, a JSON object without spaces; nil if there are no options.
  package var options: [UInt8]?
  /// Whether to store the entry even if an equal one was stored, whatever the appender's window.
  package var mayRepeat = false

  package init(
    id: EntryID, priority: Lane, ids: (count: Int, slice: Int)? = nil, created: Instant? = nil,
    options: [UInt8]? = nil
  ) {
    self.id = id
    self.priority = priority
    self.ids = ids
    self.created = created
    self.options = options
  }
}

package struct Receipt: Equatable {
  package var id: EntryID
  package var isDuplicate = false
}

/// The lines of one commit, appended together. The columns that depend on position and time are
/// filled in last.
package struct WriteBatch {
  struct Line {
    let start: Int
    let items: Int
    let receipt: Int
    let id: EntryID
    let mayRepeat: Bool
  }

  struct LaneLines {
    var text: [UInt8] = []
    var lines: [Line] = []
    var isAscending = true

    var items: Int { lines.reduce(0) { $0 + $1.items } }

    func end(of index: Int) -> Int {
      index + 1 < lines.count ? lines[index + 1].start : text.count
    }

    /// Adds to the options of each line when it was accepted.
    fileprivate mutating func note(accepted now: Instant) {
      var noted = LaneLines(isAscending: isAscending)
      noted.text.reserveCapacity(text.count + 32 * lines.count)
      for (index, line) in lines.enumerated() {
        let start = noted.text.count
        let columns = text[line.start..<end(of: index)]
          .split(separator: space, maxSplits: 7, omittingEmptySubsequences: false)
        let options = columns[6]
        noted.text += text[line.start..<options.startIndex]
        noted.text += LineOptions.column(options, accepted: now)
        noted.text += text[options.endIndex..<end(of: index)]
        noted.lines.append(
          Line(
            start: start, items: line.items, receipt: line.receipt, id: line.id,
            mayRepeat: line.mayRepeat))
      }
      self = noted
    }

    /// Keeps the lines of some receipts, and counts their receipts from `first`.
    mutating func keep(from first: Int = 0, where isKept: (Int) -> Bool) {
      var kept = LaneLines(isAscending: isAscending)
      for (index, line) in lines.enumerated() where isKept(line.receipt) {
        let start = kept.text.count
        kept.text += text[line.start..<end(of: index)]
        kept.lines.append(
          Line(
            start: start, items: line.items, receipt: line.receipt - first, id: line.id,
            mayRepeat: line.mayRepeat))
      }
      self = kept
    }
  }

  private(set) var lanes = PerLane.repeating(LaneLines())
  /// In the order of `append`.
  package private(set) var receipts: [Receipt] = []
  package private(set) var byteCount = 0
  /// Whether ids came from outside, so that the queue may already have them.
  package var hasForeignIDs = false
  private(set) var isAscending = true
  private var lastCreated = CreatedColumn()

  package init() {}

  package var isEmpty: Bool { receipts.isEmpty }

  /// `data` is one line: the value of a record, or the compact list of ids.
  package mutating func append(_ entry: NewEntry, data: UnsafeRawBufferPointer) {
    let lane = entry.priority
    let start = lanes[lane].text.count
    let last = lanes[lane].lines.last?.id
    lanes[lane].isAscending = lanes[lane].isAscending && last.map { $0 < entry.id } ?? true
    isAscending = isAscending && receipts.last.map { $0.id < entry.id } ?? true
    lanes[lane].lines.append(
      Line(
        start: start, items: entry.ids?.count ?? 1, receipt: receipts.count, id: entry.id,
        mayRepeat: entry.mayRepeat))
    receipts.append(Receipt(id: entry.id))
    lastCreated.time = entry.created
    WriteBatch.appendLine(entry, lastCreated.digits, data, to: &lanes[lane].text)
    byteCount += lanes[lane].text.count - start
  }

  /// A column that lines read together have in common.
  private struct CreatedColumn {
    private(set) var digits: [UInt8] = []

    var time: Instant? {
      didSet {
        if time == oldValue { return }
        digits.removeAll(keepingCapacity: true)
        if let time { appendDecimal(Int(time.microseconds), to: &digits) }
      }
    }
  }

  /// The columns of a record that has neither CREATED nor OPTIONS.
  private static let blank: StaticString =
    "00000000 0000000000000000 000000000000000 00000000000000000000000000 1 - - "

  private static func appendLine(
    _ entry: NewEntry, _ created: [UInt8], _ data: UnsafeRawBufferPointer, to text: inout [UInt8]
  ) {
    let start = text.count
    let isBare = entry.ids == nil && created.isEmpty && entry.options == nil
    let count = isBare ? blank.utf8CodeUnitCount : SegmentLine.itemsStart
    text.append(contentsOf: UnsafeBufferPointer(start: blank.utf8Start, count: count))
    text.withUnsafeMutableBufferPointer {
      entry.id.write(to: $0.baseAddress! + start + SegmentLine.idStart)
    }
    if !isBare { appendColumns(entry, created, to: &text) }
    text.append(contentsOf: data)
    text.append(newline)
  }

  /// From ITEMS on.
  private static func appendColumns(
    _ entry: NewEntry, _ created: [UInt8], to text: inout [UInt8]
  ) {
    appendDecimal(entry.ids?.count ?? 1, to: &text)
    if let ids = entry.ids {
      text.append(0x2f)
      appendDecimal(ids.slice, to: &text)
    }
    text.append(space)
    if created.isEmpty { text.append(dash) } else { text += created }
    text.append(space)
    if let options = entry.options { text += options } else { text.append(dash) }
    text.append(space)
  }

  /// Adds to each line's options when it was accepted, because its TIME runs ahead of the clock.
  mutating func note(accepted now: Instant) {
    for lane in Lane.allCases where !lanes[lane].lines.isEmpty { lanes[lane].note(accepted: now) }
    byteCount = lanes.reduce(0) { $0 + $1.text.count }
  }

  /// Fills in TIME, numbers and checksums of the lines of one lane, at this position.
  mutating func seal(_ lane: Lane, at position: Position, time: Instant) {
    let lines = lanes[lane].lines
    lanes[lane].text.withUnsafeMutableBufferPointer { text in
      let base = text.baseAddress!
      var number = position.number
      var stamp = [UInt8](repeating: 0, count: SegmentLine.timeWidth)
      stamp.withUnsafeMutableBufferPointer {
        write(Int(time.microseconds), width: SegmentLine.timeWidth, to: $0.baseAddress!)
      }
      for (index, line) in lines.enumerated() {
        let start = base + line.start
        let end = index + 1 < lines.count ? lines[index + 1].start : text.count
        (start + SegmentLine.timeStart).update(from: stamp, count: SegmentLine.timeWidth)
        write(number, width: SegmentLine.numberWidth, to: start + SegmentLine.numberStart)
        number += line.items
        let bytes = UnsafeRawBufferPointer(start: start, count: end - line.start - 1)
        let sum = SegmentLine.checksum(bytes, lane, position.segment, position.offset + line.start)
        writeHex(sum, to: start)
      }
    }
  }

  /// Drops the entries of these receipts: they are duplicates, and the earlier entries have the
  /// same ids.
  mutating func drop(_ duplicates: Set<Int>) {
    for index in duplicates { receipts[index].isDuplicate = true }
    for lane in Lane.allCases
    where lanes[lane].lines.contains(where: { duplicates.contains($0.receipt) }) {
      lanes[lane].keep { !duplicates.contains($0) }
    }
  }

  /// Drops duplicates of earlier entries that have other ids, given by receipt. Every receipt with
  /// the id of a dropped entry gets the id of the earlier one.
  mutating func answer(_ answers: [Int: EntryID]) {
    var renamed: [EntryID: EntryID] = [:]
    for (index, id) in answers { renamed[receipts[index].id] = id }
    for index in receipts.indices {
      if let id = renamed[receipts[index].id] { receipts[index].id = id }
    }
    isAscending = false
    drop(Set(answers.keys))
  }

  /// Removes the first `count` entries and returns them as a write batch.
  package mutating func removeFirst(_ count: Int) -> WriteBatch {
    var first = self
    first.keep(0..<count)
    keep(count..<receipts.count)
    return first
  }

  private mutating func keep(_ range: Range<Int>) {
    receipts = Array(receipts[range])
    for lane in Lane.allCases { lanes[lane].keep(from: range.lowerBound, where: range.contains) }
    byteCount = lanes.reduce(0) { $0 + $1.text.count }
  }

  package mutating func removeAll() {
    for lane in Lane.allCases {
      lanes[lane].text.removeAll(keepingCapacity: true)
      lanes[lane].lines.removeAll(keepingCapacity: true)
      lanes[lane].isAscending = true
    }
    receipts.removeAll(keepingCapacity: true)
    byteCount = 0
    isAscending = true
  }
}

extension WriteBatch {
  subscript(lane: Lane) -> LaneLines { lanes[lane] }
}
