internal import PipeTime

/// The directories for items that must not slow down claims: parked items, which wait for a distant
/// time, and dead letters. Each item or run of items has one file, with its range in the name. The
/// files are in directories by hundreds of item numbers, so that everything about an item is found
/// by its number. Such items are done in now/. For one item, later/ beats dead/, and both beat
/// done.
enum SideKind: String, CaseIterable {
  case later, dead

  /// Item numbers per directory.
  static let width = 100
  /// Item numbers have at most 18 digits.
  static let lastShard = 999_999_999_999_999_999 / width

  func path(_ lane: Lane, _ shard: Int) -> String { "\(rawValue)/\(lane.name)/\(shard)" }
}

/// A name in later/ or dead/:
///
///     later/HIGH/47/HIGH.4711.17.0-4712.17.160.SUM.again.…
///     dead/HIGH/47/4711.17.0-4712.17.160.SUM[.early][.dropped]
///
/// The checksum of a dead letter also covers its lane.
struct SideName: Equatable {
  let range: ItemRange
  /// State of a name in later/; nil for a dead letter.
  var waiting: NowName.State?
  /// A dead letter that `drop` removed; it is kept so that its slice stays failed.
  var isDropped = false
  /// A dead letter of an item that no consumer had reached: it counts also while no name in now/ covers
  /// the item.
  var isEarly = false

  /// Whether the name counts also while no name in now/ covers its items: a consumer passes them over.
  var isPassedOver: Bool { waiting != nil || isEarly }

  /// When the items are ready; nil for a letter.
  var due: ReadyTime? { if case .again(_, _, let due) = waiting { due } else { nil } }

  func isOver(at now: Instant) -> Bool { due.map { $0.isOver(at: now) } ?? false }

  var kind: SideKind { waiting == nil ? .dead : .later }
  var shard: Int { range.from.number / SideKind.width }

  var text: String {
    if let waiting { return NowName(range, waiting).text }
    return String(name: {
      $0.append(range)
      $0.appendChecksum()
      if isEarly { $0.append(".early") }
      if isDropped { $0.append(".dropped") }
      $0.fillChecksum(after: range.lane.spelling)
    })
  }

  /// `older`: also accepts names of format 2, which have no checksum.
  static func parse(
    _ text: UnsafeRawBufferPointer, _ kind: SideKind, _ lane: Lane, older: Bool = false
  ) -> SideName? {
    if kind == .later {
      guard let name = NowName(text, older: older), name.isAgain, name.range.lane == lane else {
        return nil
      }
      return SideName(range: name.range, waiting: name.state)
    }
    var pieces = FieldSplitter(text)
    guard let from = Position(&pieces, endingBefore: dash),
      let to = Position(&pieces, endingBefore: dot),
      from < to
    else { return nil }
    var name = SideName(range: ItemRange(lane: lane, from: from, to: to))
    let places = cut(text, 0, text.count - (pieces.remainder.map { $0.count + 1 } ?? 0))
    var tail = pieces
    guard let digits = tail.next(before: dot), let sum = NameChecksum(digits: digits) else {
      return older && name.read(end: pieces.remainder) ? name : nil
    }
    let behind = tail.remainder.map { cut(text, text.count - $0.count - 1, text.count) }
    let expected = lane.withName { NameChecksum($0, places, behind ?? cut(text, 0, 0)) }
    return sum == expected && name.read(end: tail.remainder) ? name : nil
  }

  // Reads the part of a dead letter's name after its positions and checksum.
  private mutating func read(end: UnsafeRawBufferPointer?) -> Bool {
    guard let end else { return true }
    var pieces = FieldSplitter(end)
    while let piece = pieces.next(before: dot) {
      if piece.elementsEqual("early".utf8), !isEarly, !isDropped {
        isEarly = true
      } else if piece.elementsEqual("dropped".utf8), !isDropped {
        isDropped = true
      } else {
        return false
      }
    }
    return true
  }
}
