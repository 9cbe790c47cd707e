internal import PipeIO
package import PipeTime

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
