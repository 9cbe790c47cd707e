import Foundation
import TestSupport
import Testing

@Suite("Crashes of route", .serialized)
struct RouteCrashTests {
  /// The original queues, beside those that are worked on.
  private struct Stage {
    let form: RouteForm
    let queue: TestQueue
    let ids: [String]
    private let original: String

    init(_ form: RouteForm) throws {
      let scratch = try Scratch(.memory)
      self.form = form
      original = scratch.path("original")
      queue = TestQueue(scratch.path("work/queue"), scratch)
      try form.prepare(TestQueue(original + "/queue", scratch))
      ids = try Command.pipe("list", "-q", original + "/queue").mustRun().ids
    }

    func play(_ command: Command) throws -> Run {
      let home = RouteForm.home(queue)
      try? FileManager.default.removeItem(atPath: home)
      try Command("cp", "-r", original, home).mustRun()
      return try command.run()
    }

    func calls() throws -> [Call] {
      try steadily(form.command(queue)) { traced in
        let dry = try play(traced)
        #expect(dry.ending == .exited(0), "\(dry)")
        try form.settle(queue, ids: ids, after: "\(dry)")
      }
    }
  }

  @Test(
    "a route killed at any system call loses no entry and doubles none",
    .needsStrace, arguments: RouteForm.all)
  func kill(form: RouteForm) throws {
    let stage = try Stage(form)
    let calls =
      try form.isExisting ? stage.calls().filter(\.changesSomething) : stage.calls().thinned
    var visited = 0
    for call in calls {
      let result = try reaching(call, form.command(stage.queue)) { try stage.play($0) }
      guard let result else { continue }
      visited += 1
      try form.settle(stage.queue, ids: stage.ids, after: "killed at \(call)\n\(result)")
    }
    #expect(visited == calls.count && visited * sampleStep > 20)
    print("visited: \(visited) kills of route, \(form.testDescription)")
  }

  @Test(
    "an error of any system call of route loses no entry and doubles none",
    .needsStrace, arguments: [RouteForm.toAll])
  func errors(form: RouteForm) throws {
    let stage = try Stage(form)
    var visited = 0
    for call in try stage.calls().thinned where call.canFail {
      for injection in Injection.some {
        let result = try stage.play(injection.apply(to: form.command(stage.queue), at: call))
        let story = "\(injection.outcome) \(injection.when) at \(call)\n\(result)"
        if case .exited(let status) = result.ending, documented.contains(status) {
          visited += 1
        } else {
          Issue.record("\(story)")
        }
        try form.settle(stage.queue, ids: stage.ids, after: story)
      }
    }
    #expect(visited * sampleStep > 10)
    print("visited: \(visited) errors of route, \(form.testDescription)")
  }
}

@Suite("Power cuts during route", .serialized)
struct RoutePowerCutTests {
  @Test(
    "a power cut on ext4 during route loses no entry and doubles none",
    .needsStrace, .needsDisks(.ext4), arguments: [RouteForm.byValue, .toAll])
  func ext4(form: RouteForm) throws { try PowerCut.route(form, on: .ext4) }

  @Test(
    "a power cut on btrfs during route loses no entry and doubles none",
    .needsStrace, .needsDisks(.btrfs), arguments: [RouteForm.toAll])
  func btrfs(form: RouteForm) throws { try PowerCut.route(form, on: .btrfs) }
}

extension PowerCut {
  fileprivate static func route(_ form: RouteForm, on kind: Disk.Kind) throws {
    var ids: [String] = []
    let power = try PowerCut(kind) { queue, _ in
      try form.prepare(queue)
      ids = try Command.pipe("list", "-q", queue.path).mustRun().ids
    }
    let command = form.command(power.queue)
    let calls = try power.calls(command) { try $0.run() }
    try power.cut(atEach: calls, command, { try $0.run() }) { result, call in
      try form.settle(power.queue, ids: ids, after: "power cut before \(call)\n\(result)")
    }
    #expect(calls.count * sampleStep > 20)
    print("visited: \(calls.count) power cuts on \(kind), route, \(form.testDescription)")
  }
}

extension Run {
  /// The id of each line, in the order in which they were given.
  fileprivate var ids: [String] {
    lines.map { String($0.dropFirst(#"{"id":""#.count).prefix(26)) }.sorted()
  }
}
