import Foundation
import Testing

@testable import PipeIO
@testable import PipeQueue
import PipeTime

/// Damage that a power cut can do to a file that was not flushed.
enum Damage: String, CaseIterable, CustomTestStringConvertible {
  case empty = "is empty"
  case zeroed = "is all zeros"
  case endless = "has no end"
  case halved = "stops in the middle of a line"
  case holed = "has zeros before its end"
  case headless = "has lost its first line"
  case padded = "has zeros behind its end"

  var testDescription: String { rawValue }

  func done(to bytes: [UInt8]) -> [UInt8] {
    let lines = bytes.split(separator: newline).map { Array($0) + [newline] }
    switch self {
    case .empty: return []
    case .zeroed: return [UInt8](repeating: 0, count: bytes.count)
    case .endless: return Array(lines.dropLast().joined())
    case .halved: return Array(bytes[..<(bytes.count / 2)])
    case .holed:
      return bytes.enumerated().map { bytes.count / 3..<bytes.count / 2 ~= $0 ? 0 : $1 }
    case .headless: return Array(lines.dropFirst().joined())
    case .padded: return bytes + [0, 0]
    }
  }
}

@Suite("Torn folded files")
struct TornFileTests {
  private let scratch: ScratchQueue

  init() throws { scratch = try ScratchQueue() }

  private func check(_ file: String, _ expected: Tally) throws {
    #expect(try Tally(scratch.queue) == expected, "before a folder comes: \(scratch.statsNames)")
    // Later than the minute for which inputs are kept anyway.
    for seconds: Int64 in [64, 128, 192, 256] {
      try scratch.fold(in: seconds)
      #expect(try Tally(scratch.queue) == expected, "then: \(scratch.statsNames)")
    }
    #expect(scratch.statsNames.allSatisfy { !$0.hasPrefix("log.") }, "\(scratch.statsNames)")
  }

  @Test("a torn folded file counts by the log it was folded from", arguments: Damage.allCases)
  func log(damage: Damage) throws {
    let now = Clock.now()
    scratch.note(
      (0..<30).map { SettledLine.done($0 + 1, at: now - TimeSpan.seconds(Int64($0) * 15)) })
    let expected = try Tally(scratch.queue)
    try scratch.fold()
    try scratch.fold(in: 3)
    #expect(scratch.statsNames == ["1.1-1", "log.1"])
    try scratch.write(damage.done(to: try scratch.bytes("1.1-1")), to: "1.1-1")
    try check("1.1-1", expected)
  }

  @Test(
    "a torn folded file counts by the eight files it was folded from", arguments: Damage.allCases)
  func files(damage: Damage) throws {
    for number in 1...9 {
      scratch.note(.done(number, service: number))
      try scratch.fold(in: 3)
    }
    let expected = try Tally(scratch.queue)
    #expect(scratch.statsNames.contains("2.1-8") && scratch.statsNames.contains("1.1-1"))
    try scratch.write(damage.done(to: try scratch.bytes("2.1-8")), to: "2.1-8")
    try check("2.1-8", expected)
  }

  @Test("a torn folded file whose inputs are gone counts by the lines that are left")
  func orphan() throws {
    scratch.note(.done(3, tag: "blue"), .done(4, tag: "green"))
    try scratch.fold()
    try scratch.fold(in: 3)
    try scratch.fold(in: 64)
    #expect(scratch.statsNames == ["1.1-1"])
    try scratch.write(Damage.endless.done(to: try scratch.bytes("1.1-1")), to: "1.1-1")
    #expect(try Tally(scratch.queue).done == 7)
    try scratch.fold(in: 64)
    #expect(scratch.statsNames == ["1.1-1"])
    #expect(try Tally(scratch.queue).done == 7)
  }

  @Test("a folded file that was being written when its folder died is written again")
  func writeBatch() throws {
    scratch.note(.done(3))
    try scratch.fold()
    try scratch.write(Array(repeating: 0x78, count: 100_000), to: "new")
    #expect(try Tally(scratch.queue).done == 3)
    try scratch.fold(in: 3)
    try scratch.fold(in: 64)
    #expect(scratch.statsNames == ["1.1-1"])
    #expect(try Tally(scratch.queue).done == 3)
  }
}
