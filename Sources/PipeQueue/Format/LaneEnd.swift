internal import PipeIO
internal import PipeTime

/// The end of a lane, up to which everything is on disk. It is a name in end/:
/// `HIGH.<items>.<entries>.<segment>.<offset>.<time>.<seal>.<checksum>`.
struct LaneEnd: Equatable, Comparable {
  let lane: Lane
  /// Position after the last item.
  var position: Position
  /// Number of entries that the lane ever took.
  var entries: Int
  /// TIME of the last line.
  var time: Instant
  /// Birthmark of the directory in which this end was written. In a copied queue it belongs to
  /// another directory: the parts of the copy may be from different times, so the end is checked
  /// before anything is stored.
  var seal: UInt32

  static func first(of lane: Lane, seal: UInt32) -> LaneEnd {
    LaneEnd(lane: lane, position: .origin, entries: 0, time: .epoch, seal: seal)
  }

  var text: String {
    String(name: {
      $0.append(lane.spelling)
      $0.append(field: position.number)
      $0.append(field: entries)
      $0.append(field: position.segment)
      $0.append(field: position.offset)
      $0.append(field: Int(time.microseconds))
      $0.append(dot)
      $0.append(hex: seal)
      $0.appendChecksum()
      $0.fillChecksum()
    })
  }

  /// By segment and byte: a new segment is further, even if it holds no item yet.
  static func < (one: LaneEnd, other: LaneEnd) -> Bool {
    (one.position.segment, one.position.offset, one.position.number)
      < (other.position.segment, other.position.offset, other.position.number)
  }
}

extension LaneEnd {
  /// `older`: also accepts names of formats 1 and 2, which have neither seal nor checksum; the seal
  /// is then 0.
  init?(_ text: UnsafeRawBufferPointer, older: Bool = false) {
    var pieces = FieldSplitter(text)
    guard let lane = pieces.next(before: dot).flatMap(Lane.init(name:)),
      let number = pieces.number(before: dot), let entries = pieces.number(before: dot),
      let segment = pieces.number(before: dot), let offset = pieces.number(before: dot),
      let time = pieces.number(before: dot)
    else { return nil }
    self.init(
      lane: lane, position: Position(number: number, segment: segment, offset: offset),
      entries: entries,
      time: Instant(microseconds: time), seal: 0)
    if older, pieces.isAtEnd { return }
    guard let seal = pieces.next(before: dot), seal.count == 8, let value = hex(seal) else {
      return nil
    }
    self.seal = value
    guard NameChecksum.ends(text, &pieces) else { return nil }
  }
}

/// The end of each lane.
typealias LaneEnds = PerLane<LaneEnd>
