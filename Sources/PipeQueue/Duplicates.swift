internal import PipeIO

/// Ids of a draft that the queue has already, also in lines that are not flushed yet. Under the lock of
/// end/, so that two processes that store the same line at once store it once.
struct Duplicates {
  private let queue: Queue
  private let lookup: Lookup
  private let marks: [EndMark]

  /// `tails`: of all lanes, checked up to the size of their files.
  init(_ queue: Queue, _ ends: Ends, _ tails: [Tail?]) {
    self.queue = queue
    lookup = Lookup(queue)
    marks = Priority.allCases.map { tails[Int($0.rawValue)]?.mark ?? ends[$0] }
  }

  func drop(from draft: inout Draft) throws(Fault) {
    var duplicates: Set<Int> = []
    var wanted = firstOccurrences(draft, &duplicates)
    guard let first = wanted.keys.min(), let last = wanted.keys.max() else { return }
    for mark in marks where !wanted.isEmpty {
      // Lines are stored at most `patience` after their ids were minted, or noted as strays.
      let latest = (last.milliseconds + StrayFile.patience + 1) * 1000
      try lookup.lines(mark.lane, from: first.milliseconds * 1000, upTo: mark) { line, _, _ in
        if let receipt = wanted.removeValue(forKey: line.id) { duplicates.insert(receipt) }
        return !wanted.isEmpty && line.time < latest
      }
    }
    if !wanted.isEmpty {
      for run in try queue.strayRuns(first, last) {
        try lookup.lines(of: run, upTo: marks[Int(run.lane.rawValue)]) { line, _, _ in
          if let receipt = wanted.removeValue(forKey: line.id) { duplicates.insert(receipt) }
          return !wanted.isEmpty
        }
      }
    }
    if !duplicates.isEmpty { draft.drop(duplicates) }
  }

  // Ids that ascend cannot repeat; then nothing of this commit needs to be remembered twice.
  private func firstOccurrences(_ draft: Draft, _ duplicates: inout Set<Int>) -> [EntryID: Int] {
    var wanted: [EntryID: Int] = [:]
    wanted.reserveCapacity(draft.receipts.count)
    for (index, receipt) in draft.receipts.enumerated() {
      if wanted[receipt.id] == nil { wanted[receipt.id] = index } else { duplicates.insert(index) }
    }
    return wanted
  }
}
