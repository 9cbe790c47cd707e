internal import PipeIO

/// What now/ holds at one instant.
struct NowListing {
  var names: [NowName] = []
  /// Files whose names mean nothing: the next names are made of them.
  var spares: [Int] = []
  /// Of several, which a crash can leave, the earliest.
  var later: LaterMark?
  /// Names that should say something of items and have another checksum than their text.
  var damaged: [String] = []

  /// Whether some of these items would be done if it were not for other names.
  func hasDone(in range: ItemRange) -> Bool {
    names.contains { $0.isDone && $0.range.overlaps(range) }
  }

  /// Whether a name is of items that its lane has not got. `ends`: read after the names.
  func reaches(beyond ends: Ends) -> Bool {
    names.contains { $0.range.to.number > ends[$0.range.lane].place.number }
  }

  /// How many names wait for so long that they may as well wait in later/.
  func farNames(at now: Int64) -> Int {
    names.count { $0.isFar(at: now) }
  }
}

/// Bounds of what now/ holds: it is listed at each claim.
struct NowLimits {
  /// More names than this that wait for a time make each claim slower.
  var mostWaiting = 128
  /// Names that are moved to later/ or from there at a time: few enough that nobody waits long for the lock
  /// of now/.
  var portion = 64
  /// Names that are ready and came from later/: enough for now.
  var enough = 32
}

extension NowName {
  /// Whether it waits for so long that it may as well wait elsewhere.
  func isFar(at now: Int64) -> Bool {
    guard isAgain, let due, range.count <= Aside.width else { return false }
    return due.at > now + 500_000
  }
}

extension Queue {
  /// The names of one instant, for those who only look.
  func namesNow() throws(Fault) -> [NowName] { try listingNow().names }

  func listingNow() throws(Fault) -> NowListing {
    try lockNow(exclusive: false)
    defer { unlockNow() }
    return try listNow()
  }

  /// Under the lock of now/, shared or exclusive: a listing beside renames would miss names.
  func listNow() throws(Fault) -> NowListing {
    var listing = NowListing()
    let older = isOlder
    try now().forEachName { text in
      if let name = NowName(text, older: older) {
        listing.names.append(name)
      } else if let number = Queue.spareNumber(text) {
        listing.spares.append(number)
      } else if let mark = LaterMark(text, older: older) {
        listing.later = listing.later.map { $0.due < mark.due ? $0 : mark } ?? mark
      } else if PutAside.shouldBe(text) {
        listing.damaged.append(String(decoding: text, as: UTF8.self))
      }
    }
    return listing
  }

  /// What damaged names said is not known: their items are ready. Under the exclusive lock of now/.
  func putAsideDamaged(_ listing: NowListing) throws(Fault) {
    for name in listing.damaged {
      guard let marked = try now().putAside(name) else { continue }
      note(
        "\(printable(path))/now/\(printable(name)): the name is damaged, so what it said is not known;"
          + " renamed to \(printable(marked))")
    }
  }

  static func spareName(_ number: Int) -> String { "spare.\(number)" }

  private static func spareNumber(_ text: UnsafeRawBufferPointer) -> Int? {
    text.count > 6 && cut(text, 0, 6).elementsEqual("spare.".utf8)
      ? decimal(cut(text, 6, text.count)) : nil
  }

  /// Gives the file that `name` names another name; false where it was gone. Where a process died between
  /// two steps the new name may be there: it says the same, and the old one only has to go.
  func rename(_ name: NowName, to new: NowName) throws(Fault) -> Bool {
    if name == new { return true }
    switch try now().rename(name.text, to: new.text) {
    case .renamed: return true
    case .missing: return false
    case .taken: return try setAside(name)
    }
  }

  /// Makes a spare of a name: nothing is said of its items any more. Under the exclusive lock.
  func setAside(_ name: NowName) throws(Fault) -> Bool { try setAside(name.text) }

  func setAside(_ name: String) throws(Fault) -> Bool {
    let spares = Set(try listNow().spares)
    let free = (0...).first { !spares.contains($0) }!
    return try now().rename(name, to: Queue.spareName(free)) == .renamed
  }
}
