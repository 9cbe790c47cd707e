#if Postgres
  import Foundation
  import PipeEngine
  import PipeIO
  import PipeTime
  import PipeWork
  import TestSupport

  @testable import PipeQueue

  /// What one engine does and the other does not.
  struct Discrepancy: Error, CustomStringConvertible {
    let description: String
  }

  /// One random run of a queue in a directory and of one in PostgreSQL, side by side.
  final class EngineSchedule {
    private var random: SplitMix
    private let time = ScheduleTime()
    private let sides: [Side]
    private let settings: Settings
    private let window: TimeSpan
    /// Whether equal entries are found by their keys. Otherwise, they are found by their data.
    private let hasKeys: Bool
    private var mint = ULIDGenerator()
    private var ids: [EntryID] = []
    private var delays: [EntryID: Instant] = [:]
    private var consumers: [Int] = []
    private var born = 0
    private var nextDatum = 0
    private(set) var log: [String] = []

    /// What both sides hold.
    private struct Handed {
      let number: Int
      /// The consumer that claimed it.
      let maker: Int
      /// Whether no item is tried for the last time.
      let mayFail: Bool
      var items: Int
      /// Until when the clock holds it.
      var due: Instant?
      var isHeld: Bool { due != nil }
    }
    private var handed: [Handed] = []
    private var claimed = 0

    init(seed: UInt64, _ directory: String, _ address: String) throws {
      random = SplitMix(seed: seed)
      var chosen = Settings()
      chosen.slice = random.number(1...3)
      chosen.retries = random.number(0...3)
      chosen.backoff = Backoff(base: .zero, most: .zero)
      if random.chance(20) { chosen.maxItems = random.number(5...20) }
      settings = chosen
      window = random.chance(40) ? .days(3650) : .zero
      hasKeys = random.chance(50)
      sides = [
        try Side("\(directory)/\(seed)", chosen, time, dedup: window),
        try Side(address + "/s\(seed)", chosen, time, dedup: window),
      ]
      path = sides[0].path
    }

    private let path: String

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The files of the queue in the directory.
    var files: [String] {
      let all = FileManager.default.enumerator(atPath: path)?.allObjects ?? []
      return all.map { "\($0)" }.sorted()
    }

    func remove() throws { for side in sides { try side.remove() } }

    func run() throws {
      try enqueue()
      for _ in 0..<random.number(8...32) {
        try step()
        if random.chance(25) { try both("census") { try $0.census() } }
      }
      try both("census") { try $0.census() }
      try drain()
      try both("census") { try $0.census() }
    }

    /// Makes the same call on both sides, and compares the answers.
    @discardableResult
    private func both(_ what: String, _ call: (Side) throws -> [String]) throws -> [String] {
      log.append(what)
      let answers = try sides.map(call)
      if answers[0] != answers[1] {
        throw Discrepancy(
          description: "\(what): " + zip(sides, answers).map { "\n\($0.name): \($1)" }.joined())
      }
      return answers[0]
    }

    private func step() throws {
      switch random.number(0...99) {
      case 0..<18: try enqueue()
      case 18..<45: try claim()
      case 45..<65: try settle()
      case 65..<75: try pass()
      case 75..<79: try hold()
      case 79..<82: try adopt()
      case 82..<85: try die()
      case 85..<88: try treatDead()
      case 88..<96: try control()
      default: try pause()
      }
    }

    private func enqueue() throws {
      var writeBatch = WriteBatch()
      writeBatch.hasForeignIDs = true
      for _ in 0..<random.number(1...3) {
        // Now and then an id that the queue has.
        let isKnown = !ids.isEmpty && random.chance(5)
        let id = isKnown ? random.pick(ids) : mint.id(at: Clock.now())
        var entry = NewEntry(id: id, priority: random.pick(Lane.allCases))
        let count = random.chance(40) ? 0 : random.number(1...6)
        if count > 0 { entry.ids = (count, settings.slice) }
        let data = (0..<max(1, count)).map { _ in datum() }
        let delay: TimeSpan? =
          random.chance(75) ? nil : .microseconds(random.number(0...20_000_000))
        let key = window > .zero && hasKeys ? Array("\"k\(random.number(0...9))\"".utf8) : nil
        entry.options = LineOptions.column(
          key: key, notBefore: delay.map { time.wall + $0 }, delay: delay)
        if !isKnown {
          ids.append(id)
          delays[id] = delay.map { time.wall + $0 }
        }
        var text = count > 0 ? "[\(data.joined(separator: ","))]" : data[0]
        text.withUTF8 { writeBatch.append(entry, data: UnsafeRawBufferPointer($0)) }
        log.append("  \(id.text) \(entry.priority.name) \(text) delay \(String(describing: delay))")
      }
      let producer = random.number(0...1)
      // In a standing clock, the times of entries would run ahead of it.
      try advance(.milliseconds(1))
      try both("enqueue") { try $0.commit(writeBatch, by: producer) }
    }

    private func datum() -> String {
      nextDatum += 1
      return String(window > .zero && !hasKeys ? random.number(0...30) : nextDatum)
    }

    private func someConsumer() throws -> Int {
      if consumers.isEmpty || consumers.count < 3 && random.chance(25) {
        try newConsumer(hides: random.chance(50))
      }
      return random.pick(consumers)
    }

    private func newConsumer(hides: Bool) throws {
      born += 1
      consumers.append(born)
      try both("consumer \(born), hides \(hides)") {
        try $0.start(born, hides: hides)
        return []
      }
    }

    private func claim() throws {
      let every: TimeSpan = random.pick([.zero, .zero, .seconds(1), .seconds(5), .seconds(3600)])
      // Now and then until nothing is handed out: anything left behind shows at once.
      for _ in 0..<(random.chance(80) ? 1 : 5) {
        let consumer = try someConsumer()
        if try !claim(by: consumer, size: random.number(1...5), every) { return }
      }
    }

    private func claim(
      by consumer: Int, size: Int, _ every: TimeSpan = .zero
    ) throws -> Bool {
      claimed += 1
      let number = claimed
      let what = "claim \(number) by \(consumer): size \(size), every \(every.microseconds)"
      let answer = try both(what) {
        try $0.claim(number, by: consumer, size: size, every: every)
      }
      guard answer[0].hasPrefix("attempt") else { return false }
      let mayFail = Int(answer[0].dropFirst("attempt ".count))! <= settings.retries
      handed.append(
        Handed(number: number, maker: consumer, mayFail: mayFail, items: answer.count - 1))
      return true
    }

    private func settle() throws {
      guard !handed.isEmpty else { return }
      let index = random.number(0...handed.count - 1)
      let claim = handed[index]
      let consumer = claim.isHeld ? try someConsumer() : claim.maker
      if random.chance(30) {
        handed.remove(at: index)
        let first = random.number(0...claim.items)
        try both("acknowledge \(first) of \(claim.number)") {
          try $0.acknowledge(claim.number, by: consumer, first: first)
        }
        return
      }
      let wait: TimeSpan = random.pick([.zero, .seconds(1), .seconds(10), .microseconds(1)])
      let outcomes = (0..<claim.items).map { _ in outcome() }
      let words = outcomes.map { $0.map { "\($0)".prefix { $0 != "(" } } ?? "-" }
      let answer = try both("settle \(claim.number): \(words), wait \(wait.microseconds)") {
        try $0.settle(claim.number, by: consumer, wait: wait, outcomes)
      }
      if answer[0].hasPrefix("attempt") {
        handed[index].items = answer.count - 1
      } else {
        handed.remove(at: index)
      }
    }

    private func outcome() -> Outcome? {
      switch random.number(0...9) {
      case 0..<3: .done
      case 3..<5: .giveBack
      case 5..<8: .retry(failure())
      case 8: .bury(failure())
      default: nil
      }
    }

    private func failure() -> PipeQueue.Failure {
      let number = Int32(random.number(1...3))
      return PipeQueue.Failure("exit \(number)", exitStatus: number, stderr: Array("oops\n".utf8))
    }

    private func hold() throws {
      // When a hold ends at the last attempt, the next consumer buries the items in a directory. In PostgreSQL, commands
      // that change waiting items do this, too.
      let choice = handed.indices.filter { !handed[$0].isHeld && handed[$0].mayFail }
      guard let index = choice.randomElement(using: &random)
      else { return }
      let claim = handed[index]
      let span: TimeSpan = random.pick([.seconds(1), .seconds(5), .seconds(600)])
      let answer = try both("hold \(claim.number) for \(span.microseconds)") {
        try $0.hold(claim.number, by: claim.maker, for: span)
      }
      if answer.isEmpty {
        handed[index].due = time.wall + span
      } else {
        handed.remove(at: index)
      }
    }

    private func adopt() throws {
      guard let index = handed.indices.filter({ handed[$0].isHeld }).randomElement(using: &random)
      else { return }
      let claim = handed[index]
      let consumer = try someConsumer()
      let answer = try both("adopt \(claim.number) by \(consumer)") {
        try $0.adopt(claim.number, by: consumer)
      }
      if answer[0] == "lost" {
        handed.remove(at: index)
      } else {
        handed[index].items = answer.count - 1
      }
    }

    /// A consumer vanishes, and its locks with it.
    private func die(atLastAttempt: Bool = false) throws {
      // Before the turn of the next batch, PostgreSQL buries what the dead held in their last attempt. A directory
      // does this with the next batch.
      let choice = consumers.indices.filter { index in
        atLastAttempt
          || !handed.contains { $0.maker == consumers[index] && !$0.isHeld && !$0.mayFail }
      }
      guard let index = choice.randomElement(using: &random) else { return }
      let consumer = consumers.remove(at: index)
      let lost = handed.filter { $0.maker == consumer && !$0.isHeld }.map(\.number)
      handed.removeAll { lost.contains($0.number) }
      try both("consumer \(consumer) dies") {
        try $0.kill(consumer, lost)
        return []
      }
      // A consumer looks for dead ones once a second.
      try advance(.milliseconds(1001))
    }

    /// Lets time pass: a little, or a lot.
    private func pass() throws {
      let step = TimeSpan.microseconds(
        random.pick([1, 999_999, 1_000_000, random.number(0...30_000_000)]))
      try advance(step)
    }

    private func advance(_ step: TimeSpan) throws {
      time.wall = time.wall + step
      time.steady = time.steady + step
      log.append("time goes on by \(step.microseconds)")
      for side in sides { try side.tick() }
      // A late settlement succeeds in a directory until another consumer has claimed the items, and in PostgreSQL until
      // it has looked at them.
      handed.removeAll { claim in claim.due.map { $0 <= time.wall } ?? false }
    }

    private func treatDead() throws {
      guard let id = ids.randomElement(using: &random) else { return }
      if random.chance(70) {
        // `retry` uses the clock of the machine.
        if let until = delays[id], until > time.wall { return }
        try both("revive \(id.text)") { try $0.revive(id) }
      } else {
        try both("drop \(id.text)") { try $0.drop(id) }
      }
    }

    private func control() throws {
      // By the clock of the machine, which the commands use, no hold lasts.
      if handed.contains(where: \.isHeld) { return }
      // Those of which the command would say something are left out.
      let chosen = try ids.filter { id in
        let items = try sides[0].waiting(of: id)
        return !items.isEmpty && random.chance(30)
      }
      guard !chosen.isEmpty else { return }
      switch random.number(0...4) {
      case 0: try both("cancel \(chosen.map(\.text))") { try $0.control(.cancel, chosen) }
      case 1: try both("purge \(chosen.map(\.text))") { try $0.control(.purge, chosen) }
      case 2:
        let lane = random.pick(Lane.allCases)
        let movable = try chosen.filter { try isUntried($0) }
        try both("move \(movable.map(\.text)) to \(lane.name)") {
          try $0.control(.move(to: lane), movable)
        }
      default:
        let due: Claimer.Due = random.pick([
          .now, .after(.microseconds(random.number(1...20_000_000))),
          .at(time.wall + .seconds(random.number(-5...20))),
        ])
        try both("reschedule \(chosen.map(\.text)) to \(due)") {
          try $0.reschedule(chosen, to: due)
        }
      }
    }

    /// Whether all items of an entry are ready, and none was handed out. (A command that moves delayed items uses the
    /// clock of the machine.)
    private func isUntried(_ id: EntryID) throws -> Bool {
      guard let found = try sides[0].queue.waiting(of: id, at: time.wall) else { return false }
      return found.claims.isEmpty && found.others == 0
        && found.waiting.allSatisfy { $0.attempts == 0 && $0.isReady }
    }

    private func pause() throws {
      if random.chance(50) {
        let until = random.chance(50) ? nil : Clock.now() + .days(1)
        try both("pause until \(String(describing: until))") { try $0.pause(until: until) }
      } else {
        try both("resume") { try $0.resume() }
      }
    }

    /// In the end, everything that is left comes, in the same batches.
    private func drain() throws {
      while !consumers.isEmpty { try die(atLastAttempt: true) }
      try advance(.days(1))
      try both("resume") { try $0.resume() }
      try newConsumer(hides: false)
      while try claim(by: born, size: random.number(1...4)) {
        let claim = handed.removeLast()
        try both("acknowledge \(claim.number)") {
          try $0.acknowledge(claim.number, by: born, first: claim.items)
        }
      }
    }
  }
#endif
