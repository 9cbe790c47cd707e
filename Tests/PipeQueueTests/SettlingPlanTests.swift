import Testing

@testable import PipeQueue

@Suite("Settling plans")
struct SettlingPlanTests {
  private typealias Fate = SettlingPlan.Fate

  /// A claim of `count` items, in parts that end at `ends`.
  private func claim(_ count: Int, ends: [Int], attempts: [Int]) -> Claim {
    var parts: [Part] = []
    var from = 0
    for (end, attempt) in zip(ends, attempts) {
      parts.append(
        Part(
          name: .claim(10 * from, 10 * from + end - from, attempt: attempt), items: from..<end,
          places: (from..<end).map { place(10 * from + $0 - from) }))
      from = end
    }
    let all = (0..<count).map {
      Item(entry: anEntry, index: $0 + 1, priority: .high, isJob: false, data: 0..<0)
    }
    return Claim(
      batch: token, attempt: attempts.max()!, items: all, bytes: [], parts: parts, acceptances: [])
  }

  private let one = Failure("exit 1", exitStatus: 1)
  private let two = Failure("exit 2", exitStatus: 2)

  @Test("a plan joins neighbours with the same fate")
  func runs() {
    let runs = SettlingPlan.runs([.done, .done, .again, .held, .held, .done], from: 7)
    #expect(runs.map(\.items) == [7..<9, 9..<10, 10..<12, 12..<13])
    #expect(runs.map(\.fate) == [.done, .again, .held, .done])
    #expect(SettlingPlan.runs([], from: 7).isEmpty)
    #expect(SettlingPlan.runs([.ready], from: 7).map(\.items) == [7..<8])
  }

  @Test("a plan gives each item of each part its own outcome")
  func fates() {
    let plan = SettlingPlan(claim(4, ends: [3, 4], attempts: [1, 1]), 2) { item in
      [.done, nil, .giveBack, .retry(one)][item]
    }
    #expect(plan.fates == [[.done, .held, .ready], [.again]])
    #expect(plan.burials.isEmpty)
  }

  @Test("a plan buries items at their last attempt, part by part, and items to be buried anyway")
  func burials() {
    let plan = SettlingPlan(claim(3, ends: [1, 3], attempts: [3, 2]), 2) { item in
      item == 2 ? .bury(one) : .retry(one)
    }
    #expect(plan.fates == [[.done], [.again, .done]])
    #expect(plan.burials.map(\.item) == [0, 2])
    #expect(plan.burials.map(\.part) == [0, 1])
  }

  @Test("a plan records equal failures of neighbours together, but never across parts")
  func failures() {
    let plan = SettlingPlan(claim(5, ends: [4, 5], attempts: [1, 1]), 2) { item in
      .retry([one, one, two, one, one][item])
    }
    #expect(plan.failures.map(\.items) == [0..<2, 2..<3, 3..<4, 4..<5])
    #expect(plan.failures.map(\.isFirst) == [true, false, false, true])
  }

  @Test("a plan keeps items that cannot be buried for another time")
  func refused() {
    var plan = SettlingPlan(claim(3, ends: [1, 3], attempts: [1, 1]), 2) { _ in .bury(one) }
    plan.unburied([plan.burials[2]])
    #expect(plan.fates == [[.done], [.done, .again]])
  }

  private let handedOut = token.handedOut

  @Test("a plan takes back the attempt of items given back, and knows which were never tried")
  func states() {
    let due = ReadyTime(at: 9, span: 0)
    let claimed = NowName.State.claim(batch: token, attempt: 2, owner: 4)
    #expect(Fate.ready.state(of: claimed, due) == .again(batch: handedOut, attempt: 1, due: .now))
    #expect(Fate.again.state(of: claimed, due) == .again(batch: handedOut, attempt: 2, due: due))
    #expect(Fate.held.state(of: claimed, due) == claimed)
    #expect(Fate.done.state(of: claimed, due) == .done)
    let first = NowName.State.claim(batch: token, attempt: 1, owner: 4)
    #expect(Fate.ready.state(of: first, due) == .untried)
  }

  @Test("a plan does the same with items that the clock holds")
  func held() {
    let held = NowName.State.hold(batch: token, attempt: 2, until: ReadyTime(at: 3, span: 2))
    #expect(Fate.held.state(of: held, .now) == held)
    #expect(Fate.ready.state(of: held, .now) == .again(batch: handedOut, attempt: 1, due: .now))
    #expect(Fate.done.state(of: held, .now) == .done)
  }
}
