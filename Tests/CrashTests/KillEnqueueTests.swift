import Foundation
import TestSupport
import Testing

@Suite("enqueue under kill -9", .serialized)
struct KillEnqueueTests {
  static let forms = [
    EnqueueForm(testDescription: "one record, queue new", entries: [.record(1)], isExisting: false),
    EnqueueForm(testDescription: "one record", entries: [.record(1)]),
    EnqueueForm(testDescription: "all lanes and an id request", entries: EnqueueForm.mixed),
    EnqueueForm(
      testDescription: "all lanes, queue new", entries: EnqueueForm.mixed, isExisting: false),
    EnqueueForm(testDescription: "entry lines", entries: EnqueueForm.mixed, lines: .ingested),
    EnqueueForm(
      testDescription: "entry lines minted days ago", entries: EnqueueForm.mixed, lines: .strays),
    EnqueueForm(testDescription: "a commit a line", entries: EnqueueForm.mixed, isOneByOne: true),
  ]

  @Test(
    "an enqueue killed at any system call has stored the entries of its receipts",
    .needsStrace, arguments: forms)
  func kill(form: EnqueueForm) throws {
    let scratch = try Scratch(.memory)
    let fed = try form.fed()
    var prepared = Ledger()
    let original = TestQueue(scratch.path("original"), scratch)
    try form.prepare(original, &prepared)
    let queue = TestQueue(scratch.path("queue"), scratch)
    let command = queue.enqueueing(raw: form.isRaw)
    let calls = try steadily(command) { traced in
      try form.reset(queue, to: original)
      let dry = try form.drive(traced, fed)
      #expect(dry.receipts.count == fed.count, "\(dry)")
    }
    var visited = 0
    for call in calls {
      let result = try reaching(call, command) { killed in
        try form.reset(queue, to: original)
        return try form.drive(killed, fed)
      }
      guard let result else { continue }
      visited += 1
      var ledger = prepared
      ledger.feed(fed, receipts: result.receipts)
      try ledger.settle(queue, after: "killed at \(call)\n\(result)")
    }
    #expect(visited == calls.count)
    print("visited: \(visited) kills of enqueue, \(form.testDescription)")
  }
}
