internal import PipeIO

/// Knows every item that was sent, and judges what became of it. It does not read the queue's files.
struct Oracle {
  /// What is known of an item; bits, because there are many.
  private struct Marks: OptionSet {
    let rawValue: UInt8
    /// Its line has a receipt.
    static let accepted = Marks(rawValue: 1)
    static let delivered = Marks(rawValue: 2)
    /// Its consumer exited with status 0, or an ack settled it: it must not come again.
    static let settled = Marks(rawValue: 4)
    /// It is an id of an id list, not a record.
    static let isID = Marks(rawValue: 8)
  }

  /// By the numbers of items, from 1: 0 is not an id.
  private var marks: [Marks] = [[]]
  /// When each item was last delivered: the number of deliveries until then.
  private var last: [Int] = [0]
  private(set) var deliveries = 0
  private(set) var accepted = 0
  /// Deliveries of items that had been delivered before, but were not settled.
  private(set) var again = 0
  private(set) var doubled: [Int] = []
  private(set) var torn: [String] = []

  /// A number for an item to be sent.
  mutating func newItem(isID: Bool) -> Int {
    marks.append(isID ? .isID : [])
    last.append(0)
    return marks.count - 1
  }

  /// The line of a record. Its length and bytes depend on its number alone.
  static func record(_ number: Int) -> String {
    let letter = Character(UnicodeScalar(UInt8(97 + number % 26)))
    return #"{"n":\#(number),"p":""# + String(repeating: letter, count: number * 7919 % 211) + "\"}"
  }

  mutating func accept(_ numbers: [Int]) {
    for number in numbers where !marks[number].contains(.accepted) {
      marks[number].insert(.accepted)
      accepted += 1
    }
  }

  /// Judges a line that a consumer has written. Returns the number of its item; nil if no item has these
  /// bytes. `isLate`: its claim may have been over before the line was read.
  mutating func deliver(_ line: Substring, isLate: Bool = false) -> Int? {
    let digits = line.hasPrefix(#"{"n":"#) ? line.dropFirst(5).prefix { $0.isNumber } : line
    guard let number = Int(digits), marks.indices.contains(number),
      marks[number].contains(.isID) ? line == String(number) : line == Oracle.record(number)
    else {
      torn.append(String(line.prefix(300)))
      return nil
    }
    deliveries += 1
    last[number] = deliveries
    if marks[number].contains(.settled), !isLate {
      doubled.append(number)
    } else if marks[number].contains(.delivered) {
      again += 1
    }
    marks[number].insert(.delivered)
    return number
  }

  /// Their consumer exited with status 0, or an ack settled them. An item that is among them twice, or that
  /// another consumer settled as well, was delivered twice.
  mutating func settle(_ numbers: [Int]) {
    for number in numbers {
      if marks[number].contains(.settled), !doubled.contains(number) { doubled.append(number) }
      marks[number].insert(.settled)
    }
  }

  /// They were sent back or buried, or their holder was killed, so they must come again: dead letters are
  /// revived at the end. `since`: the deliveries so far when that began; what came later came again.
  mutating func sendBack(_ numbers: [Int], since: Int) {
    for number in numbers where last[number] <= since {
      marks[number] = marks[number].subtracting([.delivered, .settled])
    }
  }

  var lost: [Int] {
    marks.indices.filter { marks[$0].contains(.accepted) && !marks[$0].contains(.delivered) }
  }

  var delivered: Int { marks.count { $0.contains([.accepted, .delivered]) } }
}
