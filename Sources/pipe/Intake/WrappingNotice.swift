internal import PipeJSON
internal import PipeQueue

/// Says once that a line is an entry line already, as `ingest` writes it, and becomes the data of another.
struct WrappingNotice {
  private let diagnostics: Diagnostics
  private let wayOut: String
  private var scanner = LineScanner(watching: ["id", "priority", "time", "data", "ids"])
  private var looks = WrappingNotice.mostLooks
  private var isSaid = false

  /// Lines that are read whole for it; of later ones only those that begin as `ingest` begins them.
  private static let mostLooks = 16

  init(_ diagnostics: Diagnostics, wayOut: String) {
    self.diagnostics = diagnostics
    self.wayOut = wayOut
  }

  mutating func look(_ line: UnsafeRawBufferPointer) {
    if isSaid { return }
    if looks > 0 { looks -= 1 } else if !WrappingNotice.begins(line) { return }
    guard isEntryLine(line) else { return }
    isSaid = true
    diagnostics.say(
      "a line is an entry line already, as pipe ingest writes it;"
        + " it becomes the data of a new entry (\(wayOut))")
  }

  private mutating func isEntryLine(_ line: UnsafeRawBufferPointer) -> Bool {
    guard let value = try? scanner.scan(line), value.kind == .object, scanner.memberCount >= 4,
      let id = scanner[0], id.kind == .string, scanner[1] != nil, scanner[2] != nil,
      (scanner[3] == nil) != (scanner[4] == nil)
    else { return false }
    let text = (id.range.lowerBound + 1)..<(id.range.upperBound - 1)
    return EntryID(UnsafeRawBufferPointer(rebasing: line[text])) != nil
  }

  // {"id":"01M7YFR55BHYP5BSPG0DPTADCJ",
  private static func begins(_ line: UnsafeRawBufferPointer) -> Bool {
    line.count > 40 && line[33] == 0x22 && line[34] == 0x2c
      && line[..<7].elementsEqual(#"{"id":""#.utf8)
  }
}
