internal import Glibc
internal import PipeIO
internal import PipeTime

/// The contents of now/ at one instant.
struct NowListing {
  var names: [NowName] = []
  /// Numbers of the spares: files without a meaning, renamed to make new names.
  var spares: [Int] = []
  /// The parked hint; the earliest if a crash left several.
  var later: ParkedHint?
  var pause: PauseName?
  var early: EarlyHint?
  /// Names that begin like names of items but are invalid.
  var damaged: [String] = []

  /// Whether some of these items would be done without the other names.
  func hasDone(in range: ItemRange) -> Bool {
    names.contains { $0.isDone && $0.range.overlaps(range) }
  }

  /// Number of names that wait long enough to be parked.
  func farNames(at now: Instant) -> Int {
    names.count { $0.isFar(at: now) }
  }
}

extension [NowName] {
  /// Whether one covers items beyond the end of its lane. `ends`: read after the names.
  func reach(beyond ends: LaneEnds) -> Bool {
    contains { $0.range.to.number > ends[$0.range.lane].position.number }
  }
}

/// Bounds on now/, which every claim lists.
struct NowLimits {
  /// Most names that may wait for a time: more would slow down each claim.
  var mostWaiting = 128
  /// Names that are moved to or from later/ at a time: few enough that no process waits long for
  /// the lock of now/.
  var portion = 64
  /// Ready names that suffice for now: with fewer, due names are restored from later/.
  var enough = 32
}

extension Queue {
  /// The names of one instant, for callers that only read.
  func namesNow() throws(Fault) -> [NowName] { try listingNow().names }

  func listingNow() throws(Fault) -> NowListing {
    try lockNow(exclusive: false)
    defer { unlockNow() }
    return try listNow()
  }

  /// Call under the lock of now/, shared or exclusive: a listing during renames would miss names.
  func listNow() throws(Fault) -> NowListing {
    var listing = NowListing()
    let older = isOlder
    try now().forEachName { text in
      if let name = NowName(text, older: older) {
        listing.names.append(name)
      } else if let number = Queue.spareNumber(text) {
        listing.spares.append(number)
      } else if let hint = ParkedHint(text, older: older) {
        listing.later = listing.later.map { $0.due < hint.due ? $0 : hint } ?? hint
      } else if let pause = PauseName(text) {
        if pause.isLater(than: listing.pause) { listing.pause = pause }
      } else if let hint = EarlyHint(text) {
        listing.early = hint.joined(listing.early)
      } else if DamagedNames.shouldBe(text) {
        listing.damaged.append(String(systemBytes: Array(text)))
      }
    }
    return listing
  }

  /// Renames damaged names: their meaning is unknown, so their items are ready. Call under the
  /// exclusive lock of now/.
  /// Step of: put aside
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

  /// Renames a name; false if it was gone. After a process died between two steps, the new name may
  /// exist: it says the same, so the old one becomes a spare.
  /// Step of: the transition of its caller
  func rename(_ name: NowName, to new: NowName) throws(Fault) -> Bool {
    if name == new { return true }
    switch try now().rename(name.text, to: new.text) {
    case .renamed: return true
    case .missing: return false
    case .taken: return try makeSpare(name)
    }
  }

  /// Turns a name into a spare, so that it no longer gives the state of its items. Call under the
  /// exclusive lock of now/.
  func makeSpare(_ name: NowName) throws(Fault) -> Bool { try makeSpare(name.text) }

  /// Step of: the transition of its caller
  func makeSpare(_ name: String) throws(Fault) -> Bool {
    let spares = Set(try listNow().spares)
    let free = (0...).first { !spares.contains($0) }!
    return try now().rename(name, to: Queue.spareName(free)) == .renamed
  }
}

/// Creates names in now/, under its exclusive lock, by renaming existing files: a full disk must
/// not keep a queue from being drained. A file is created only if none is left to rename.
struct NowDirectory {
  private let queue: Queue
  private var listing: NowListing
  /// Names inside a wider one, left by a merge; they add nothing to it.
  private var redundant: [NowName] = []
  private var hasMerged = false

  init(_ queue: Queue, _ listing: NowListing) {
    self.queue = queue
    self.listing = listing
  }

  /// Names a claim. `old`: the name that says that its items are ready; nil if no name covers them.
  /// Transition: claim, partial claim
  mutating func name(_ claim: NowName, replacing old: NowName?) throws(Fault) {
    guard let wider = old else { return try create(claim) }
    let old = current(wider, with: claim.range)
    try dropContained(in: old)
    if old.range.from < claim.range.from {
      var front = old
      front.range.to = claim.range.from
      try create(front, history: old.attempt! > 0 ? queue.now().history(old.text) : [])
    }
    // The rest of a partly claimed name gets its name first: after a crash here, the wider name is
    // still true.
    if claim.range.to < old.range.to {
      var rest = old
      rest.range.from = claim.range.to
      try create(rest, history: old.attempt! > 0 ? queue.now().history(old.text) : [])
    }
    guard try queue.rename(old, to: claim) else {
      throw Fault(.bug, "\(old.text): vanished while now/ was locked")
    }
    listing.names.removeAll { $0 == old }
  }

  // The name that has these items of `old` now: others of them may have got a name of their own.
  private func current(_ old: NowName, with range: ItemRange) -> NowName {
    if listing.names.contains(old) { return old }
    return listing.names.first { $0.state == old.state && $0.range.contains(range) } ?? old
  }

  /// Marks items of `name`, or items without a name, as lost: no intact line holds them.
  /// Transition: lose
  mutating func giveUp(_ range: ItemRange, of name: NowName?) throws(Fault) {
    let lost = NowName(range, .lost)
    guard let wider = name else { return try create(lost) }
    let name = current(wider, with: range)
    try dropContained(in: name)
    let history = name.attempt! > 0 ? try queue.now().history(name.text) : []
    var (front, rest) = (name, name)
    (front.range.to, rest.range.from) = (range.from, range.to)
    if name.range.from < range.from { try create(front, history: history) }
    if range.to < name.range.to { try create(rest, history: history) }
    _ = try queue.rename(name, to: lost)
    listing.names.removeAll { $0 == name }
  }

  /// `history`: earlier attempts at the items, kept under the new name.
  mutating func create(_ name: NowName, history: [UInt8] = []) throws(Fault) {
    // Left by a process that died before its next step: it says the same.
    if listing.names.contains(name) { return }
    try createFile(name.text)
    listing.names.append(name)
    if !history.isEmpty { try queue.now().note(history, in: name.text, replacing: true) }
  }

  /// Gives a name of any form to a spare, a redundant file or a new file.
  /// Step of: the transition of its caller
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

  // Merges touching names of one final state, so that now/ stays short however much is done. The
  // other files serve as the next names. A crash in between leaves names inside a wider one that
  // says the same.
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

  /// Transition: merge
  private mutating func merge(_ run: [NowName], upTo end: Position) throws(Fault) {
    guard run.count > 1 else { return }
    var union = run[0]
    union.range.to = end
    if try queue.rename(run[0], to: union) { redundant += run.dropFirst() }
  }

  /// Removes a name that says only that its items are to be examined again: items that no name
  /// covers are ready. Items that came back from later/ or dead/ are also in a done name, which is
  /// reduced first; a crash in between leaves `name`. Returns whether `name` was there.
  /// Step of: dissolve, return
  mutating func uncover(_ name: NowName) throws(Fault) -> Bool {
    // A merge would change the done names that the listing has.
    hasMerged = true
    for done in listing.names where done.isDone && done.range.overlaps(name.range) {
      try leave(name.range, outOf: done)
    }
    return try queue.makeSpare(name)
  }

  /// Step of: dissolve, return
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

  /// Removes surplus files that many failures left once they are done: each claim lists every name
  /// that stays.
  /// Step of: merge
  private mutating func removeSome() throws(Fault) {
    for _ in 0..<max(0, min(256, redundant.count - NowDirectory.reserve)) {
      try queue.now().remove(redundant.removeLast().text)
    }
  }

  private static let reserve = 160

  /// Removes names that an interrupted claim left inside a wider name. They go before the wider one
  /// is claimed, or they would reappear once it is done.
  /// Step of: partial claim, lose
  private mutating func dropContained(in wider: NowName) throws(Fault) {
    let contained = listing.names.filter {
      $0.due != nil && $0 != wider && wider.range.contains($0.range)
    }
    for name in contained { _ = try queue.makeSpare(name) }
    listing.names.removeAll(where: contained.contains)
  }
}

extension NowName {
  /// Whether the name waits long enough to be parked.
  func isFar(at now: Instant) -> Bool {
    guard isAgain, let due, range.count <= SideKind.width else { return false }
    return due.at > now + .milliseconds(500)
  }
}

// A name that contradicts its checksum or the lines has no meaning. Its file is kept for inspection
// and gets `.bad` appended, so that the name is reported once and no process reads it again.
enum DamagedNames {
  private static let suffix = ".bad"

  /// Whether a name that its reader found invalid begins like the name of an item. Other names do
  /// not belong to pipe.
  static func shouldBe(_ name: UnsafeRawBufferPointer) -> Bool {
    !isMarked(name) && mayBe(name)
  }

  /// Whether a name begins like that of an item, a hint or a pause.
  static func mayBe(_ name: UnsafeRawBufferPointer) -> Bool {
    var pieces = FieldSplitter(name)
    guard let first = pieces.next(before: dot), !pieces.isAtEnd else { return false }
    return Lane(name: first) != nil
      || ["later", "paused"].contains { first.elementsEqual($0.utf8) }
  }

  static func isMarked(_ name: UnsafeRawBufferPointer) -> Bool {
    name.count >= suffix.utf8.count
      && cut(name, name.count - suffix.utf8.count, name.count).elementsEqual(suffix.utf8)
  }

  /// A name has at most 255 bytes.
  fileprivate static func marked(_ name: String, _ try: Int) -> String {
    let kept = String(decoding: name.utf8.prefix(230), as: UTF8.self)
    return `try` == 0 ? kept + suffix : "\(kept).\(`try`)\(suffix)"
  }
}

extension Directory {
  /// Appends `.bad` to a damaged name. Returns the new name; nil if the old one is gone.
  func putAside(_ name: String) throws(Fault) -> String? {
    try move(name) { DamagedNames.marked(name, $0) }
  }

  /// Renames a damaged name to the first of these that is free. Returns the new name; nil if the old one is gone.
  /// Transition: put aside
  func move(_ name: String, to next: (_ attempt: Int) -> String) throws(Fault) -> String? {
    for attempt in 0..<1000 {
      let free = next(attempt)
      switch try rename(name, to: free) {
      case .renamed: return free
      case .missing: return nil
      case .taken: continue
      }
    }
    throw Fault(
      .inputOutput,
      "\(printable(path))/\(printable(name)): too many damaged copies; remove some .bad files")
  }
}
