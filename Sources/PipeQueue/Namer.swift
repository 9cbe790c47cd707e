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
    try mergeSome()
    guard let old = part.replacing else { return try create(part.claim) }
    // The rest of what is taken in part gets its name first: were this the last thing that happens, the
    // wider name is still the truth.
    if part.claim.range.to < old.range.to {
      var rest = old
      rest.range.from = part.claim.range.to
      try create(rest)
    }
    guard try queue.rename(old, to: part.claim) else {
      throw Fault(.bug, "\(old.text): vanished under the lock of now/")
    }
  }

  mutating func create(_ name: NowName) throws(Fault) {
    try mergeSome()
    // Left by a process that died between this and what was to follow: it says the same.
    if listing.names.contains(name) { return }
    if let spare = listing.spares.popLast() {
      if try queue.now().rename(Queue.spareName(spare), to: name.text) == .renamed { return }
    }
    if let redundant = redundant.popLast() {
      if try queue.rename(redundant, to: name) { return }
    }
    let flags = O_WRONLY | O_CREAT | O_EXCL
    if try Descriptor.open(name.text, in: queue.now(), flags) == nil {
      throw Fault("create", "now/" + name.text, code: ENOENT)
    }
  }

  // Two touching names of the same state become one, so that now/ stays short however much is done.
  // A crash in between leaves a name inside a wider one, which says the same.
  private mutating func mergeSome() throws(Fault) {
    guard !hasMerged else { return }
    hasMerged = true
    let sorted = listing.names.sorted(by: Namer.order)
    listing.names = sorted.filter(\.isClaim)
    try mergeDone(sorted.filter(\.isDone))
    try dropContained(sorted.filter(\.isAgain))
  }

  private mutating func mergeDone(_ sorted: [NowName]) throws(Fault) {
    var head: NowName?
    for name in sorted {
      guard let old = head, old.range.lane == name.range.lane, old.range.to >= name.range.from
      else {
        if let head { listing.names.append(head) }
        head = name
        continue
      }
      head!.range.to = max(old.range.to, name.range.to)
      if try queue.rename(old, to: head!) { redundant.append(name) } else { head = name }
    }
    if let head { listing.names.append(head) }
  }

  // A claim of the wider one was cut short. Out of the way before the wider one is claimed, or it would
  // show again once that is done.
  private mutating func dropContained(_ sorted: [NowName]) throws(Fault) {
    var head: NowName?
    for name in sorted {
      if let head, head.range.contains(name.range) {
        try putAside(name)
      } else {
        head = name
        listing.names.append(name)
      }
    }
  }

  private mutating func putAside(_ name: NowName) throws(Fault) {
    let free = (0...).first { !listing.spares.contains($0) }!
    if try queue.now().rename(name.text, to: Queue.spareName(free)) == .renamed {
      listing.spares.append(free)
    }
  }

  private static func order(_ one: NowName, _ other: NowName) -> Bool {
    if one.range.lane != other.range.lane { return one.range.lane < other.range.lane }
    if one.range.from != other.range.from { return one.range.from < other.range.from }
    return one.range.count > other.range.count
  }
}
