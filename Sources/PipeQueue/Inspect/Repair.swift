package import PipeIO
internal import PipeTime

// Repairs what a check finds. Each step says nothing that it does not know: what no name covers is ready, and
// what no line holds is lost. A process killed at any call leaves a queue that the next repair completes.
extension Queue {
  /// Writes the settings again if both of their files are lost: the defaults, except that nothing is pruned.
  /// Does nothing to a directory that does not look like a queue.
  /// Step of: create
  package static func restoreFormat(
    path: String, report: (String) -> Void
  ) throws(Fault) {
    guard let root = try directory(path), root.has("segments/" + Lane.high.name) else { return }
    try lock(root, exclusive: true, report)
    defer { root.unlock() }
    guard try Settings.areLost(root) else { return }
    for name in [Settings.fileName, Settings.copyName] { _ = try root.putAside(name) }
    var settings = Settings()
    settings.retain = .days(36_500)
    settings.hasEarlyLetters = try has(.dead, in: root) {
      $0.split(separator: ".").contains("early")
    }
    settings.hasEarlyParking = try has(.later, in: root) { _ in true }
    try settings.begin(in: root)
    report(
      "\(printable(path))/\(Settings.fileName): was lost, and so was its copy; written again with the"
        + " default settings, but nothing is pruned (see pipe init --retain)")
  }

  private static func has(
    _ kind: SideKind, in root: Directory, where isMeant: (String) -> Bool
  ) throws(Fault) -> Bool {
    for lane in Lane.allCases {
      for shard in try shards(kind, lane, in: root) {
        let names = try Directory.open(kind.path(lane, shard), in: root)?.names() ?? []
        if names.contains(where: isMeant) { return true }
      }
    }
    return false
  }

  /// Repairs what `check` finds, and calls `report` of the queue or `repaired` with each repair.
  package func repair(_ repaired: (Finding) -> Void) throws(Fault) {
    for name in Queue.parts { _ = try part(name) }
    if [Settings.fileName, Settings.copyName].contains(where: { Settings.isDamaged($0, root) }) {
      try Queue.lock(root, exclusive: true, report)
      defer { root.unlock() }
      try settings.replace(in: root)
      repaired(Finding(Settings.copyName, "written again"))
    }
    let claimer = Claimer(self)
    try keepDamagedNames(repaired)
    try mendSegments(repaired)
    try claimer.begin()
    if try namesNow().reach(beyond: ends()) { try raiseEnds() }
    for lane in Lane.allCases {
      try mendAside(lane, repaired)
      try giveUp(lane, repaired)
    }
    _ = try claimer.ensureHint()
    _ = try claimer.returnUnfiled()
    try claimer.sync.flush()
    try now().flush()
  }

  /// Moves damaged names to quarantine/. They have no meaning, so each place is right after a crash.
  /// Step of: put aside
  private func keepDamagedNames(_ repaired: (Finding) -> Void) throws(Fault) {
    try putAsideDamaged()
    let names = try markedNames() + damagedNamesAside()
    if names.isEmpty { return }
    let quarantine = try root.subdirectory(making: "quarantine")
    for name in names {
      if let kept = try keep(name) { repaired(Finding(name, "moved to \(kept)")) }
    }
    try quarantine.flush()
    for parent in Set(names.map(Queue.parent)) { try root.existing(parent).flush() }
  }

  private func putAsideDamaged() throws(Fault) {
    try lockEnd()
    defer { unlockEnd() }
    for name in try endListing().damaged { _ = try end.putAside(name) }
    try lockNow(exclusive: true)
    defer { unlockNow() }
    try putAsideDamaged(listNow())
  }

  /// Moves a file to quarantine/. Returns where it is then; nil if it is gone.
  private func keep(_ name: String) throws(Fault) -> String? {
    // A name has at most 255 bytes.
    let flat = String(decoding: name.utf8.suffix(240), as: UTF8.self)
      .split(separator: "/").joined(separator: ".")
    return try root.move(name) { "quarantine/" + ($0 == 0 ? flat : "\(flat).\($0)") }
  }

  /// Under the lock of later/, no segment is pruned.
  private func mendSegments(_ repaired: (Finding) -> Void) throws(Fault) {
    let later = try part(SideKind.later.rawValue)
    try Queue.lock(later, exclusive: true, report)
    defer { later.unlock() }
    try lockEnd()
    defer { unlockEnd() }
    for lane in Lane.allCases { try mendSegments(lane, repaired) }
  }

  /// Creates missing segments, empty, and continues a lane whose last segment was cut off in the next one.
  /// Step of: repair
  private func mendSegments(_ lane: Lane, _ repaired: (Finding) -> Void) throws(Fault) {
    for segment in try segmentNumbers(lane) {
      let path = Segment.path(lane, segment)
      if root.isStrange(path), let kept = try keep(path) {
        repaired(Finding(path, "moved to \(kept)"))
      }
    }
    var laneEnd = try soundEnds()[lane]
    let undone = LaneMap(lane, end: laneEnd.position, names: try namesNow()).undone
    for segment in try segmentsNeeded(laneEnd, undone)
    where try Segment.open(self, lane, segment) == nil {
      _ = try beginSegment(lane, segment)
      repaired(Finding(Segment.path(lane, segment), "created again, empty"))
    }
    let last = laneEnd.position
    let size = try Segment.open(self, lane, last.segment)?.size() ?? 0
    guard size < last.offset else { return }
    let old = laneEnd.text
    laneEnd.position = Position(number: last.number, segment: last.segment + 1, offset: 0)
    _ = try beginSegment(lane, laneEnd.position.segment)
    _ = try end.rename(old, to: laneEnd.text)
    try end.flush()
    repaired(
      Finding(
        Segment.path(lane, last.segment),
        "the lane continues in \(Segment.path(lane, laneEnd.position.segment))"))
  }

  /// Lists items of later/ and dead/ in the register again, and raises the early name above all early ones.
  private func mendAside(_ lane: Lane, _ repaired: (Finding) -> Void) throws(Fault) {
    let later = try part(SideKind.later.rawValue)
    try Queue.lock(later, exclusive: true, report)
    defer { later.unlock() }
    try lockNow(exclusive: true)
    defer { unlockNow() }
    let listing = try listNow()
    let map = LaneMap(lane, end: try ends()[lane].position, names: listing.names)
    let (unlisted, above) = try claimsAside(map, listing.early, withReady: true)
    if !unlisted.isEmpty {
      // A listed item whose name a power cut took would be handed out again after it is done.
      for kind in SideKind.allCases { try flushAside(kind, unlisted) }
      try Register(root).add(unlisted)
      repaired(Finding("register/" + lane.name, "its items are listed again"))
    }
    if !above.isEmpty {
      try raiseEarly(listing, above)
      repaired(Finding("now/", "the early name is written again"))
    }
  }

  /// Copies damaged bytes to quarantine/, and makes items lost that no line holds and that are ready or wait.
  private func giveUp(_ lane: Lane, _ repaired: (Finding) -> Void) throws(Fault) {
    let laneEnd = try ends()[lane]
    let undone = LaneMap(lane, end: laneEnd.position, names: try namesNow()).undone
    var gaps: [ItemRange] = []
    try readLines(laneEnd, undone, { _ in }) { (fault) throws(Fault) in
      switch fault {
      case .damaged(let segment, let bytes, _): try quarantine(lane, segment, bytes)
      case .gap(let range): gaps.append(range)
      case .missing, .strange, .short: break
      }
    }
    for gap in gaps {
      for range in try giveUp(gap) {
        repaired(
          Finding(
            Segment.path(lane, range.from.segment),
            "byte \(range.from.offset): \(countedItems(range.count)) lost"))
      }
    }
  }

  /// Returns what became lost.
  private func giveUp(_ gap: ItemRange) throws(Fault) -> [ItemRange] {
    try lockNow(exclusive: true)
    defer { unlockNow() }
    let listing = try listNow()
    let names = listing.names.filter { $0.range.lane == gap.lane }
    let covered = ItemRange.merged(names.map(\.range))
    let open = try withoutPassedOver(gap.removing(covered), listing.early)
    var nowDirectory = NowDirectory(self, listing)
    for range in open { try nowDirectory.giveUp(range, of: nil) }
    var lost = open
    let final = ItemRange.merged(names.filter { !$0.isAgain }.map(\.range))
    for name in LaneMap(gap.lane, end: try ends()[gap.lane].position, names: names).waiting
    where name.isAgain && name.range.overlaps(gap) {
      var part = name.range
      if part.from.number < gap.from.number { part.from = gap.from }
      if part.to.number > gap.to.number { part.to = gap.to }
      guard part.removing(final) == [part] else { continue }
      try nowDirectory.giveUp(part, of: name)
      lost.append(part)
    }
    return lost
  }
}
