import Foundation
import TestSupport

extension TestQueue {
  private var parked: [String] {
    get throws {
      try FileManager.default.subpathsOfDirectory(atPath: "\(path)/later").filter {
        $0.contains(".again.")
      }.map { "later/\($0)" }
    }
  }

  /// Makes everything that waits for a time due.
  func passTime() throws { try makeDue(path, Waiting.allCases) }

  /// If items are parked, a mark must say so, and none may be due before it.
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

  /// Files in later/ and dead/ that name items, and items in the register without such a file.
  func leftAside() throws -> [String] {
    var dropped = 0
    var left: [String] = []
    for kind in ["later", "dead"] {
      for name in try FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(kind)")
      where name.contains("-") {
        if name.hasSuffix(".dropped") { dropped += 1 } else { left.append("\(kind)/\(name)") }
      }
    }
    let registered = try registered() - dropped
    return left.isEmpty && registered > 0 ? ["\(registered) items in the register"] : left
  }

  // One bit per item, in records `checksum, space, 25 hex digits, newline`.
  private func registered() throws -> Int {
    let root = "\(path)/register"
    return try FileManager.default.subpathsOfDirectory(atPath: root).reduce(0) { sum, name in
      guard let bytes = FileManager.default.contents(atPath: "\(root)/\(name)") else { return sum }
      let records = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self).split(separator: "\n")
      return sum
        + records.flatMap { $0.dropFirst(9) }.reduce(0) {
          $0 + ($1.hexDigitValue ?? 0).nonzeroBitCount
        }
    }
  }
}
