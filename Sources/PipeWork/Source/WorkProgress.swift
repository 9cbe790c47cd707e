internal import PipeIO
internal import PipeRender
internal import PipeTime

/// The progress line of a consumer: how many items it has taken, and how many are left.
struct WorkProgress {
  private let line: ProgressLine
  private let text = ProgressText("item")
  private var taken = 0

  /// nil if no person can see the line. `sharesOutput`: as for `ProgressLine`.
  init?(sharesOutput: Bool) {
    // Counting the items that are left lists a directory.
    guard let line = ProgressLine(interval: .seconds(1), sharesOutput: sharesOutput) else {
      return nil
    }
    self.line = line
  }

  mutating func take(_ items: Int) { taken += items }

  /// `left`: the items that this run will still take; nil if it has no end.
  func update(left: () -> (items: Int, isAll: Bool)) {
    line.update {
      let (items, isAll) = left()
      let share = isAll && taken + items > 0 ? Double(taken) / Double(taken + items) : nil
      return text.line(taken, share: share, note: isAll ? nil : counted(items, "item") + " waiting")
    }
  }
}
