package import PipeIO
package import PipeQueue
internal import PipeText
package import PipeTime

/// What list, dead and status print on a terminal: rows that fit it, below a head that is written
/// before the first row.
package final class EntryTable {
  package enum Form {
    /// `01J…  HIGH      ready     2 min 3 s  {"n":1}`
    case list
    /// `01J…     1    2 min 3 s  exit 65           {"n":1}`
    case dead
    /// `01J…  completed      2 min 3 s      1  ` and, of an id request, a row per batch:
    /// `  .2                        failed                               ids 4 5 6`
    case status
  }

  private let table: TextTable
  private let now: Instant
  private var hasHead = false

  /// nil if stdout is not a terminal.
  package init?(_ form: Form, at now: Instant = Clock.now()) {
    guard let size = TerminalSize.ofOutput else { return nil }
    table = TextTable(form.columns(width: size.columns), width: size.columns)
    self.now = now
  }

  package func append(_ listed: ListedEntry, to output: Output) {
    let cells = [listed.id.text, listed.priority.name, listed.state.rawValue, age(listed.created)]
    append(cells + [text(listed.data)], to: output)
  }

  package func append(_ lost: LostItems, to output: Output) {
    let place = "\(counted(lost.items, "item")) at byte \(lost.byte) of \(lost.segment)"
    append(["-", lost.priority.name, "lost", "-", place], to: output)
  }

  package func append(_ letter: DeadLetter, to output: Output) {
    let last = letter.history.last
    append(
      [
        letter.entry.text, "\(letter.index)", "\(last?.number ?? 0)",
        last.map { age($0.ended) } ?? "-", printable(last?.reason ?? "-"), text(letter.data),
      ], to: output)
  }

  package func append(
    _ status: EntryStatus, outputs: [OutputText.Kept] = [], to output: Output
  ) {
    append(
      [
        status.id.text, status.word.rawValue, age(status.created),
        status.attempts.map { "\($0)" } ?? "-", printable(status.reason ?? ""),
      ], to: output)
    for slice in status.slices where !slice.ids.isEmpty {
      let ids = "ids " + slice.ids.joined(separator: " ")
      append(["  .\(slice.number)", slice.word.rawValue, "", "", ids], to: output)
    }
    for (items, kept) in outputs {
      guard let value = kept.value else { continue }
      append(
        ["  item \(items.lowerBound)", "output", "", "\(kept.attempt)", text(value)], to: output)
    }
  }

  private func append(_ cells: [String], to output: Output) {
    if !hasHead { output.append(table.head + "\n") }
    hasHead = true
    output.append(table.row(cells) + "\n")
  }

  private func age(_ time: Instant) -> String { PipeText.age((now - time).seconds) }

  /// As much of the data as fits, or of the command of a job as `submit` writes it. A character has four bytes at
  /// most.
  private func text(_ data: [UInt8]) -> String {
    if data.starts(with: Job.start), let job = data.withUnsafeBytes(Job.init), job.data == data {
      let words = shellWords(job.words.map { String(decoding: $0, as: UTF8.self) })
      return printable(words).cut(to: table.rest)
    }
    let fitting = String(decoding: data.prefix(4 * table.rest + 4), as: UTF8.self)
    return printable(fitting).cut(to: table.rest)
  }
}

extension EntryTable.Form {
  fileprivate func columns(width: Int) -> [TextTable.Column] {
    switch self {
    case .list:
      [
        TextTable.Column("ID", 26), TextTable.Column("PRIORITY", 8),
        TextTable.Column("STATE", 7), TextTable.Column("AGE", 11, isNumber: true),
        TextTable.Column("DATA"),
      ]
    case .dead:
      [
        TextTable.Column("ID", 26), TextTable.Column("ITEM", 4, isNumber: true),
        TextTable.Column("TRIES", 5, isNumber: true),
        TextTable.Column("DIED AGO", 11, isNumber: true),
        TextTable.Column("REASON", max(14, (width - 54) / 2)), TextTable.Column("DATA"),
      ]
    case .status:
      [
        TextTable.Column("ID", 26), TextTable.Column("STATUS", 12),
        TextTable.Column("AGE", 11, isNumber: true), TextTable.Column("TRIES", 5, isNumber: true),
        TextTable.Column("REASON"),
      ]
    }
  }
}
