import Testing

@testable import PipeQueue

@Suite("A lane, by the names in now/")
struct LaneLineTests {
  private func line(_ names: [NowName], end: Int = 10) -> LaneMap {
    LaneMap(.high, end: place(end), names: names)
  }

  /// A letter per item: `.` ready, `c` claimed, `d` done, a digit for the attempts of again.
  private func picture(_ line: LaneMap) -> String {
    (0..<line.end.number).map { number in
      switch line.state(of: number) {
      case nil: "."
      case .claim: "c"
      case .done: "d"
      case .again(_, let attempt, _): "\(attempt)"
      case .hold: "h"
      case .lost: "l"
      case .dropped: "x"
      }
    }.joined()
  }

  struct Overlap: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let names: [NowName]
    let picture: String

    init(_ story: String, _ names: [NowName], _ picture: String) {
      testDescription = story
      self.names = names
      self.picture = picture
    }

    static let all = [
      Overlap("what no name covers is ready", [], ".........."),
      Overlap("a name says it of its items only", [.done(2, 4)], "..dd......"),
      Overlap("a claim beats done", [.done(0, 10), .claim(3, 5)], "dddccddddd"),
      Overlap("a claim beats again", [.again(0, 6), .claim(4, 8)], "1111cccc.."),
      Overlap("a claim beats both", [.done(0, 5), .again(0, 5), .claim(0, 5)], "ccccc....."),
      Overlap("again beats done", [.done(0, 10), .again(6, 8)], "dddddd11dd"),
      Overlap(
        "the wider of two again names is the truth", [.again(2, 8, attempt: 2), .again(4, 8)],
        "..222222.."),
      Overlap(
        "also if they begin together", [.again(2, 5), .again(2, 8, attempt: 2)], "..222222.."),
      Overlap("done names add up", [.done(0, 3), .done(2, 6), .done(8, 9)], "dddddd..d."),
      Overlap(
        "done beats dropped, and dropped beats lost",
        [.done(0, 3), NowName(items(1, 5), .dropped), NowName(items(2, 8), .lost)], "dddxxlll.."),
      Overlap("again beats lost", [NowName(items(2, 8), .lost), .again(4, 6)], "..ll11ll.."),
      Overlap("an empty name says nothing", [.done(4, 4), .again(6, 6)], ".........."),
      Overlap("names of another lane say nothing", [.done(0, 10, .low)], ".........."),
    ]
  }

  @Test(
    "a lane knows the state of each item, even if a crash left overlapping names",
    arguments: Overlap.all)
  func states(overlap: Overlap) {
    #expect(picture(line(overlap.names)) == overlap.picture)
    #expect(picture(line(overlap.names.reversed())) == overlap.picture, "in any order of listing")
  }

  @Test("a name after the lane end counts, because a power cut may have undone the move of the end")
  func beyond() {
    let lane = line([.done(0, 2), .done(8, 14), .claim(12, 13)], end: 4)
    #expect(lane.state(of: 3) == nil && lane.state(of: 7) == nil)
    #expect(lane.state(of: 8) == .done && lane.state(of: 13) == .done)
    #expect(NowName(items(12, 13), lane.state(of: 12)!).isClaim)
    #expect(lane.untouched == [items(2, 4)] && lane.names.count == 1)
  }

  @Test("a lane offers items that were never taken, and items to be tried again")
  func offers() {
    let names: [NowName] = [.done(0, 2), .claim(3, 4), .again(5, 9), .again(7, 9), .claim(20, 21)]
    let lane = line(names, end: 30)
    #expect(lane.untouched == [items(2, 3), items(4, 5), items(9, 20), items(21, 30)])
    #expect(lane.waiting == [.again(5, 9)])
    #expect(line([.again(0, 4), .claim(2, 4)]).waiting == [], "the claim is the truth there")
    #expect(line([], end: 0).untouched == [])
  }

  @Test("a lane counts all items as undone that are not done for good")
  func undone() {
    #expect(line([]).undone == [items(0, 10)])
    #expect(line([.done(0, 10)]).undone == [])
    #expect(line([.done(0, 6), .claim(2, 3)]).undone == [items(2, 3), items(6, 10)])
    #expect(line([.done(0, 9), .again(4, 6), .again(5, 6)]).undone == [items(4, 6), items(9, 10)])
    #expect(line([.claim(0, 4), .again(4, 10)]).undone == [items(0, 10)])
  }

  @Test("a lane reads random names correctly, item by item")
  func chance() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<500 {
      let names: [NowName] = (0..<4).map { _ in
        let from = Int.random(in: 0..<10, using: &random)
        let to = Int.random(in: from...10, using: &random)
        return Bool.random(using: &random) ? .done(from, to) : .again(from, to)
      }
      let lane = line(names)
      let inUndone = (0..<10).map { number in
        lane.undone.contains { $0.from.number <= number && number < $0.to.number } ? "u" : "d"
      }
      #expect(picture(lane).map { $0 == "d" ? "d" : "u" } == inUndone, "\(names.map(\.text))")
    }
  }
}
