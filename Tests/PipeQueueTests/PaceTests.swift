import Foundation
import Testing

@testable import PipeQueue
import PipeTime

@Suite("The pace")
struct PaceTests {
  private let boot = [UInt8](repeating: 0x61, count: 36)
  private let other = [UInt8](repeating: 0x62, count: 36)

  private func pace(_ started: SteadyInstant = 60_000_000) -> Pace {
    var pace = Pace(started: 0, wall: 0)
    pace.start(3, size: 4, every: 5_000_000, at: started - 10_000_000, wall: 890_000_000)
    pace.start(2, size: 4, every: 5_000_000, at: started, wall: 900_000_000)
    return pace
  }

  private func parsed(_ line: [UInt8], now: SteadyInstant = 61_000_000, wall: Instant = 901_000_000)
    -> Pace?
  {
    line.withUnsafeBytes { Pace.parse($0, boot: boot, now: now, wall: wall) }
  }

  @Test("the pace is read as it was written, and all its lines have one length")
  func line() {
    let line = pace().line(boot: boot)
    #expect(parsed(line) == pace())
    #expect(line.count == Pace(started: -5, wall: 0).line(boot: boot).count)
    #expect(pace().items == 5 && pace().readings.count == 2)
  }

  @Test("a start before this boot can be read, too")
  func negative() {
    #expect(parsed(pace(-7_000_000).line(boot: boot))?.started == -7_000_000)
  }

  @Test("a pace line that is cut short or anything else is unknown")
  func garbled() {
    let line = pace().line(boot: boot)
    for count in [0, 1, 36, 60, line.count - 1] { #expect(parsed(Array(line[..<count])) == nil) }
    var wrong = line
    wrong[50] = 0x78
    #expect(parsed(wrong) == nil)
  }

  @Test("the pace waits from start to start, and not a microsecond more")
  func wait() {
    let pace = pace()
    #expect(pace.wait(5_000_000, at: 60_000_000) == 5_000_000)
    #expect(pace.wait(5_000_000, at: 64_999_999) == 1)
    #expect(pace.wait(5_000_000, at: 65_000_000) == 0)
    #expect(pace.wait(5_000_000, at: 700_000_000) == 0)
  }

  @Test("the pace never waits longer than one interval, even if a start seems to lie ahead")
  func ahead() {
    #expect(pace(99_000_000).wait(5_000_000, at: 60_000_000) == 5_000_000)
  }

  @Test("a pace line whose start lies ahead in this boot is unknown")
  func future() {
    #expect(parsed(pace(61_000_001).line(boot: boot)) == nil)
    #expect(parsed(pace(61_000_000).line(boot: boot)) != nil)
  }

  @Test("a pace line with any changed byte is unknown")
  func damaged() {
    let line = pace().line(boot: boot)
    for index in line.indices {
      for mask: UInt8 in [1, 2, 8, 0x80] {
        var wrong = line
        wrong[index] ^= mask
        #expect(parsed(wrong) == nil, "byte \(index)")
      }
    }
  }

  @Test("the pace can handle the largest numbers that a line can hold")
  func largest() throws {
    var pace = pace()
    let most = 999_999_999_999_999_999
    (pace.every, pace.size, pace.items) = (TimeSpan(microseconds: most), most, most)
    pace.readings = [
      Pace.Reading(time: SteadyInstant(microseconds: -(1 << 56)), items: 0),
      Pace.Reading(time: 0, items: most),
    ]
    let found = try #require(parsed(pace.line(boot: boot)))
    #expect(found.wait(TimeSpan(microseconds: most), at: 61_000_000) > 0 && found.items == most)
    let view = PaceView(
      every: found.every, wait: found.wait(found.every, at: 61_000_000),
      sinceLast: TimeSpan(microseconds: Int64.max), size: 1,
      rate: found.rate(at: 61_000_000))
    #expect(view.estimate(ahead: .max) != nil)
  }

  @Test("a pace of another boot whose clock was ahead is reset to now once, and not at each look")
  func kept() throws {
    let scratch = try ScratchQueue()
    let path = scratch.path + "/pace"
    let line = Pace(started: 5, wall: 900_000_000).line(boot: other)
    try Data(line).write(to: URL(fileURLWithPath: path))
    let file = PaceFile(scratch.queue)
    #expect(file.read(at: 70_000_000, wall: 100)?.started == 70_000_000)
    #expect(file.read(at: 80_000_000, wall: 100)?.started == 70_000_000)
    #expect(PaceFile(scratch.queue).read(at: 80_000_000, wall: 100)?.started == 70_000_000)
  }

  @Test("the pace holds across a reboot, by the wall clock")
  func restarted() throws {
    let line = pace().line(boot: other)
    let found = try #require(parsed(line, now: 1_000_000, wall: 902_000_000))
    #expect(found.started == -1_000_000, "two seconds ago")
    #expect(found.wait(5_000_000, at: 1_000_000) == 3_000_000)
    #expect(found.readings == [] && found.items == 5)
  }

  @Test("the pace starts now if the wall clock was set back across a reboot")
  func setBack() throws {
    let found = try #require(parsed(pace().line(boot: other), now: 1_000_000, wall: 100_000_000))
    #expect(found.started == 1_000_000)
    #expect(found.wait(5_000_000, at: 1_000_000) == 5_000_000)
  }

  @Test("the pace has a rate once two batches lie apart")
  func rate() {
    #expect(Pace(started: 0, wall: 0).rate(at: 5) == nil)
    // Three items before the end of the older mark, two after it, in ten seconds.
    #expect(pace().rate(at: 60_000_000) == 0.5)
  }
}
