import Foundation
import Testing

@testable import PipeStats

struct ComparisonTests {
  private let old = scattered(1200, 150_000...250_000)
  private let long = [100, 100, 100, 110, 120].map { $0 * 1_000_000 }

  private func compare(
    _ a: [Int], _ b: [Int], failures: [Int] = [], _ others: [Int] = [],
    names: [String] = ["A", "B"]
  ) -> Comparison {
    Comparison(
      ComparedSide(Activity.of(a, items: 3, failures: failures), named: names[0]),
      ComparedSide(Activity.of(b, items: 3, failures: others), named: names[1]))
  }

  @Test func `a side that is a tenth faster counts as faster despite a few failures`() {
    let found = compare(old, scattered(1100, 130_000...222_000), failures: [3, 4, 5], [4])
    #expect(
      found.text == """
                                             A                       B
        batches                           1200                    1100
        mean                            201 ms                  177 ms
        p50                             201 ms                  179 ms
        p99                             249 ms                  221 ms
        succeeded                       99.8 %                  99.9 %
          95 %                99.3 % to 99.9 %       99.5 % to 100.0 %

        difference    -23.5 ms, 95 %: -25.8 ms to -21.3 ms
                      -11.7 %, 95 %: -12.8 % to -10.6 %
        Welch         t = -20.3, 2297 degrees of freedom, p < 0.001
        Mann-Whitney  B is faster in 71.3 % of pairs, p < 0.001
        success       +0.2 points, 95 %: -0.3 to +0.6, p = 0.36

        B is 11.7 % faster, p < 0.001

        """)
  }

  @Test func `two similar sides show no difference, and a slower side shows one`() {
    let found = compare(old, scattered(1100, 150_000...250_000, seed: 9))
    #expect(found.verdict == "no significant difference (p = 0.98)")
    #expect(
      compare(scattered(1100, 130_000...222_000), old).verdict == "B is 13.3 % slower, p < 0.001")
  }

  @Test func `the verdict names too few batches, constant times and equal times`() {
    #expect(compare([1, 2, 3], old).verdict == "too few samples: A has 3 batches")
    #expect(compare(old, [1, 2, 3]).verdict == "too few samples: B has 3 batches")
    #expect(
      compare([1, 2, 3, 4, 5, 6, 7, 8, 9], [5]).verdict
        == "too few samples: A has 9 batches, B has 1 batch")
    #expect(compare([], []).verdict == "too few samples: A has 0 batches, B has 0 batches")
    let same = compare([Int](repeating: 3, count: 90), [Int](repeating: 5, count: 90))
    #expect(same.verdict == "B is 66.7 % slower, p < 0.001: the times of both are constant")
    #expect(compare(Array(1...10), Array(1...10)).verdict == "no significant difference (p = 1.0)")
  }

  @Test func `the sentences report both tests when they disagree`() {
    let faster = old.map { $0 * 9 / 10 }
    #expect(
      compare(old, faster + long.prefix(1)).sentences == [
        "no significant difference (p = 0.45)",
        "But Mann-Whitney finds B faster in 68.9 % of pairs, p < 0.001",
      ])
    #expect(
      compare(old + long.prefix(1), faster + long.prefix(1)).sentences == [
        "no significant difference (p = 0.86)",
        "But Mann-Whitney finds B faster in 68.9 % of pairs, p < 0.001",
      ])
    #expect(
      compare(old, faster + long).sentences == [
        "B is 208.5 % slower, p = 0.033",
        "But Mann-Whitney finds B faster in 68.6 % of pairs, p < 0.001",
      ])
    #expect(
      compare(old, old + long).sentences == [
        "B is 218.5 % slower, p = 0.026",
        "But Mann-Whitney finds no significant difference (p = 0.86)",
      ])
  }

  @Test func `a side that is faster but fails more often gets two sentences`() {
    let found = compare(
      old, scattered(1100, 130_000...222_000), failures: [], [Int](repeating: 9, count: 100))
    #expect(
      found.sentences == [
        "B is 11.7 % faster, p < 0.001", "B succeeds less often, by 8.3 points, p < 0.001",
      ])
  }

  @Test func `a difference from a mean of zero has no percentage`() {
    let found = compare([Int](repeating: 0, count: 90), scattered(90, 0...100))
    #expect(found.verdict == "B is slower by 51.0 us, p < 0.001")
    #expect(found.line.contains(#""percent":null"#))
  }

  @Test func `a batch counts once, however many items it has`() {
    let few = compare(Array(1...9), old)
    #expect(few.first.done.whole == 9)
    #expect(few.welch == nil)
  }

  @Test func `the comparison is valid JSON with unchanged names`() throws {
    let found = compare(old, old, names: ["a\"\u{1B}[31m", "v2"])
    let json = try JSONSerialization.jsonObject(with: Data(found.line.utf8)) as? [String: Any]
    #expect((json?["a"] as? [String: Any])?["name"] as? String == "a\"\u{1B}[31m")
    #expect((json?["welch"] as? [String: Any])?["p"] as? Double == 1)
    #expect((json?["difference"] as? [String: Any])?["seconds"] as? Double == 0)
    #expect(!found.line.contains("\n"))
  }

  @Test func `the text shortens long names and replaces terminal sequences`() {
    let names = [String(repeating: "long name ", count: 4), "\u{1B}[31m\u{202E}\n"]
    for (a, b) in [(old, old), ([1], [2]), (old.map { $0 * 9 / 10 } + long, old)] {
      for text in [compare(a, b, names: names).text, compare(b, a, names: names.reversed()).text] {
        #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}"))
        #expect(text.contains("?[31m??"))
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
      }
    }
  }
}
