import Foundation
import Testing

import struct TestSupport.SplitMix

@testable import PipeIO
@testable import PipeQueue
import PipeTime

private let second: TimeSpan = .seconds(1)
private let minute: TimeSpan = .minutes(1)
private let hour: TimeSpan = .hours(1)
private let day: TimeSpan = .days(1)

@Suite("Folding")
struct FoldingTests {
  private let scratch: ScratchQueue

  init() throws { scratch = try ScratchQueue() }

  @Test("folding changes no count of any kind or tag, however often and however late")
  func totals() throws {
    var numbers = SplitMix(seed: 3)
    var lines: [SettledLine] = []
    for round in 1...70 {
      let now = Clock.now() + Int64(round) * 20 * second
      let new = (0..<5).map { _ in
        let age = TimeSpan(microseconds: numbers.number(0...day.microseconds))
        return SettledLine.random(at: now - age, &numbers)
      }
      scratch.note(new)
      lines += new
      try CompactionPlan(scratch.queue, at: now).run(closing: 1)
      let found = try Tally(scratch.queue, at: now)
      #expect(found == Tally(lines), "round \(round), \(scratch.statsNames)")
    }
    #expect(scratch.statsNames.contains { $0.hasPrefix("3.1-") }, "\(scratch.statsNames)")
    #expect(scratch.statsNames.count < 20, "\(scratch.statsNames)")
    for age in [hour, 10 * hour, 2 * day, 6 * day, 400 * day] {
      let now = Clock.now() + age
      scratch.note(lines[0])
      lines.append(lines[0])
      try CompactionPlan(scratch.queue, at: now).run(closing: 1)
      #expect(try Tally(scratch.queue, at: now) == Tally(lines), "\(age) later")
    }
  }

  /// Age, and the interval into which records of that age are joined.
  static let spans = [
    (5 * minute, 10 * second), (hour, minute), (6 * hour, 10 * minute), (2 * day, hour),
    (5 * day, 6 * hour),
  ]

  @Test("folding keeps times, less exactly the older they are", arguments: spans)
  func buckets(age: TimeSpan, span: TimeSpan) throws {
    let now = Clock.now() + minute
    let old = now - age
    let start = old - .microseconds(old.microseconds % span.microseconds)
    // The first and the last instant of an interval, of the next one and of the one after that.
    let ends: [[Instant]] = (0..<3).map {
      [start + $0 * span, start + ($0 + 1) * span - .microseconds(1)]
    }
    let times = ends.flatMap { $0 }
    scratch.note(times.map { SettledLine.done(at: $0) })
    try scratch.fold()
    try CompactionPlan(scratch.queue, at: now).run(closing: 1)
    #expect(scratch.statsNames.contains("1.1-1"))
    var found: [[Instant]] = []
    var items: [Int] = []
    try scratch.queue.recordings(since: nil, at: now) {
      guard $0.kind == .wait else { return }
      found.append([$0.first, $0.last])
      items.append($0.items)
    }
    #expect(found == ends && items == [2, 2, 2])
  }

  @Test("folding keeps all counts, but no times older than the retention of the queue")
  func old() throws {
    let now = Clock.now() + minute
    let times = [7 * day + .microseconds(1), 8 * day, 9 * day, 3000 * day].map { now - $0 }
    scratch.note(times.map { SettledLine.done(2, at: $0) })
    try scratch.fold()
    try CompactionPlan(scratch.queue, at: now).run(closing: 1)
    var found: [Recording] = []
    try scratch.queue.recordings(since: nil, at: now) { found.append($0) }
    #expect(found.map(\.kind) == [.wait, .service, .total, .batches])
    #expect(found.allSatisfy { $0.items == 8 && $0.first == times[3] && $0.last == times[0] })
  }

  @Test("folding makes one file of eight, and again one of eight of those")
  func levels() throws {
    // One more than sixty-four, since a log that was just closed is not folded yet.
    for number in 1...65 {
      scratch.note(.done())
      try scratch.fold(in: 3)
      if number == 9 { #expect(scratch.statsNames.contains("2.1-8"), "\(scratch.statsNames)") }
    }
    try scratch.fold(in: 61)
    try scratch.fold(in: 122)
    #expect(scratch.statsNames == ["1.65-65", "3.1-64"])
    #expect(try Tally(scratch.queue).done == 65)
  }

  @Test("folding leaves alone a log to which a process may still write")
  func patience() throws {
    scratch.note(.done())
    try scratch.fold()
    let closed = try #require(try Directory.open(scratch.path + "/stats")?.changed("log.1"))
    try CompactionPlan(scratch.queue, at: closed + 2 * second - 1).run(closing: 1)
    #expect(scratch.statsNames == ["log.1"])
    try CompactionPlan(scratch.queue, at: closed + 2 * second).run(closing: 1)
    #expect(scratch.statsNames == ["1.1-1", "log.1"])
  }

  @Test("folding does not skip a log that may still be written in favour of later ones")
  func order() throws {
    let directory = try scratch.queue.statsDirectory()
    let late = SettleLog(scratch.queue)
    late.note([.done()], at: 0)
    try scratch.fold()
    scratch.note(.done())
    try scratch.fold()
    let closed = try #require(directory.changed("log.2"))
    var count = 2
    while try #require(directory.changed("log.1")) <= closed {
      late.note([.done()], at: 0)
      count += 1
    }
    try CompactionPlan(scratch.queue, at: closed + 2 * second).run(closing: 1)
    #expect(scratch.statsNames == ["log.1", "log.2"])
    try scratch.fold(in: 3)
    try scratch.fold(in: 64)
    #expect(scratch.statsNames == ["1.1-2"])
    #expect(try Tally(scratch.queue).done == count)
  }

  @Test("folding keeps its inputs for a minute, and not a second longer")
  func inputs() throws {
    scratch.note(.done())
    try scratch.fold()
    try scratch.fold(in: 3)
    let written = try #require(try Directory.open(scratch.path + "/stats")?.modified("1.1-1"))
    for time in [written, written + minute - 1, written - minute + 1] {
      try CompactionPlan(scratch.queue, at: time).run(closing: 1)
      #expect(scratch.statsNames == ["1.1-1", "log.1"])
      #expect(try Tally(scratch.queue).done == 1, "once, though it is there twice")
    }
    try CompactionPlan(scratch.queue, at: written + minute).run(closing: 1)
    #expect(scratch.statsNames == ["1.1-1"])
    #expect(try Tally(scratch.queue).done == 1)
  }

  @Test("folding closes no log that is smaller than the given size")
  func small() throws {
    scratch.note(.done())
    let size = try scratch.bytes("log").count
    try scratch.fold(closing: size + 1)
    #expect(scratch.statsNames == ["log"])
    try scratch.fold(closing: size)
    #expect(scratch.statsNames == ["log.1"])
  }

  @Test("one process folds at a time, and a second one continues without folding")
  func locked() throws {
    scratch.note(.done())
    let other = try #require(try Directory.open(scratch.path + "/stats"))
    #expect(try other.tryLock())
    try scratch.fold()
    #expect(scratch.statsNames == ["log"])
    other.unlock()
    try scratch.fold()
    #expect(scratch.statsNames == ["log.1"])
  }

  @Test("recordings since a time include nothing that was before")
  func since() throws {
    let now = Clock.now()
    for age in [5 * minute, 30 * minute, 3 * hour] { scratch.note(.done(at: now - age)) }
    for _ in 0..<2 {
      for (since, count) in [(now - minute, 0), (now - 10 * minute, 1), (now - 2 * hour, 2)] {
        #expect(try Tally(scratch.queue, since: since, at: now).done == count)
      }
      #expect(try Tally(scratch.queue, at: now).done == 3)
      try scratch.fold()
      try scratch.fold(in: 3)
    }
    #expect(scratch.statsNames.contains("1.1-1"))
  }

  @Test("a torn line of a dead writer or a full disk is skipped")
  func torn() throws {
    for cut in [1, 10, SettledLine.done().text.count - 1] {
      let scratch = try ScratchQueue()
      scratch.note(.done(2))
      try scratch.write(try scratch.bytes("log") + SettledLine.done(4).text.prefix(cut), to: "log")
      #expect(try Tally(scratch.queue).done == 2)
      scratch.note(.done(8))
      #expect(try Tally(scratch.queue).done == 10)
      try scratch.fold()
      try scratch.fold(in: 3)
      try scratch.fold(in: 64)
      #expect(scratch.statsNames == ["1.1-1"])
      #expect(try Tally(scratch.queue).done == 10)
    }
  }

  @Test("a huge line is skipped, and a log longer than the buffer is read")
  func long() throws {
    scratch.note(.done(1))
    let log = try scratch.bytes("log")
    let noise = [UInt8](repeating: 0x78, count: 9 << 20)
    let many = (0..<80_000).flatMap { _ in log }
    try scratch.write(log + [newline] + noise + log + many, to: "log")
    #expect(try Tally(scratch.queue).done == 80_002)
    try scratch.fold()
    try scratch.fold(in: 3)
    try scratch.fold(in: 64)
    #expect(try Tally(scratch.queue).done == 80_002)
  }
}
