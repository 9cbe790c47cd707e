/// The lanes, first served first.
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
