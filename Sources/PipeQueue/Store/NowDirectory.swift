internal import Glibc
internal import PipeIO

/// What now/ holds at one instant.
struct NowListing {
  var names: [NowName] = []
  /// Files whose names mean nothing: the next names are made of them.
  var spares: [Int] = []
  /// Of several, which a crash can leave, the earliest.
  var later: ParkedHint?
  /// Names that should say something of items and have another checksum than their text.
  var damaged: [String] = []

  /// Whether some of these items would be done if it were not for other names.
  func hasDone(in range: ItemRange) -> Bool {
    names.contains { $0.isDone && $0.range.overlaps(range) }
  }

  /// Whether a name is of items that its lane has not got. `ends`: read after the names.
  func reaches(beyond ends: LaneEnds) -> Bool {
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
      } else if let mark = ParkedHint(text, older: older) {
        listing.later = listing.later.map { $0.due < mark.due ? $0 : mark } ?? mark
      } else if DamagedNames.shouldBe(text) {
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
        "\(printable(path))/now/\(printable(name)): the name is damaged and cannot be read;"
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
    case .taken: return try makeSpare(name)
    }
  }

  /// Makes a spare of a name: nothing is said of its items any more. Under the exclusive lock.
  func makeSpare(_ name: NowName) throws(Fault) -> Bool { try makeSpare(name.text) }

  func makeSpare(_ name: String) throws(Fault) -> Bool {
    let spares = Set(try listNow().spares)
    let free = (0...).first { !spares.contains($0) }!
    return try now().rename(name, to: Queue.spareName(free)) == .renamed
  }
}

/// Gives planned claims their names, under the exclusive lock of now/, out of files that are there: a
/// full disk must not keep a queue from being drained.
struct NowDirectory {
  private let queue: Queue
  private var listing: NowListing
  /// Names that another one contains: left over from a merge, they say nothing of their own.
  private var redundant: [NowName] = []
  private var hasMerged = false

  init(_ queue: Queue, _ listing: NowListing) {
    self.queue = queue
    self.listing = listing
  }

  /// Names a claim. `old`: the name that says its items are ready; nil where no name covers them.
  mutating func name(_ claim: NowName, replacing old: NowName?) throws(Fault) {
    guard let old else { return try create(claim) }
    try dropContained(in: old)
    // The rest of what is taken in part gets its name first: were this the last thing that happens, the
    // wider name is still the truth.
    if claim.range.to < old.range.to {
      var rest = old
      rest.range.from = claim.range.to
      try create(rest, history: old.attempt! > 0 ? queue.now().history(old.text) : [])
    }
    guard try queue.rename(old, to: claim) else {
      throw Fault(.bug, "\(old.text): vanished while now/ was locked")
    }
  }

  /// Says that no intact line holds the first items of what `name` covers, or of what no name covers.
  mutating func giveUp(_ range: ItemRange, of name: NowName?) throws(Fault) {
    let lost = NowName(range, .lost)
    guard let name else { return try create(lost) }
    try dropContained(in: name)
    if range.to < name.range.to {
      var rest = name
      rest.range.from = range.to
      try create(rest, history: name.attempt! > 0 ? queue.now().history(name.text) : [])
    }
    _ = try queue.rename(name, to: lost)
  }

  /// `history`: what happened to its items before, to be found under the new name.
  mutating func create(_ name: NowName, history: [UInt8] = []) throws(Fault) {
    // Left by a process that died between this and what was to follow: it says the same.
    if listing.names.contains(name) { return }
    try createFile(name.text)
    listing.names.append(name)
    if !history.isEmpty { try queue.now().note(history, in: name.text, anew: true) }
  }

  /// Gives a name of any form to a file in reserve, or to a new one.
  mutating func createFile(_ text: String) throws(Fault) {
    if listing.spares.isEmpty { try mergeFinal() }
    if let spare = listing.spares.popLast() {
      if try queue.now().rename(Queue.spareName(spare), to: text) == .renamed { return }
    }
    if let redundant = redundant.popLast() {
      if try queue.now().rename(redundant.text, to: text) == .renamed { return }
    }
    _ = try Descriptor.create(text, in: queue.now(), O_WRONLY | O_EXCL)
  }

  // Touching names of one final state become one, so that now/ stays short however much is done, and the
  // others are files for the next names. A crash in between leaves names inside a wider one, which say the
  // same.
  private mutating func mergeFinal() throws(Fault) {
    guard !hasMerged else { return }
    hasMerged = true
    for state in [NowName.State.done, .dropped, .lost] { try merge(state) }
    try removeSome()
  }

  private mutating func merge(_ state: NowName.State) throws(Fault) {
    var run: [NowName] = []
    var to = Position.origin
    let names = listing.names.filter { $0.state == state }
    for name in names.sorted(by: { $0.range.comesBefore($1.range) }) {
      if let first = run.first, first.range.lane != name.range.lane || to < name.range.from {
        try merge(run, upTo: to)
        run = []
      }
      to = run.isEmpty ? name.range.to : max(to, name.range.to)
      run.append(name)
    }
    try merge(run, upTo: to)
  }

  private mutating func merge(_ run: [NowName], upTo end: Position) throws(Fault) {
    guard run.count > 1 else { return }
    var union = run[0]
    union.range.to = end
    if try queue.rename(run[0], to: union) { redundant += run.dropFirst() }
  }

  /// Takes a name away that stands for nothing but items to be looked at anew: what no name covers is ready.
  /// What came back from beside the line is done below it, and that goes first; a crash in between leaves the
  /// name. Returns whether it was there.
  mutating func uncover(_ name: NowName) throws(Fault) -> Bool {
    // Merged, the names below would not be those of the listing.
    hasMerged = true
    for done in listing.names where done.isDone && done.range.overlaps(name.range) {
      try leave(name.range, outOf: done)
    }
    return try queue.makeSpare(name)
  }

  private mutating func leave(_ range: ItemRange, outOf done: NowName) throws(Fault) {
    var (before, behind) = (done, done)
    before.range.to = range.from
    behind.range.from = range.to
    if behind.range.count <= 0 {
      _ = before.range.count > 0 ? try queue.rename(done, to: before) : try queue.makeSpare(done)
    } else {
      if before.range.count > 0 { try create(before) }
      _ = try queue.rename(done, to: behind)
    }
  }

  // What many failures left behind, once they are done: each name that stays is listed at every claim.
  private mutating func removeSome() throws(Fault) {
    for _ in 0..<max(0, min(256, redundant.count - NowDirectory.reserve)) {
      try queue.now().remove(redundant.removeLast().text)
    }
  }

  private static let reserve = 160

  // A claim of the wider one was cut short. Out of the way before the wider one is claimed, or it would
  // show again once that is done.
  private func dropContained(in wider: NowName) throws(Fault) {
    for name in listing.names
    where name.due != nil && name != wider && wider.range.contains(name.range) {
      _ = try queue.makeSpare(name)
    }
  }
}

extension NowName {
  /// Whether it waits for so long that it may as well wait elsewhere.
  func isFar(at now: Int64) -> Bool {
    guard isAgain, let due, range.count <= SideKind.width else { return false }
    return due.at > now + 500_000
  }
}
