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
  private var values: [Value]

  /// `value`: called for each lane in order.
  init<Failure: Error>(_ value: (Lane) throws(Failure) -> Value) throws(Failure) {
    values = []
    values.reserveCapacity(Lane.allCases.count)
    for lane in Lane.allCases { values.append(try value(lane)) }
  }

  static func repeating(_ value: Value) -> PerLane { PerLane { _ in value } }

  subscript(lane: Lane) -> Value {
    @inline(__always) get { values[lane.order] }
    @inline(__always) _modify { yield &values[lane.order] }
  }
}

extension PerLane: Sequence {
  func makeIterator() -> IndexingIterator<[Value]> { values.makeIterator() }
}

extension PerLane: Equatable where Value: Equatable {}
