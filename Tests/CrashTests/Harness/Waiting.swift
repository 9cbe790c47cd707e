import Foundation

// Names that the clock looks at (pipe-queue(5)): `RANGE.again.BATCH.ATTEMPT.DUE.SPAN`, likewise `hold`, in now/
// and in later/, and the mark `later.DUE.SET.ITEMS`.

extension TestQueue {
  private var parked: [String] {
    get throws {
      try FileManager.default.subpathsOfDirectory(atPath: "\(path)/later").filter {
        $0.contains(".again.")
      }.map { "later/\($0)" }
    }
  }

  /// All that waits for a time is due.
  func passTime() throws {
    for name in try names(in: "now") where name.contains(".again.") || name.contains(".hold.") {
      try makeDue("now/\(name)")
    }
    try passTimeOfParked()
  }

  /// The same of later/ alone.
  func passTimeOfParked() throws {
    for name in try parked { try makeDue(name) }
    for name in try names(in: "now") where name.hasPrefix("later.") {
      var pieces = name.components(separatedBy: ".")
      pieces[1] = "0"
      try move("now/\(name)", "now/" + pieces.joined(separator: "."))
    }
  }

  private func makeDue(_ name: String) throws {
    let pieces = name.components(separatedBy: ".").dropLast(2) + ["0", "0"]
    try move(name, pieces.joined(separator: "."))
  }

  private func move(_ name: String, _ new: String) throws {
    if name == new { return }
    try FileManager.default.moveItem(atPath: "\(path)/\(name)", toPath: "\(path)/\(new)")
  }

  /// Where something is parked a mark says so, and nothing is due before it.
  func markComplaints() throws -> [String] {
    guard FileManager.default.fileExists(atPath: path + "/later") else { return [] }
    let first = try parked.compactMap { Int($0.components(separatedBy: ".").dropLast().last ?? "") }
      .min()
    let marks = try names(in: "now").filter { $0.hasPrefix("later.") }
    guard let first else { return [] }
    let mark = marks.compactMap { Int($0.components(separatedBy: ".")[1]) }.min()
    if let mark, mark <= first { return [] }
    return ["parked until \(first), but the mark is \(marks)"]
  }

  /// Files in later/ and dead/ that speak of items.
  func leftAside() throws -> [String] {
    try ["later", "dead"].flatMap { kind in
      try FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(kind)")
        .filter { $0.contains("-") && !$0.hasSuffix(".dropped") }.map { "\(kind)/\($0)" }
    }
  }
}
