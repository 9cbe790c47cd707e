/// The lanes, first served first.
package enum Priority: UInt8, CaseIterable, Comparable {
  case high, medium, low

  package var name: String {
    switch self {
    case .high: "HIGH"
    case .medium: "MEDIUM"
    case .low: "LOW"
    }
  }

  package init?(name: UnsafeRawBufferPointer) {
    guard let found = Priority.allCases.first(where: { $0.name.utf8.elementsEqual(name) }) else {
      return nil
    }
    self = found
  }

  package static func < (one: Priority, other: Priority) -> Bool { one.rawValue < other.rawValue }
}
