internal import PipeIO

/// The end of a lane: up to here everything is on disk. Kept as a name in end/:
/// `HIGH.<items>.<entries>.<segment>.<offset>.<time>`.
package struct EndMark: Equatable, Comparable {
  package let lane: Priority
  /// Place behind the last item.
  package var place: Place
  /// Entries that the lane ever took.
  package var entries: Int
  /// Accepted-time of the last of them, microseconds since the epoch.
  package var time: Int64

  static func first(of lane: Priority) -> EndMark {
    EndMark(lane: lane, place: .origin, entries: 0, time: 0)
  }

  // Before any that there can be.
  fileprivate static func missing(_ lane: Priority) -> EndMark {
    EndMark(lane: lane, place: Place(number: 0, segment: 0, offset: 0), entries: 0, time: 0)
  }

  var text: String {
    "\(lane.name).\(place.number).\(entries).\(place.segment).\(place.offset).\(time)"
  }

  /// By place on disk: a new segment is further, though it may hold no item yet.
  package static func < (one: EndMark, other: EndMark) -> Bool {
    (one.place.segment, one.place.offset) < (other.place.segment, other.place.offset)
  }
}

extension EndMark {
  init?(_ text: UnsafeRawBufferPointer) {
    var pieces = Pieces(text)
    guard let lane = pieces.next(before: dot).flatMap(Priority.init(name:)),
      let number = pieces.number(before: dot), let entries = pieces.number(before: dot),
      let segment = pieces.number(before: dot), let offset = pieces.number(before: dot),
      let time = pieces.number(before: dot), pieces.isAtEnd
    else { return nil }
    self.init(
      lane: lane, place: Place(number: number, segment: segment, offset: offset), entries: entries,
      time: Int64(time))
  }
}

/// One end a lane.
package struct Ends {
  private var marks: [EndMark]

  package subscript(lane: Priority) -> EndMark {
    get { marks[Int(lane.rawValue)] }
    set { marks[Int(lane.rawValue)] = newValue }
  }

  /// Lists end/. A listing beside a rename can miss the name or see both: the further one counts, and
  /// a lane that is missing is listed again.
  static func read(_ directory: Directory) throws(Fault) -> Ends {
    for _ in 0..<1000 {
      var ends = Ends(marks: Priority.allCases.map(EndMark.missing))
      try directory.forEachName { name in
        guard let mark = EndMark(name) else { return }
        ends[mark.lane] = max(ends[mark.lane], mark)
      }
      if ends.marks.allSatisfy({ $0.place.segment > 0 }) { return ends }
    }
    throw Fault(.inputOutput, "\(printable(directory.path)): the end of a lane is missing")
  }
}
