import Histogram
import PipeTime
import Testing

import struct TestSupport.SplitMix

@testable import PipeQueue

@Suite("Stored histograms")
struct CodeTests {
  typealias Cells = [(index: Int, count: Int)]

  private func code(_ cells: Cells) -> [UInt8] {
    var out: [UInt8] = []
    HistogramCodec.append(cells, to: &out)
    return out
  }

  private func decoded(_ code: [UInt8]) -> Cells? {
    code.withUnsafeBytes { HistogramCodec.counts($0) }
  }

  private func isSame(_ one: Cells?, _ other: Cells) -> Bool {
    one.map { $0.elementsEqual(other, by: ==) } ?? false
  }

  @Test("a histogram has all classes of HdrHistogram, one after the other")
  func classes() {
    let histogram = Histogram<UInt64>(
      lowestDiscernibleValue: 1, highestTrackableValue: UInt64(HistogramBuckets.longest),
      numberOfSignificantValueDigits: .three)
    var value: UInt64 = 0
    for index in 0..<HistogramBuckets.count {
      #expect(HistogramBuckets.lowest(of: index) == value)
      #expect(HistogramBuckets.index(of: Int(value)) == index)
      value = histogram.nextNonEquivalentForValue(value)
      #expect(HistogramBuckets.index(of: min(HistogramBuckets.longest, Int(value) - 1)) == index)
    }
    #expect(value > HistogramBuckets.longest, "none is left")
  }

  @Test(
    "a time that is out of bounds counts as the nearest time",
    arguments: [(Int.min, 0), (-1, 0), (HistogramBuckets.longest + 1, 1), (Int.max, 1)])
  func bounds(time: Int, end: Int) {
    #expect(HistogramBuckets.index(of: time) == (end == 0 ? 0 : HistogramBuckets.count - 1))
  }

  @Test("a histogram is read as it was written, even empty, full or with huge counts")
  func roundTrip() {
    let last = HistogramBuckets.count - 1
    let all: [Cells] = [
      [], [(0, 1)], [(1, 1)], [(2, 1)], [(last, 1)], [(0, Int.max), (last, Int.max)],
      [(0, 63), (1, 64), (3, 8191), (4, 8192), (6, 1 << 55), (9, (1 << 56) - 1), (20, 1 << 62)],
      (0...last).map { ($0, $0 + 1) },
    ]
    for cells in all { #expect(isSame(decoded(code(cells)), cells)) }
  }

  @Test("a histogram is read as it was written, whatever the classes and counts")
  func anyCells() {
    var numbers = SplitMix(seed: 1)
    for _ in 0..<500 {
      var cells: Cells = []
      var index = numbers.number(0...20_000)
      while index < HistogramBuckets.count, cells.count < 50 {
        cells.append((index, 1 << numbers.number(0...62)))
        index += numbers.pick([1, 1, 2, 3, 900])
      }
      #expect(isSame(decoded(code(cells)), cells))
    }
  }

  private let some: Cells = [(0, 1), (1, 5), (7, 1 << 40), (900, 2), (20_000, 3)]

  @Test("a histogram that was cut short anywhere is invalid")
  func truncated() {
    let code = code(some)
    for count in 0..<code.count { #expect(decoded(Array(code[..<count])) == nil, "\(count)") }
  }

  @Test("a histogram with any changed byte is invalid, or has only classes that exist")
  func mutated() {
    let code = code(some)
    for position in code.indices {
      for byte in 0...255 {
        var wrong = code
        wrong[position] = UInt8(byte)
        check(decoded(wrong))
      }
    }
  }

  @Test("a histogram of random bytes is invalid, or has only classes that exist")
  func anyBytes() {
    var numbers = SplitMix(seed: 2)
    for _ in 0..<20_000 {
      var payload: [UInt8] = []
      let count = numbers.number(0...40)
      while payload.count < count {
        payload.append(numbers.pick([0, 1, 2, 0x7f, 0x80, 0xff, 0xfe]))
      }
      check(decoded(headed(payload)))
    }
  }

  @Test("text without a single right byte is not a histogram")
  func garbage() {
    for text in ["", "=", "==", "====", "A===", "AAAA", "AA=A", "\u{e9}\u{e9}", "AAA\n"] {
      #expect(decoded(Array(text.utf8)) == nil)
    }
  }

  @Test(
    "a histogram of other classes or another version is invalid",
    arguments: [3, 7, 8, 11, 12, 15, 23, 30, 39])
  func foreign(position: Int) throws {
    let good = code(some)
    var bytes = try #require(good.withUnsafeBytes { Base64.bytes($0) })
    var same: [UInt8] = []
    Base64.append(bytes, to: &same)
    #expect(same == good)
    bytes[position] ^= 1
    var other: [UInt8] = []
    Base64.append(bytes, to: &other)
    #expect(decoded(other) == nil)
  }

  // A valid header, followed by `payload`.
  private func headed(_ payload: [UInt8]) -> [UInt8] {
    var bytes = code([]).withUnsafeBytes { Base64.bytes($0) } ?? []
    bytes[7] = UInt8(payload.count)
    var out: [UInt8] = []
    Base64.append(bytes + payload, to: &out)
    return out
  }

  private func check(_ cells: Cells?) {
    guard let cells else { return }
    #expect(zip(cells, cells.dropFirst()).allSatisfy { $0.index < $1.index })
    #expect(cells.allSatisfy { $0.count > 0 && (0..<HistogramBuckets.count).contains($0.index) })
    var sum = SparseHistogram()
    for _ in 0..<3 { for cell in cells { sum.add(cell.count, at: cell.index) } }
    _ = sum.inOrder
  }
}
