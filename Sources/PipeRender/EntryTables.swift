package import PipeIO
package import PipeQueue
internal import PipeText
package import PipeTime

// What list, dead and status print on a terminal. Each writes its head before its first row.

/// `01J…  HIGH    ready     2 min 3 s  {"n":1}`
package final class ListTable {
  private let rows: TableRows

  /// nil if stdout is not a terminal.
  package init?(at now: Instant = Clock.now()) {
    guard
      let rows = TableRows(
        at: now,
        { _ in
          [
            TextTable.Column("ID", 26), TextTable.Column("LANE", 6), TextTable.Column("STATE", 7),
            TextTable.Column("AGE", 11, isNumber: true), TextTable.Column("DATA"),
          ]
        })
    else { return nil }
    self.rows = rows
  }

  package func append(_ listed: ListedEntry, to output: Output) {
    let cells = [
      listed.id.text, listed.priority.name, listed.state.rawValue, rows.age(listed.created),
    ]
    rows.append(cells + [rows.text(listed.data)], to: output)
  }

  package func append(_ lost: LostItems, to output: Output) {
    let place = "\(counted(lost.items, "item")) at byte \(lost.byte) of \(lost.segment)"
    rows.append(["-", lost.priority.name, "lost", "-", place], to: output)
  }
}

/// `01J…     1    2 min 3 s  exit 65           {"n":1}`
package final class DeadTable {
  private let rows: TableRows

  /// nil if stdout is not a terminal.
  package init?(at now: Instant = Clock.now()) {
    guard
      let rows = TableRows(
        at: now,
        { width in
          [
            TextTable.Column("ID", 26), TextTable.Column("ITEM", 4, isNumber: true),
            TextTable.Column("TRIES", 5, isNumber: true),
            TextTable.Column("DIED AGO", 11, isNumber: true),
            TextTable.Column("REASON", max(14, (width - 54) / 2)), TextTable.Column("DATA"),
          ]
        })
    else { return nil }
    self.rows = rows
  }

  package func append(_ letter: DeadLetter, to output: Output) {
    let last = letter.history.last
    rows.append(
      [
        letter.entry.text, "\(letter.index)", "\(last?.number ?? 0)",
        last.map { rows.age($0.ended) } ?? "-", printable(last?.reason ?? "-"),
        rows.text(letter.data),
      ], to: output)
  }
}

/// `01J…  completed      2 min 3 s      1  ` and, of an id request, a row per batch:
/// `  .2                        failed                               ids 4 5 6`
package final class StatusTable {
  private let rows: TableRows

  /// nil if stdout is not a terminal.
  package init?(at now: Instant = Clock.now()) {
    guard
      let rows = TableRows(
        at: now,
        { _ in
          [
            TextTable.Column("ID", 26), TextTable.Column("STATUS", 12),
            TextTable.Column("AGE", 11, isNumber: true),
            TextTable.Column("TRIES", 5, isNumber: true), TextTable.Column("REASON"),
          ]
        })
    else { return nil }
    self.rows = rows
  }

  package func append(
    _ status: EntryStatus, outputs: [OutputText.Kept] = [], to output: Output
  ) {
    rows.append(
      [
        status.id.text, status.word.rawValue, rows.age(status.created),
        status.attempts.map { "\($0)" } ?? "-", printable(status.reason ?? ""),
      ], to: output)
    for slice in status.slices where !slice.ids.isEmpty {
      rows.append(
        [
          "  .\(slice.number)", slice.word.rawValue, "", "",
          "ids " + slice.ids.joined(separator: " "),
        ],
        to: output)
    }
    for (items, kept) in outputs {
      guard let value = kept.value else { continue }
      rows.append(
        ["  item \(items.lowerBound)", "output", "", "\(kept.attempt)", rows.text(value)],
        to: output)
    }
  }
}

/// Rows that fit the terminal at stdout.
private final class TableRows {
  private let table: TextTable
  private let now: Instant
  private var hasHead = false

  /// `columns`: for a terminal of this width.
  init?(at now: Instant, _ columns: (Int) -> [TextTable.Column]) {
    guard let size = TerminalSize.ofOutput else { return nil }
    table = TextTable(columns(size.columns), width: size.columns)
    self.now = now
  }

  func append(_ cells: [String], to output: Output) {
    if !hasHead { output.append(table.head + "\n") }
    hasHead = true
    output.append(table.row(cells) + "\n")
  }

  func age(_ time: Instant) -> String { PipeText.age((now - time).seconds) }

  /// As much of the data as fits. A character has four bytes at most.
  func text(_ data: [UInt8]) -> String {
    let fitting = String(decoding: data.prefix(4 * table.rest + 4), as: UTF8.self)
    return printable(fitting).cut(to: table.rest)
  }
}
