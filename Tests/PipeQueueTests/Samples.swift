@testable import PipeIO
@testable import PipeQueue
import PipeTime

/// A place in the first segment, where each item is one byte.
func place(_ number: Int) -> Position { Position(number: number, segment: 1, offset: number) }

func items(_ from: Int, _ to: Int, _ lane: Lane = .high) -> ItemRange {
  ItemRange(lane: lane, from: place(from), to: place(to))
}

let token = BatchID("01M7YFR55BHYP5BSPG0DPTADCJ")!
let anEntry = EntryID("01M7YFR55BHYP5BSPG0DPTADCJ")!

extension NowName {
  static func done(_ from: Int, _ to: Int, _ lane: Lane = .high) -> NowName {
    NowName(items(from, to, lane), .done)
  }

  static func again(_ from: Int, _ to: Int, attempt: Int = 1) -> NowName {
    NowName(items(from, to), .again(batch: token, attempt: attempt, due: .now))
  }

  static func claim(_ from: Int, _ to: Int, attempt: Int = 1) -> NowName {
    NowName(items(from, to), .claim(batch: token, attempt: attempt, owner: 0))
  }

  init?(_ text: String, older: Bool = false) {
    guard let name = text.withBytes({ NowName($0, older: older) }) else { return nil }
    self = name
  }
}

extension LaneEnd {
  init?(_ text: String, older: Bool = false) {
    guard let mark = text.withBytes({ LaneEnd($0, older: older) }) else { return nil }
    self = mark
  }
}

extension String {
  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    var copy = self
    return copy.withUTF8 { body(UnsafeRawBufferPointer($0)) }
  }
}

extension WriteBatch {
  mutating func append(_ entry: NewEntry, _ data: String) {
    var copy = data
    copy.withUTF8 { append(entry, data: UnsafeRawBufferPointer($0)) }
  }
}

/// An id generated at this time, in microseconds since 1970.
func id(at time: Instant, _ number: UInt64 = 0) -> EntryID {
  EntryID(ULID(high: UInt64(time.microseconds / 1000) << 16, low: number))
}

extension EntryID {
  /// The id behind it in order.
  var next: EntryID { EntryID(ulid.next) }
}
