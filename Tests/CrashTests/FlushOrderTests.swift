import Foundation
import TestSupport
import Testing

// Some file systems flush more than they are asked to, so that a power cut on them cannot show a
// missing flush. The calls show whether the flushes that POSIX requires are there.

/// Files and directories that are not on disk yet, judging by the calls so far.
private struct Unflushed {
  /// Files that were written, and directories with a new name.
  private(set) var paths: Set<String> = []

  /// Reads a line of `strace -y`; true if it prints receipts.
  mutating func note(_ call: Call) -> Bool {
    guard !call.text.contains(") = -1 ") else { return false }
    let first = path(call.text) ?? ""
    switch call.name {
    case "fsync", "fdatasync": paths.remove(first)
    case "mkdirat" where call.text.contains("AT_FDCWD"), "mkdir":
      paths.insert(parent(call.text.split(separator: "\"")[1]))
    case "mkdirat", "pwrite64": paths.insert(first)
    // An empty directory that comes back does no harm.
    case "unlinkat" where !call.text.contains("AT_REMOVEDIR"): paths.insert(first)
    case "openat" where call.text.contains("O_CREAT"),
      "openat2" where call.text.contains("O_CREAT"):
      paths.insert(first)
    // A lost lane end is found again from what it points to.
    case "renameat2" where !first.hasSuffix("/end"): paths.insert(first)
    case "write": return call.text.hasPrefix("write(1<")
    default: break
    }
    return false
  }

  // Path of the first descriptor: `fsync(7</a/b>) = 0`.
  private func path(_ text: String) -> String? {
    guard let open = text.firstIndex(of: "<"), let close = text.firstIndex(of: ">") else {
      return nil
    }
    return String(text[text.index(after: open)..<close])
  }

  private func parent(_ path: Substring) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }
}

@Suite("Flushes before a receipt")
struct FlushOrderTests {
  static let forms = [
    EnqueueForm(
      testDescription: "a queue it created", entries: EnqueueForm.mixed, isExisting: false),
    EnqueueForm(testDescription: "all lanes", entries: EnqueueForm.mixed),
    EnqueueForm(testDescription: "a segment it began", entries: [.record(1)], ballast: 9),
    EnqueueForm(
      testDescription: "places of old ids", entries: EnqueueForm.mixed, lines: .strays),
  ]

  @Test(
    "enqueue flushes each line before its end, and each file and directory before its receipt",
    .needsStrace, arguments: forms)
  func flushes(form: EnqueueForm) throws {
    let scratch = try Scratch(.memory)
    let queue = TestQueue(scratch.path("parent/queue"), scratch)
    var ledger = Ledger()
    try form.prepare(queue, &ledger)
    let fed = try form.fed()
    let calls = try recorded(queue.enqueueing(raw: form.isRaw)) { traced in
      var named = traced
      named.arguments.insert("-y", at: 1)
      _ = try form.drive(named, fed)
    }
    var unflushed = Unflushed()
    var receipts = 0
    for call in calls {
      if call.text.contains(#""format.new", 3"#)
        || call.text.contains(#"/queue>, "format", RENAME"#)
      {
        // A process that sees the format takes the rest for granted.
        #expect(unflushed.paths.subtracting([queue.path]).isEmpty, "before \(call)")
      }
      if call.name == "renameat2", call.text.contains("/end>"),
        let lane = call.text.split(separator: "\"").dropFirst().first?.prefix(while: \.isLetter)
      {
        // Consumers take all lines before the end for whole.
        #expect(
          !unflushed.paths.contains { $0.contains("/segments/\(lane)/") }, "before \(call)")
      }
      guard unflushed.note(call) else { continue }
      receipts += 1
      #expect(unflushed.paths.isEmpty, "before \(call)")
    }
    #expect(receipts == 1)
  }
}

@Suite("Flush order of the scheduler")
struct SchedulerFlushOrderTests {
  @Test(
    "a file in dead/ or later/ is on disk before now/ says so, and now/ before the file goes",
    .needsStrace, arguments: SchedulerForm.all)
  func flushes(form: SchedulerForm) throws {
    let scratch = try Scratch(.memory)
    let queue = TestQueue(scratch.path("queue"), scratch)
    var ledger = try form.prepare(queue)
    let calls = try recorded(try form.command(queue)) { traced in
      var named = traced
      named.arguments.insert("-y", at: 1)
      _ = try form.play(form, queue, named, &ledger)
    }
    let now = queue.path + "/now"
    var unflushed = Unflushed()
    var hasFlushedNow = false
    for call in calls {
      let isAside = ["dead", "later"].contains { call.text.contains("<\(queue.path)/\($0)/") }
      let isNamed = call.name == "unlinkat" || call.text.contains("O_CREAT")
      if isAside, isNamed, !call.text.contains("AT_REMOVEDIR") {
        // If the claim were lost and this were not, the item would be two things.
        #expect(hasFlushedNow && !unflushed.paths.contains(now), "before \(call)")
      }
      let aside = unflushed.paths.filter {
        // The content of a file in later/ is only informative.
        let path = $0.dropFirst(queue.path.count)
        return path.hasPrefix("/dead") || path.hasPrefix("/later") && !path.contains("-")
      }
      if call.name == "unlinkat", isAside, !call.text.contains("AT_REMOVEDIR") {
        #expect(aside.allSatisfy { call.text.contains("<\($0)>") }, "before \(call)")
      }
      if call.name == "renameat2", call.text.contains("<\(now)>"), !call.text.contains(#""later."#)
      {
        #expect(aside.isEmpty, "before \(call)")
      }
      if call.name == "exit_group" {
        #expect(aside.isEmpty && !unflushed.paths.contains(now), "at the end of \(form)")
      }
      if call.name == "fsync", call.text.contains("<\(now)>") { hasFlushedNow = true }
      _ = unflushed.note(call)
    }
  }

  @Test(
    "a reaper flushes now/ before it removes what a dead consumer was bringing back", .needsStrace)
  func reaped() throws {
    let scratch = try Scratch(.memory)
    let queue = TestQueue(scratch.path("queue"), scratch)
    let form = SchedulerForm.restore
    _ = try form.prepare(queue)
    let command = try form.command(queue)
    // Its first flush is that of the claims in now/.
    let flush = Call(name: "fsync", ordinal: 1, text: "")
    #expect(try command.killed(at: flush).run().ending == .killed(9))
    #expect(try queue.heldItems() > 0 && !queue.leftAside().isEmpty)
    let calls = try recorded(command) { traced in
      var named = traced
      named.arguments.insert("-y", at: 1)
      try named.mustRun()
    }
    let removed = try #require(
      calls.firstIndex { $0.name == "unlinkat" && $0.text.contains("<\(queue.path)/later/") })
    let flushed = calls.firstIndex { $0.name == "fsync" && $0.text.contains("<\(queue.path)/now>") }
    #expect(flushed.map { $0 < removed } == true, "\(calls[removed])")
  }
}
