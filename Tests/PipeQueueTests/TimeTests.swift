import Testing

import struct TestSupport.SplitMix

@testable import PipeQueue
import PipeTime

@Suite("Backoff")
struct BackoffTests {
  private let backoff = Backoff(base: 1_000_000, most: 300_000_000)

  @Test("the wait lies between once and twice the base at first, then doubles", arguments: 1...8)
  func doubling(attempt: Int) {
    let least = (1 << Int64(attempt - 1)) * TimeSpan.seconds(1)
    #expect(backoff.delay(after: attempt, random: 0) == least)
    // `random` is taken modulo one more than this.
    #expect(backoff.delay(after: attempt, random: UInt64(least.microseconds)) == 2 * least)
    #expect(backoff.delay(after: attempt, random: UInt64(least.microseconds) + 1) == least)
  }

  @Test(
    "the wait never exceeds the maximum, and half of the maximum is its minimum",
    arguments: [9, 10, 39, 40, 63, 1000])
  func bounded(attempt: Int) {
    #expect(backoff.delay(after: attempt, random: 0) == 150_000_000)
    #expect(backoff.delay(after: attempt, random: 150_000_000) == 300_000_000)
    #expect(backoff.delay(after: attempt, random: .max) <= 300_000_000)
  }

  @Test("the wait is spread evenly over its half")
  func spread() {
    var random = SplitMix(seed: 1)
    var counts = [Int](repeating: 0, count: 10)
    for _ in 0..<10_000 {
      let delay = backoff.delay(after: 1, random: random.next())
      counts[min(9, Int((delay - .seconds(1)).microseconds / 100_000))] += 1
    }
    // 1000 each are expected; five standard deviations.
    #expect(counts.allSatisfy { (850...1150).contains($0) })
  }

  @Test("the wait is zero if the base or the maximum is zero")
  func none() {
    #expect(Backoff(base: 0, most: 300).delay(after: 3, random: 5) == 0)
    #expect(Backoff(base: 300, most: 0).delay(after: 3, random: 5) == 0)
  }

  @Test("the wait is the maximum if that is below the base, or the base is as large as can be")
  func extremes() {
    #expect(Backoff(base: 300, most: 10).delay(after: 1, random: 5) == 10)
    let longest = TimeSpan(microseconds: Int64.max)
    #expect(
      Backoff(base: longest, most: longest).delay(after: 1, random: 0).microseconds
        == .max / 2 + 1)
    #expect(Backoff(base: 1, most: 1).delay(after: 1, random: 1) == 1)
  }
}

@Suite("Due times")
struct DueTests {
  private let due = ReadyTime.after(5_000_000, from: 100_000_000)

  @Test("a due time is over at its instant, and not before")
  func over() {
    #expect(!due.isOver(at: 104_999_999))
    #expect(due.isOver(at: 105_000_000))
    #expect(ReadyTime.now.isOver(at: 0))
  }

  @Test("a due time further away than was meant is counted from now on")
  func corrected() {
    #expect(due.corrected(at: 100_000_000) == nil)
    #expect(due.corrected(at: 99_000_000) == nil, "clocks are slewed by a little")
    #expect(due.corrected(at: 98_999_999) == ReadyTime.after(5_000_000, from: 98_999_999))
    #expect(due.corrected(at: 200_000_000) == nil)
  }

  @Test("a due time of day goes by the clock alone")
  func absolute() {
    #expect(ReadyTime(at: 500_000_000, span: 0).corrected(at: 0) == nil)
  }

  @Test("a due time and the length of its wait are in the name")
  func text() throws {
    let name = NowName(items(1, 2), .again(batch: token, attempt: 1, due: due))
    #expect(name.text.hasSuffix(".again.\(token.text).1.105000000.5000000"))
    #expect(try #require(NowName(name.text)).due == due)
  }
}

@Suite("The mark of parked items")
struct LaterMarkTests {
  private func parsed(_ text: String) -> ParkedHint? {
    var copy = text
    return copy.withUTF8 { ParkedHint(UnsafeRawBufferPointer($0)) }
  }

  private let mark = ParkedHint(due: 50_000_000, set: 10_000_000, items: 3)

  @Test("the mark is read as it is written in its name")
  func text() {
    #expect(mark.text.hasPrefix("later.50000000.10000000.3."))
    #expect(parsed(mark.text) == mark)
  }

  @Test(
    "other names are not a mark",
    arguments: ["later.", "later.1.2", "later.1.2.3.4", "later.1.x.3", "spare.1"])
  func others(text: String) {
    #expect(parsed(text) == nil)
  }

  @Test("the mark is over when it is due, or once the clock is behind the time when it was set")
  func over() {
    #expect(!mark.isOver(at: 49_999_999))
    #expect(mark.isOver(at: 50_000_000))
    #expect(!mark.isOver(at: 9_000_000))
    #expect(mark.isOver(at: 8_999_999))
  }
}
