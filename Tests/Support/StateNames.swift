import Foundation

// Names in now/ and later/ (pipe-queue(5)): `RANGE.SUM.STATE`. A state with a time is
// `again.BATCH.ATTEMPT.DUE.SPAN` or `hold`, and the mark for later/ is `later.DUE.SET.ITEMS.SUM`.

/// A name from `HIGH.0.1.0-1.1.101` and `done`.
package func stateName(_ range: String, _ state: String) -> String {
  "\(range).\(checksum(range + state)).\(state)"
}

/// The parts of such a name; nil if it is invalid.
package func stateParts(of name: String) -> (range: String, state: String)? {
  let pieces = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  guard pieces.count > 7 else { return nil }
  let (range, state) = (
    pieces[..<6].joined(separator: "."), pieces[7...].joined(separator: ".")
  )
  return stateName(range, state) == name ? (range, state) : nil
}

/// Items that wait for a time.
package enum Waiting: CaseIterable {
  /// Failed or delayed items in now/.
  case retries
  /// Held claims.
  case holds
  /// Failed or delayed items in later/.
  case parked
}

/// Renames waiting items of a queue as due long ago; no process may have it open.
package func makeDue(_ queue: String, _ waiting: [Waiting] = [.retries, .parked]) throws {
  for directory in ["now"] + (waiting.contains(.parked) ? ["later"] : []) {
    let root = "\(queue)/\(directory)"
    for path in try FileManager.default.subpathsOfDirectory(atPath: root) {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      guard let due = dueName(name, directory, waiting), due != name else { continue }
      let target = path.dropLast(name.count) + due
      try FileManager.default.moveItem(atPath: "\(root)/\(path)", toPath: "\(root)/\(target)")
    }
  }
}

private func dueName(_ name: String, _ directory: String, _ waiting: [Waiting]) -> String? {
  let pieces = name.split(separator: ".").map(String.init)
  if pieces[0] == "later", pieces.count == 5 {
    let mark = "later.1.\(pieces[2]).\(pieces[3])"
    return waiting.contains(.parked) ? "\(mark).\(checksum(mark))" : nil
  }
  guard let (range, state) = stateParts(of: name) else { return nil }
  let kind: Waiting = directory == "later" ? .parked : state.hasPrefix("hold.") ? .holds : .retries
  let isWaiting = state.hasPrefix("again.") || state.hasPrefix("hold.") && kind == .holds
  guard isWaiting, waiting.contains(kind) else { return nil }
  return stateName(
    range, state.split(separator: ".").dropLast(2).joined(separator: ".") + ".1.0")
}
