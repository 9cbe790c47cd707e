/// A name in now/ that tells of later/: `later.<due>.<set>.<items>`. Nothing there is due earlier. There is
/// one while later/ has anything, so that who claims need not look.
struct LaterMark: Equatable {
  /// Microseconds since the epoch.
  var due: Int64
  /// When this was written, likewise: a clock that is behind it was set back.
  var set: Int64
  var items: Int

  var text: String { "later.\(due).\(set).\(items)" }

  func isOver(at now: Int64) -> Bool { due <= now || set > now + 1_000_000 }

  init(due: Int64, set: Int64, items: Int) {
    self.due = due
    self.set = set
    self.items = items
  }

  init?(_ text: UnsafeRawBufferPointer) {
    guard text.count > 6, cut(text, 0, 6).elementsEqual("later.".utf8) else { return nil }
    var pieces = Pieces(cut(text, 6, text.count))
    guard let due = pieces.number(before: dot), let set = pieces.number(before: dot),
      let items = pieces.number(before: dot), pieces.isAtEnd
    else { return nil }
    self.init(due: Int64(due), set: Int64(set), items: items)
  }
}
