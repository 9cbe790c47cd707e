import Foundation
import Glibc
import TestSupport
import Testing

// strace lets a write return 3 without writing anything, so the test writes the three bytes to
// their place; they are in the trace.

/// A write that was made to return 3.
private struct ShortWrite {
  let path: String
  let bytes: [UInt8]
  let offset: Int

  /// `pwrite64(3</a/file>, "\n6b051"..., 83, 166) = 3 (INJECTED)`
  init?(_ line: Substring) {
    guard line.hasSuffix("(INJECTED)"), let open = line.firstIndex(of: "<"),
      let close = line.firstIndex(of: ">"), let quote = line.firstIndex(of: "\""),
      let end = line.lastIndex(of: ")").flatMap({ line[..<$0].lastIndex(of: ")") })
    else { return nil }
    path = String(line[line.index(after: open)..<close])
    let text = line[quote...].dropFirst().replacingOccurrences(of: #"\n"#, with: "\n")
    bytes = Array(text.replacingOccurrences(of: #"\""#, with: "\"").utf8.prefix(3))
    offset = line[..<end].split(separator: " ").last.flatMap { Int($0) } ?? 0
  }

  func complete() throws {
    let file = open(path, O_WRONLY | O_CLOEXEC)
    defer { close(file) }
    guard pwrite(file, bytes, bytes.count, offset) == 3 else { throw Failure("\(path): \(errno)") }
  }
}

@Suite("Short writes", .serialized)
struct ShortWriteTests {
  @Test(
    "a write of three bytes only is continued in segments and strays",
    .needsStrace, arguments: [EnqueueForm.Lines.raw, .strays])
  func enqueue(lines: EnqueueForm.Lines) throws {
    let scratch = try Scratch(.memory)
    let form = EnqueueForm(testDescription: "", entries: EnqueueForm.mixed, lines: lines)
    let fed = try form.fed()
    let queue = TestQueue(scratch.path("queue"), scratch)
    let trace = scratch.path("trace")
    for number in 1... {
      try? FileManager.default.removeItem(atPath: queue.path)
      var ledger = Ledger()
      try form.prepare(queue, &ledger)
      let command = short("pwrite64", number, queue.enqueueing(raw: form.isRaw), trace)
      let result = try form.drive(command, fed)
      #expect(result.receipts.count == fed.count && result.errors.isEmpty, "\(result)")
      guard let write = try shortWrite(trace) else { break }
      try write.complete()
      ledger.feed(fed, receipts: result.receipts)
      try ledger.settle(queue, after: "short write \(number) to \(write.path)\n\(result)")
    }
  }

  @Test("a write of three bytes only is continued in receipts", .needsStrace)
  func receipts() throws {
    let scratch = try Scratch(.memory)
    let queue = TestQueue(scratch.path("queue"), scratch)
    let trace = scratch.path("trace")
    let result = try short("write", 1, queue.enqueueing(), trace).given(EnqueueForm.mixed.text)
      .run()
    let whole = (try shortWrite(trace)?.bytes ?? []) + result.bytes
    #expect(completeLines(whole).allSatisfy { $0.hasPrefix(#"{"ingestion_id":""#) }, "\(result)")
    #expect(completeLines(whole).count == EnqueueForm.mixed.count, "\(result)")
    #expect(result.ending == .exited(0))
  }

  @Test(
    "a write of three bytes only is continued in items",
    .needsStrace, arguments: [ConsumeForm.file, .pipe])
  func items(form: ConsumeForm) throws {
    let scratch = try Scratch(.memory)
    var ledger = Ledger()
    let queue = TestQueue(scratch.path("queue"), scratch)
    try form.prepare(queue, &ledger)
    let trace = scratch.path("trace")
    let file = scratch.path("delivered")
    let result = try short("write", 1, form.command(queue, delivering: file), trace).run()
    let written =
      form == .pipe ? result.bytes : Array(try Data(contentsOf: URL(fileURLWithPath: file)))
    ledger.deliver(completeLines((try shortWrite(trace)?.bytes ?? []) + written))
    #expect(result.ending == .exited(0) && ledger.lost.isEmpty, "\(result)")
    try ledger.settle(queue, after: "\(result)")
  }

  private func short(_ name: String, _ number: Int, _ command: Command, _ trace: String) -> Command
  {
    var copy = command.failing(name, "retval=3", when: "\(number)", trace: trace)
    copy.arguments.insert(contentsOf: ["-y"], at: 1)
    return copy
  }

  private func shortWrite(_ trace: String) throws -> ShortWrite? {
    let text = try String(contentsOfFile: trace, encoding: .utf8)
    return text.split(separator: "\n").compactMap(ShortWrite.init).first
  }
}
