internal import PipeIO

/// The name in now/ that describes later/: `later.<due>.<set>.<items>.<checksum>`. Nothing in
/// later/ is due earlier. The name exists while later/ holds anything, so that a claim need not
/// list later/.
struct ParkedHint: Equatable {
  /// Microseconds since the epoch.
  var due: Int64
  /// When the name was written, microseconds since the epoch. If that lies ahead, the clock was set
  /// back since.
  var set: Int64
  var items: Int

  var text: String {
    String(name: {
      $0.append("later")
      $0.append(fields: Int(due), Int(set), items)
      $0.appendChecksum()
      $0.fillChecksum()
    })
  }

  func isOver(at now: Int64) -> Bool { due <= now || set > now + 1_000_000 }

  init(due: Int64, set: Int64, items: Int) {
    self.due = due
    self.set = set
    self.items = items
  }

  /// `older`: also accepts the name of format 2, which has no checksum.
  init?(_ text: UnsafeRawBufferPointer, older: Bool = false) {
    guard text.count > 6, cut(text, 0, 6).elementsEqual("later.".utf8) else { return nil }
    var pieces = FieldSplitter(cut(text, 6, text.count))
    guard let due = pieces.number(before: dot), let set = pieces.number(before: dot),
      let items = pieces.number(before: dot)
    else { return nil }
    self.init(due: Int64(due), set: Int64(set), items: items)
    if older, pieces.isAtEnd { return }
    guard NameChecksum.ends(text, &pieces) else { return nil }
  }
}
