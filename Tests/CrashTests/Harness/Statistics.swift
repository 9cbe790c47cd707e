import Foundation
import TestSupport

/// The contents of stats/, read from its names and lines without any code of the program.
struct Statistics {
  private struct Name {
    let text: String
    let level: Int
    let numbers: ClosedRange<Int>

    /// `log.17` or `2.9-16`.
    init?(_ text: String) {
      let pieces = text.split(separator: ".")
      guard pieces.count == 2 else { return nil }
      let numbers = pieces[1].split(separator: "-").compactMap { Int($0) }
      guard let first = numbers.first, let last = numbers.last else { return nil }
      self.text = text
      level = pieces[0] == "log" ? 0 : Int(pieces[0]) ?? 0
      self.numbers = first...last
    }

    func covers(_ other: Name) -> Bool {
      level > other.level && numbers.contains(other.numbers.lowerBound)
        && numbers.contains(other.numbers.upperBound)
    }
  }

  /// Items recorded as done.
  private(set) var done = 0

  init(_ queue: TestQueue) throws {
    guard FileManager.default.fileExists(atPath: "\(queue.path)/stats") else { return }
    let all = try queue.names(in: "stats")
    let names = all.compactMap { Name($0) }
    let folded = names.filter { name in names.contains { name.covers($0) } }
    let torn = folded.filter { !Statistics.isWhole(queue, $0.text) }.map(\.text)
    for name in names where !torn.contains(name.text) {
      if folded.contains(where: { $0.covers(name) && !torn.contains($0.text) }) { continue }
      done += Statistics.items(queue, name.text)
    }
    if all.contains("log") { done += Statistics.items(queue, "log") }
  }

  private static func items(_ queue: TestQueue, _ name: String) -> Int {
    lines(queue, name).reduce(0) { sum, line in
      // TIME TAG done SERVICE ITEMS WAITS, or FIRST LAST TAG batches ITEMS HISTOGRAM.
      guard let line, line.count == 6, line[2] == "done" || line[3] == "batches" else { return sum }
      return sum + (Int(line[4]) ?? 0)
    }
  }

  private static func isWhole(_ queue: TestQueue, _ name: String) -> Bool {
    let lines = lines(queue, name)
    return !lines.contains { $0 == nil } && lines.last == ["end", "\(lines.count - 1)"]
  }

  /// The columns after the checksum of each line; nil if the checksum is wrong.
  private static func lines(_ queue: TestQueue, _ name: String) -> [[String]?] {
    let url = URL(fileURLWithPath: "\(queue.path)/stats/\(name)")
    let bytes = [UInt8]((try? Data(contentsOf: url)) ?? Data())
    return bytes.split(separator: 0x0a).map { line in
      guard line.count > 9, line.count < 1 << 16,
        let sum = UInt32(String(decoding: line.prefix(8), as: UTF8.self), radix: 16),
        sum == crc32c(line.dropFirst(8))
      else { return nil }
      return String(decoding: line.dropFirst(9), as: UTF8.self).split(separator: " ").map(
        String.init)
    }
  }
}

extension TestQueue {
  /// Items of the lane of records that names in now/ mark as done; names may overlap.
  func acknowledged() throws -> Int {
    var done: Set<Int> = []
    for name in try names(in: "now") where name.hasPrefix("MEDIUM.") && name.hasSuffix(".done") {
      // MEDIUM.<from>.<segment>.<offset>-<to>.<segment>.<offset>.done
      guard let from = Int(name.split(separator: ".")[1]) else { continue }
      done.formUnion(from..<(from + TestQueue.count(name)))
    }
    return done.count
  }
}
