internal import PipeIO
internal import PipeTime

/// A batch while it is put together: the longest run of ready items, in order, that may come
/// together. Items that were never tried come together. Failed items come back with the items they
/// failed with, and one by one for their last attempt, so that only the bad ones are buried.
final class Selection {
  struct Planned {
    var claim: NowName
    let replacing: NowName?
    let items: Range<Int>
    let places: [Position]
  }

  let now: Instant
  private let size: Int
  private let byteLimit: Int
  private let retries: Int
  private let countsAttempt: Bool
  /// Takes only items that were accepted by then; nil: all.
  var acceptedBy: Instant?
  /// Where letters and names in later/ may be early; nil: nowhere.
  var early: EarlyHint?
  /// Dead or parked items that were passed over: their names become done.
  private(set) var skips: [ItemRange] = []
  private(set) var parts: [Planned] = []
  /// Names for entries that were passed over because their delay is not over.
  private(set) var delays: [NowName] = []
  /// Items that no intact line holds, with their name; nil where no name covers them.
  private(set) var losses: [(range: ItemRange, name: NowName?)] = []
  private var kind: BatchID?
  private var isSingle = false
  private var isClosed = false
  private var items: [Item] = []
  private var bytes: [UInt8] = []
  private var acceptances: [AcceptedItems] = []
  private var accepted: (time: Instant, from: Int) = (.distantPast, 0)
  private var attempt = 0
  private var batch = Selection.unnamed

  private static let unnamed = BatchID.delayed
  /// More delays and losses than this would hold the lock of now/ for too long.
  private static let mostDelays = 64

  /// `retries`: from the settings. `countsAttempt`: whether being claimed is an attempt.
  init(size: Int, byteLimit: Int, now: Instant, retries: Int, countsAttempt: Bool = true) {
    self.countsAttempt = countsAttempt
    self.size = size
    self.byteLimit = byteLimit
    self.now = now
    self.retries = retries
  }

  var isFull: Bool {
    isClosed || items.count >= (isSingle ? 1 : size) || bytes.count >= byteLimit
      || delays.count + losses.count + skips.count >= Selection.mostDelays
  }

  /// Whether there is nothing to name.
  var isEmpty: Bool { parts.isEmpty && delays.isEmpty && losses.isEmpty && skips.isEmpty }

  func skip(_ range: ItemRange) {
    if let last = skips.last, last.lane == range.lane, last.to.number == range.from.number {
      skips[skips.count - 1].to = range.to
    } else {
      skips.append(range)
    }
  }

  func lose(_ range: ItemRange, of name: NowName?) { losses.append((range, name)) }

  var itemCount: Int { items.count }

  /// Ends the batch: any later item would overtake an item that is not in it.
  func close() { isClosed = true }

  func accepts(_ offer: ReadyRange) -> Bool {
    let attempts = offer.name?.attempt ?? 0
    let kind = attempts > 0 ? offer.name?.batch : nil
    let isLast = attempts > 0 && attempts >= retries
    // Attempts within one batch may differ: an item that was given back has one less.
    if !parts.isEmpty { return kind == self.kind && !isSingle && !isLast }
    self.kind = kind
    isSingle = isLast
    return true
  }

  /// The items added from here on were accepted at `time`.
  @inline(__always)
  func begin(accepted time: Instant) {
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

  func add(
    _ data: UnsafeRawBufferPointer, of entry: EntryID, _ index: Int, _ lane: Lane, isJob: Bool,
    isDelayed: Bool
  ) {
    let start = bytes.count
    bytes.append(contentsOf: data)
    bytes.append(newline)
    items.append(
      Item(
        entry: entry, index: index, priority: lane, isJob: isJob,
        data: start..<(start + data.count), isDelayed: isDelayed))
  }

  /// Adds the part of a scan's range that ends at the scan's position.
  func add(_ scan: RangeScan, replacing name: NowName?) {
    var range = scan.range
    range.to = scan.position
    guard range.count > 0 else { return }
    let attempt = (name?.attempt ?? 0) + (countsAttempt ? 1 : 0)
    parts.append(
      Planned(
        claim: NowName(range, .claim(batch: batch, attempt: attempt, owner: 0)), replacing: name,
        items: scan.firstItem..<items.count, places: scan.places))
    self.attempt = max(self.attempt, attempt)
  }

  func delay(_ range: ItemRange, _ batch: BatchID, until due: ReadyTime) {
    delays.append(NowName(range, .again(batch: batch, attempt: 0, due: due)))
  }

  func name(_ batch: BatchID, owner: Int) {
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

  /// The claim of names that are claims already.
  func claim(_ batch: BatchID, _ names: [NowName]) -> Claim {
    endAcceptance()
    let parts = zip(names, parts).map { Part(name: $0, items: $1.items, places: $1.places) }
    return Claim(
      batch: batch, attempt: names.compactMap(\.attempt).max() ?? 0, items: items, bytes: bytes,
      parts: parts, acceptances: acceptances)
  }
}
