import class TestSupport.Scratch

@testable import PipeIO
@testable import PipeQueue

/// A queue in a directory that is removed with the test.
final class ScratchQueue {
  private let scratch: Scratch
  let path: String
  let queue: Queue

  init(_ change: ((inout Settings) -> Void)? = nil) throws {
    scratch = try Scratch()
    path = scratch.path("queue")
    queue = try Queue.create(path: path, change: change)
  }

  /// Stores records in one commit, as entry lines from elsewhere.
  @discardableResult
  func store(_ ids: [EntryID], _ data: String = "1", _ lane: Lane = .medium) throws -> [Receipt] {
    var draft = WriteBatch()
    draft.hasForeignIDs = true
    for id in ids { draft.append(NewEntry(id: id, priority: lane), data) }
    try Appender(queue).commit(&draft)
    return draft.receipts
  }
}
