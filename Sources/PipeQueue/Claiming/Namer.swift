internal import Glibc
internal import PipeIO

/// Gives planned claims their names, under the exclusive lock of now/, out of files that are there: a
/// full disk must not keep a queue from being drained.
struct Namer {
  private let queue: Queue
  private var listing: NowListing
  /// Names that another one contains: left over from a merge, they say nothing of their own.
  private var redundant: [NowName] = []
  private var hasMerged = false

  init(_ queue: Queue, _ listing: NowListing) {
    self.queue = queue
    self.listing = listing
  }

  mutating func name(_ part: Selection.Planned) throws(Fault) {
    guard let old = part.replacing else { return try create(part.claim) }
    try dropContained(in: old)
    // The rest of what is taken in part gets its name first: were this the last thing that happens, the
    // wider name is still the truth.
    if part.claim.range.to < old.range.to {
      var rest = old
      rest.range.from = part.claim.range.to
      try create(rest, history: old.attempt! > 0 ? queue.now().history(old.text) : [])
    }
    guard try queue.rename(old, to: part.claim) else {
      throw Fault(.bug, "\(old.text): vanished under the lock of now/")
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
    var to = Place.origin
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

  private mutating func merge(_ run: [NowName], upTo end: Place) throws(Fault) {
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
    return try queue.setAside(name)
  }

  private mutating func leave(_ range: ItemRange, outOf done: NowName) throws(Fault) {
    var (before, behind) = (done, done)
    before.range.to = range.from
    behind.range.from = range.to
    if behind.range.count <= 0 {
      _ = before.range.count > 0 ? try queue.rename(done, to: before) : try queue.setAside(done)
    } else {
      if before.range.count > 0 { try create(before) }
      _ = try queue.rename(done, to: behind)
    }
  }

  // What many failures left behind, once they are done: each name that stays is listed at every claim.
  private mutating func removeSome() throws(Fault) {
    for _ in 0..<max(0, min(256, redundant.count - Namer.reserve)) {
      try queue.now().remove(redundant.removeLast().text)
    }
  }

  private static let reserve = 160

  // A claim of the wider one was cut short. Out of the way before the wider one is claimed, or it would
  // show again once that is done.
  private func dropContained(in wider: NowName) throws(Fault) {
    for name in listing.names
    where name.due != nil && name != wider && wider.range.contains(name.range) {
      _ = try queue.setAside(name)
    }
  }
}
