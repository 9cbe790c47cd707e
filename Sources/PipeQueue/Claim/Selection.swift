internal import PipeIO

/// A batch while it is put together: the longest run of what is ready, in order, that may come together.
/// What was never tried comes together; what failed comes back with the items it failed with, and one by
/// one for its last attempt, so that only what is bad is buried.
final class Selection {
  struct Planned {
    var claim: NowName
    let replacing: NowName?
    let items: Range<Int>
    let places: [Position]
  }

  let now: Int64
  private let size: Int
  private let byteLimit: Int
  private let retries: Int
  private(set) var parts: [Planned] = []
  /// Names for entries that were passed over because their time has not come.
  private(set) var delays: [NowName] = []
  /// Items that no intact line holds, with the name they have.
  private(set) var losses: [(range: ItemRange, name: NowName?)] = []
  private var kind: EntryID?
  private var isSingle = false
  private var isClosed = false
  private var items: [Item] = []
  private var bytes: [UInt8] = []
  private var acceptances: [AcceptedItems] = []
  private var accepted: (time: Int64, from: Int) = (.min, 0)
  private var attempt = 0
  private var batch = Selection.unnamed

  private static let unnamed = EntryID(high: 0, low: 0)
  /// More delays at once would hold the lock for long.
  private static let mostDelays = 64

  /// `retries`: the settings'.
  init(size: Int, byteLimit: Int, now: Int64, retries: Int) {
    self.size = size
    self.byteLimit = byteLimit
    self.now = now
    self.retries = retries
  }

  var isFull: Bool {
    isClosed || items.count >= (isSingle ? 1 : size) || bytes.count >= byteLimit
      || delays.count + losses.count >= Selection.mostDelays
  }

  var hasLosses: Bool { !losses.isEmpty }

  /// Whether there is anything to give a name to.
  var isEmpty: Bool { parts.isEmpty && delays.isEmpty && losses.isEmpty }

  func lose(_ range: ItemRange, of name: NowName?) { losses.append((range, name)) }

  var itemCount: Int { items.count }

  /// Nothing behind it may come with this batch: it would overtake.
  func close() { isClosed = true }

  func accepts(_ offer: ReadyRange) -> Bool {
    let attempts = offer.name?.attempt ?? 0
    let kind = attempts > 0 ? offer.name?.batch : nil
    let isLast = attempts > 0 && attempts >= retries
    // Items of one batch may differ: what was given back has an attempt less.
    if !parts.isEmpty { return kind == self.kind && !isSingle && !isLast }
    self.kind = kind
    isSingle = isLast
    return true
  }

  /// What is added from here on was accepted then, microseconds since the epoch.
  @inline(__always)
  func begin(accepted time: Int64) {
    if time == accepted.time { return }
    endAcceptance()
    accepted = (time, items.count)
  }

  private func endAcceptance() {
    if items.count > accepted.from {
      acceptances.append(AcceptedItems(time: accepted.time, items: accepted.from..<items.count))
    }
    accepted.from = items.count
  }

  func add(_ data: UnsafeRawBufferPointer, of entry: EntryID, _ index: Int, _ lane: Lane) {
    let start = bytes.count
    bytes.append(contentsOf: data)
    bytes.append(newline)
    items.append(
      Item(entry: entry, index: index, priority: lane, data: start..<(start + data.count)))
  }

  /// `scan.place` is how far it came: the range ends there.
  func add(_ scan: RangeScan, replacing name: NowName?) {
    var range = scan.range
    range.to = scan.place
    guard range.count > 0 else { return }
    let attempt = (name?.attempt ?? 0) + 1
    parts.append(
      Planned(
        claim: NowName(range, .claim(batch: batch, attempt: attempt, owner: 0)), replacing: name,
        items: scan.firstItem..<items.count, places: scan.places))
    self.attempt = max(self.attempt, attempt)
  }

  func delay(_ range: ItemRange, until due: ReadyTime) {
    delays.append(NowName(range, .again(batch: .delayed, attempt: 0, due: due)))
  }

  func name(_ batch: EntryID, owner: Int) {
    self.batch = batch
    for index in parts.indices {
      let attempt = parts[index].claim.attempt!
      parts[index].claim.state = .claim(batch: batch, attempt: attempt, owner: owner)
    }
  }

  func claim() -> Claim {
    endAcceptance()
    return Claim(
      batch: batch, attempt: attempt, items: items, bytes: bytes,
      parts: parts.map { Part(name: $0.claim, items: $0.items, places: $0.places) },
      acceptances: acceptances)
  }

  /// Of names that are claims already.
  func claim(_ batch: EntryID, _ names: [NowName]) -> Claim {
    endAcceptance()
    let parts = zip(names, parts).map { Part(name: $0, items: $1.items, places: $1.places) }
    return Claim(
      batch: batch, attempt: names.compactMap(\.attempt).max() ?? 0, items: items, bytes: bytes,
      parts: parts, acceptances: acceptances)
  }
}
