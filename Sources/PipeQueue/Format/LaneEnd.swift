internal import PipeIO

/// The end of a lane: up to here everything is on disk. Kept as a name in end/:
/// `HIGH.<items>.<entries>.<segment>.<offset>.<time>.<seal>.<checksum>`.
package struct LaneEnd: Equatable, Comparable {
  package let lane: Lane
  /// Place behind the last item.
  package var place: Position
  /// Entries that the lane ever took.
  package var entries: Int
  /// Accepted-time of the last of them, microseconds since the epoch.
  package var time: Int64
  /// The birthmark of the directory that it was written in. In a copy of a queue it is of another one: then
  /// the parts of the copy may be of different times, and the end is checked before anything is stored.
  var seal: UInt32

  static func first(of lane: Lane, seal: UInt32) -> LaneEnd {
    LaneEnd(lane: lane, place: .origin, entries: 0, time: 0, seal: seal)
  }

  var text: String {
    String(name: {
      $0.append(lane.spelling)
      for number in [place.number, entries, place.segment, place.offset, Int(time)] {
        $0.append(dot)
        $0.append(number)
      }
      $0.append(dot)
      $0.append(hex: seal)
      $0.appendChecksum()
      $0.fillChecksum()
    })
  }

  /// By place on disk: a new segment is further, though it may hold no item yet.
  package static func < (one: LaneEnd, other: LaneEnd) -> Bool {
    (one.place.segment, one.place.offset, one.place.number)
      < (other.place.segment, other.place.offset, other.place.number)
  }
}

extension LaneEnd {
  /// `older`: the names of formats 1 and 2 count too, which have neither seal nor checksum; then the seal
  /// is 0.
  init?(_ text: UnsafeRawBufferPointer, older: Bool = false) {
    var pieces = FieldSplitter(text)
    guard let lane = pieces.next(before: dot).flatMap(Lane.init(name:)),
      let number = pieces.number(before: dot), let entries = pieces.number(before: dot),
      let segment = pieces.number(before: dot), let offset = pieces.number(before: dot),
      let time = pieces.number(before: dot)
    else { return nil }
    self.init(
      lane: lane, place: Position(number: number, segment: segment, offset: offset),
      entries: entries,
      time: Int64(time), seal: 0)
    if older, pieces.isAtEnd { return }
    guard let seal = pieces.next(before: dot), seal.count == 8, let value = hex(seal) else {
      return nil
    }
    self.seal = value
    guard NameChecksum.ends(text, &pieces) else { return nil }
  }
}

package typealias LaneEnds = PerLane<LaneEnd>
