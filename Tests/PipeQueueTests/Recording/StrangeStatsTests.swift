import Foundation
import Glibc
import Testing

@testable import PipeIO
@testable import PipeQueue
import PipeTime

/// Objects that may be found in place of a file of stats/.
enum Strange: String, CaseIterable, CustomTestStringConvertible {
  case directory, fullDirectory, fifo, link, danglingLink, loop

  var testDescription: String { rawValue }

  func make(_ path: String) throws {
    switch self {
    case .directory: try make(path, mkdir(path, 0o700))
    case .fullDirectory:
      try make(path, mkdir(path, 0o700))
      try make(path, mkdir(path + "/log", 0o700))
    case .fifo: try make(path, mkfifo(path, 0o600))
    case .link: try make(path, symlink("../format", path))
    case .danglingLink: try make(path, symlink("nowhere", path))
    case .loop: try make(path, symlink(".", path))
    }
  }

  private func make(_ path: String, _ result: Int32) throws {
    if result != 0 { throw Fault("make", path) }
  }
}

@Suite("Strange files in stats/")
struct StrangeStatsTests {
  static let names = [
    "log.1", "log.2", "log.9", "1.1-1", "1.2-2", "2.1-8", "6.1-999", "new",
  ]

  private func isThere(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  @Test(
    "a strange file with the name of a stats file does no harm",
    arguments: names, Strange.allCases)
  func file(name: String, strange: Strange) throws {
    let scratch = try ScratchQueue()
    scratch.note(.done())
    try strange.make(scratch.stats(name))
    for count in 1...12 {
      #expect(try Tally(scratch.queue).done == count, "\(scratch.statsNames)")
      // Records that cannot be folded for lack of a name wait in their log.
      do throws(Fault) {
        try CompactionPlan(scratch.queue, at: Clock.now() + TimeSpan.seconds(Int64(count) * 61))
          .run(
            closing: 1)
      } catch {
        #expect(name == StatsName.writeBatch, "\(error)")
      }
      #expect(try Tally(scratch.queue).done == count, "\(scratch.statsNames)")
      scratch.note(.done())
    }
    #expect(isThere(scratch.stats(name)), "it is somebody's")
    if name != StatsName.writeBatch {
      #expect(scratch.statsNames.contains { $0.hasPrefix("1.") || $0.hasPrefix("2.") })
    }
  }

  @Test("a strange file with the name of the next folded file does no harm")
  func taken() throws {
    let scratch = try ScratchQueue()
    for number in 1...7 { try scratch.write(whole(.done()), to: "1.\(number)-\(number)") }
    scratch.note(.done(100))
    try scratch.fold()
    try Strange.directory.make(scratch.stats("1.8-8"))
    for seconds: Int64 in [3, 64, 128] {
      try scratch.fold(in: seconds)
      #expect(try Tally(scratch.queue).done == 107, "\(scratch.statsNames)")
    }
    scratch.note(.done(1000))
    for seconds: Int64 in [3, 64, 128] { try scratch.fold(in: seconds) }
    #expect(try Tally(scratch.queue).done == 1107, "\(scratch.statsNames)")
    #expect(!scratch.statsNames.contains { $0.hasPrefix("log") }, "\(scratch.statsNames)")
  }

  /// The bytes of a folded file with this line.
  private func whole(_ line: SettledLine) -> [UInt8] {
    var fold = Compaction(at: Clock.now(), retain: .days(40_000_000))
    fold.add(line)
    var bytes: [UInt8] = []
    for line in fold.lines { line.append(to: &bytes) }
    CompactedLine.appendEnd(lines: fold.lines.count, to: &bytes)
    return bytes
  }

  @Test(
    "a strange file with the name of the log does no harm and is reported once",
    arguments: Strange.allCases)
  func log(strange: Strange) throws {
    let scratch = try ScratchQueue()
    scratch.note(.done(3))
    try scratch.fold()
    try strange.make(scratch.stats("log"))
    var reports: [String] = []
    let queue = try Queue(path: scratch.path) { reports.append($0) }
    let recorder = SettleLog(queue)
    for second in 0..<5 { recorder.note([.done()], at: .boot + .seconds(Int64(second))) }
    #expect(reports.count == 1, "\(reports)")
    #expect(try Tally(queue).done == 3)
    try scratch.fold(in: 3)
    #expect(try Tally(queue).done == 3)
  }

  @Test("a strange file with the temporary name costs no record, and one line says so")
  func temporary() throws {
    let scratch = try ScratchQueue()
    for number in 1...8 { try scratch.write(SettledLine.done().text, to: "1.\(number)-\(number)") }
    try Strange.directory.make(scratch.stats("new"))
    var reports: [String] = []
    let recorder = SettleLog(try Queue(path: scratch.path) { reports.append($0) })
    let large = [UInt8](repeating: newline, count: 1 << 20)
    for count in 1...6 {
      if count % 2 == 1 {
        try scratch.write(((try? scratch.bytes("log")) ?? []) + large, to: "log")
      }
      recorder.note([.done()], at: .boot + .seconds(Int64(count / 2)))
      #expect(try Tally(scratch.queue).done == 8 + count)
    }
    #expect(reports.count == 1, "\(reports)")
  }

  @Test(
    "a strange file in place of stats/ costs no item and is reported once",
    arguments: ["fifo", "file", "link"])
  func stats(kind: String) throws {
    let scratch = try ScratchQueue()
    let path = scratch.path + "/stats"
    switch kind {
    case "fifo": #expect(mkfifo(path, 0o600) == 0)
    case "link": #expect(symlink("now", path) == 0)
    default: try Data("1\n".utf8).write(to: URL(fileURLWithPath: path))
    }
    var reports: [String] = []
    let queue = try Queue(path: scratch.path) { reports.append($0) }
    try scratch.store([id(at: Clock.now()), id(at: Clock.now(), 1)])
    let claimer = Claimer(queue)
    while let claim = try claimer.claim(size: 1) { try claimer.done(claim) }
    #expect(reports.count == 1, "\(reports)")
    #expect(throws: Fault.self) { try Tally(queue) }
  }

  @Test("huge numbers in names of stats files do no harm")
  func numbers() throws {
    let scratch = try ScratchQueue()
    let huge = ["log.1000000000000000", "log.999999999999999999", "9.1-999999999999999999"]
    scratch.note(.done())
    for name in huge { try scratch.write(SettledLine.done(100).text, to: name) }
    for _ in 0..<3 {
      try scratch.fold(in: 61)
      scratch.note(.done())
    }
    #expect(try Tally(scratch.queue).done == 4)
    #expect(scratch.statsNames.contains("log.3"), "\(scratch.statsNames)")
    // With the last number that there is, a log is just not closed.
    try scratch.write(SettledLine.done(20).text, to: "log.999999999999999")
    for count in 24..<28 {
      #expect(try Tally(scratch.queue).done == count)
      try scratch.fold(in: 61)
      scratch.note(.done())
    }
    #expect(scratch.statsNames.contains("log"))
  }

  @Test("strange bytes in stats files do no harm")
  func contents() throws {
    let scratch = try ScratchQueue()
    scratch.note(.done())
    let log = try scratch.bytes("log")
    let noise: [[UInt8]] = [[0], [newline], [0xff, 0xfe], Array(repeating: 0, count: 70_000)]
    for (number, bytes) in noise.enumerated() {
      try scratch.write(bytes, to: "log.\(number + 1)")
      try scratch.write(bytes, to: "1.\(number + 11)-\(number + 11)")
    }
    for seconds: Int64 in [3, 64, 128, 192] {
      #expect(try Tally(scratch.queue).done == 1, "\(scratch.statsNames)")
      try scratch.fold(in: seconds, closing: log.count)
    }
    #expect(try Tally(scratch.queue).done == 1, "\(scratch.statsNames)")
  }

  @Test("a missing stats/, as in an older queue, does no harm")
  func older() throws {
    let scratch = try ScratchQueue()
    try? FileManager.default.removeItem(atPath: scratch.path + "/stats")
    #expect(try Tally(scratch.queue) == Tally([]))
    scratch.note(.done(2))
    #expect(try Tally(scratch.queue).done == 2)
    try FileManager.default.removeItem(atPath: scratch.path + "/stats")
    try scratch.fold()
    #expect(try Tally(scratch.queue) == Tally([]))
  }
}
