internal import PipeIO

/// The end of a lane: up to here everything is on disk. Kept as a name in end/:
/// `HIGH.<items>.<entries>.<segment>.<offset>.<time>.<seal>.<checksum>`.
package struct EndMark: Equatable, Comparable {
  package let lane: Priority
  /// Place behind the last item.
  package var place: Place
  /// Entries that the lane ever took.
  package var entries: Int
  /// Accepted-time of the last of them, microseconds since the epoch.
  package var time: Int64
  /// The birthmark of the directory that it was written in. In a copy of a queue it is of another one: then
  /// the parts of the copy may be of different times, and the end is checked before anything is stored.
  var seal: UInt32

  static func first(of lane: Priority, seal: UInt32) -> EndMark {
    EndMark(lane: lane, place: .origin, entries: 0, time: 0, seal: seal)
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
  package static func < (one: EndMark, other: EndMark) -> Bool {
    (one.place.segment, one.place.offset, one.place.number)
      < (other.place.segment, other.place.offset, other.place.number)
  }
}

extension EndMark {
  /// `older`: the names of formats 1 and 2 count too, which have neither seal nor checksum; then the seal
  /// is 0.
  init?(_ text: UnsafeRawBufferPointer, older: Bool = false) {
    var pieces = Pieces(text)
    guard let lane = pieces.next(before: dot).flatMap(Priority.init(name:)),
      let number = pieces.number(before: dot), let entries = pieces.number(before: dot),
      let segment = pieces.number(before: dot), let offset = pieces.number(before: dot),
      let time = pieces.number(before: dot)
    else { return nil }
    self.init(
      lane: lane, place: Place(number: number, segment: segment, offset: offset), entries: entries,
      time: Int64(time), seal: 0)
    if older, pieces.isAtEnd { return }
    guard let seal = pieces.next(before: dot), seal.count == 8, let value = hex(seal) else {
      return nil
    }
    self.seal = value
    guard NameChecksum.ends(text, &pieces) else { return nil }
  }
}

/// One end a lane; of a lane whose name is missing or damaged, none.
struct EndListing {
  private(set) var marks: [EndMark?] = [nil, nil, nil]
  /// Names that should be ends and are not, as they stand.
  private(set) var damaged: [String] = []

  subscript(lane: Priority) -> EndMark? { marks[Int(lane.rawValue)] }

  var isComplete: Bool { !marks.contains(nil) }

  /// A listing beside a rename can miss the name or see both: the further one counts.
  init(_ directory: Directory, older: Bool) throws(Fault) {
    try directory.forEachName { name in
      guard let mark = EndMark(name, older: older) else {
        if PutAside.shouldBe(name) { damaged.append(String(decoding: name, as: UTF8.self)) }
        return
      }
      let index = Int(mark.lane.rawValue)
      marks[index] = marks[index].map { max($0, mark) } ?? mark
    }
  }
}

/// One end a lane.
package struct Ends {
  private var marks: [EndMark]

  package subscript(lane: Priority) -> EndMark {
    get { marks[Int(lane.rawValue)] }
    set { marks[Int(lane.rawValue)] = newValue }
  }

  init(_ mark: (Priority) throws(Fault) -> EndMark) throws(Fault) {
    var marks: [EndMark] = []
    for lane in Priority.allCases { marks.append(try mark(lane)) }
    self.marks = marks
  }
}
