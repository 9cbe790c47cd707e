internal import PipeIO

/// A name in now/ that reports on later/: `later.<due>.<set>.<items>.<checksum>`. Nothing there is due
/// earlier. There is one while later/ has anything, so that a claim need not look.
struct LaterMark: Equatable {
  /// Microseconds since the epoch.
  var due: Int64
  /// When this was written, likewise: a clock that is behind it was set back.
  var set: Int64
  var items: Int

  var text: String {
    String(name: {
      $0.append("later")
      for number in [Int(due), Int(set), items] {
        $0.append(dot)
        $0.append(number)
      }
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

  /// `older`: the name of format 2 counts too, which has no checksum.
  init?(_ text: UnsafeRawBufferPointer, older: Bool = false) {
    guard text.count > 6, cut(text, 0, 6).elementsEqual("later.".utf8) else { return nil }
    var pieces = Pieces(cut(text, 6, text.count))
    guard let due = pieces.number(before: dot), let set = pieces.number(before: dot),
      let items = pieces.number(before: dot)
    else { return nil }
    self.init(due: Int64(due), set: Int64(set), items: items)
    if older, pieces.isAtEnd { return }
    guard NameChecksum.ends(text, &pieces) else { return nil }
  }
}

extension Queue {
  func mark() throws(Fault) -> LaterMark? { try listingNow().later }

  /// Under the exclusive lock of now/, and that of later/.
  func lowerMark(to due: Int64, adding count: Int, at now: Int64) throws(Fault) {
    let old = try listNow().later
    try setMark(
      LaterMark(due: min(due, old?.due ?? .max), set: now, items: count + (old?.items ?? 0)))
  }

  /// nil: nothing is in later/. Under both locks.
  func setMark(_ mark: LaterMark?) throws(Fault) {
    let listing = try listNow()
    guard let old = listing.later else {
      guard let mark else { return }
      var namer = Namer(self, listing)
      return try namer.createFile(mark.text)
    }
    if let mark {
      if mark != old { _ = try now().rename(old.text, to: mark.text) }
    } else {
      _ = try setAside(old.text)
    }
  }

  /// Removes directories of these that have become empty.
  func dropEmpty(_ names: [AsideName]) throws(Fault) {
    for group in AsideGroup.split(names) {
      guard let lane = try Directory.open("\(group.kind.rawValue)/\(group.lane.name)", in: root)
      else { continue }
      try lane.removeDirectory(String(group.shard))
    }
  }
}
