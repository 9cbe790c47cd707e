/// The lanes, in the order in which they are served.
package enum Lane: UInt8, CaseIterable, Comparable {
  case high, medium, low

  package var name: String { spelling.description }

  var spelling: StaticString {
    switch self {
    case .high: "HIGH"
    case .medium: "MEDIUM"
    case .low: "LOW"
    }
  }

  func withName<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    body(UnsafeRawBufferPointer(start: spelling.utf8Start, count: spelling.utf8CodeUnitCount))
  }

  package init?(name: UnsafeRawBufferPointer) {
    for lane in Lane.allCases where name.count == lane.spelling.utf8CodeUnitCount {
      if zip(name, UnsafeBufferPointer(start: lane.spelling.utf8Start, count: name.count))
        .allSatisfy({ $0 == $1 })
      {
        self = lane
        return
      }
    }
    return nil
  }

  package static func < (one: Lane, other: Lane) -> Bool { one.rawValue < other.rawValue }
}

extension Lane {
  /// 0 for the lane served first.
  var order: Int { Int(rawValue) }
}

/// One value for each lane; a sequence of them, first served first.
struct PerLane<Value> {
  // Not an array: the runtime would build the type of its storage at each start of the program.
  private var high, medium, low: Value

  /// `value`: called for each lane in order.
  init<Failure: Error>(_ value: (Lane) throws(Failure) -> Value) throws(Failure) {
    high = try value(.high)
    medium = try value(.medium)
    low = try value(.low)
  }

  static func repeating(_ value: Value) -> PerLane { PerLane { _ in value } }

  subscript(lane: Lane) -> Value {
    @inline(__always) get {
      switch lane {
      case .high: high
      case .medium: medium
      case .low: low
      }
    }
    @inline(__always) _modify {
      switch lane {
      case .high: yield &high
      case .medium: yield &medium
      case .low: yield &low
      }
    }
  }
}

extension PerLane: Sequence {
  struct Iterator: IteratorProtocol {
    let values: PerLane
    var lane: Lane? = .high

    mutating func next() -> Value? {
      guard let lane else { return nil }
      self.lane = Lane(rawValue: lane.rawValue + 1)
      return values[lane]
    }
  }

  func makeIterator() -> Iterator { Iterator(values: self) }
}

extension PerLane: Equatable where Value: Equatable {}
