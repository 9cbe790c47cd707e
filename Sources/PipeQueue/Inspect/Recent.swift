package import PipeIO
package import PipeTime

/// An entry as a completion shows it.
package struct RecentEntry {
  package let id: EntryID
  package let priority: Lane
  /// When it was accepted.
  package let time: Instant
  /// The first bytes of its data.
  package let start: [UInt8]

  fileprivate static let most = 60

  package init(_ id: EntryID, _ priority: Lane, time: Instant, start: [UInt8]) {
    (self.id, self.priority, self.time, self.start) = (id, priority, time, start)
  }

  fileprivate init(_ line: SegmentLine, _ lane: Lane) {
    id = line.id
    priority = lane
    time = line.time
    start = Array(line.data.prefix(RecentEntry.most))
  }
}

/// Which entries a command is about.
package enum RecentChoice {
  case any
  /// With items that wait.
  case waiting
  /// Handed out at least once.
  case tried
  /// With dead letters.
  case dead
}

extension Queue {
  /// Returns entries whose ids begin with `prefix`, the newest first, for a person who types one.
  /// Takes no lock, since its holder may be suspended; a rename at this instant can hide an entry.
  /// Reads as much as `RecentSearch` may, however many entries there are: older ones are missing.
  package func recent(
    _ choice: RecentChoice, prefix: String, most: Int, at now: Instant
  ) throws(Fault) -> [RecentEntry] {
    let ends = try LaneEndListing(end, older: isOlder)
    let listing = try listNow()
    var found: [RecentEntry] = []
    for lane in Lane.allCases {
      guard let end = ends[lane], end.position.number > 0 else { continue }
      let map = LaneMap(lane, end: end.position, names: listing.names)
      let view = LaneView(
        self, map, earlyLimit: listing.early?.limits[lane] ?? 0, [.ready, .later], now)
      var search = RecentSearch(self, lane, end, prefix: prefix, most: most)
      switch choice {
      case .any: try search.scan([ItemRange(lane: lane, from: .origin, to: end.position)])
      case .tried: try search.scan(ItemRange.merged(map.names.map(\.range)))
      case .dead: try search.look(.dead)
      case .waiting:
        var parked = search
        try parked.look(.later)
        found += parked.found
        try search.scan(map.undone) { (line) throws(Fault) in try view.isWaiting(line) }
      }
      found += search.found
    }
    // An entry that `change --priority` moved is in two lanes.
    var known: Set<EntryID> = []
    let sorted = found.sorted { ($0.time, $0.id) > ($1.time, $1.id) }
    return Array(sorted.filter { known.insert($0.id).inserted }.prefix(most))
  }
}

extension LaneView {
  /// Whether the first or the last item waits: between them may be a million.
  fileprivate func isWaiting(_ line: SegmentLine) throws(Fault) -> Bool {
    for number in [line.number, line.number + line.items - 1] {
      let state = try state(of: number, line)?.state
      if state == .ready || state == .later { return true }
    }
    return false
  }
}

/// Reads a lane backwards: at most `budget` bytes of successive lines, or at most `names` lines that
/// names in later/ or dead/ are about.
private struct RecentSearch {
  private let queue: Queue
  private let lane: Lane
  private let end: LaneEnd
  private let prefix: [UInt8]
  private let most: Int
  private var left = RecentSearch.budget
  private(set) var found: [RecentEntry] = []

  private static let budget = 1 << 20
  private static let names = 400
  /// Bytes that are read at a time.
  private static let window = 32 << 10

  init(_ queue: Queue, _ lane: Lane, _ end: LaneEnd, prefix: String, most: Int) {
    self.queue = queue
    self.lane = lane
    self.end = end
    self.prefix = Array(prefix.utf8)
    self.most = most
  }

  private var isOver: Bool { found.count >= most || left <= 0 }

  private mutating func add(_ line: SegmentLine) {
    let text = line.id.text.utf8
    if text.starts(with: prefix) { found.append(RecentEntry(line, lane)) }
  }

  /// Adds the lines of these ranges, which are in order, that `isWanted` accepts, the last first.
  mutating func scan(
    _ ranges: [ItemRange], isWanted: (SegmentLine) throws(Fault) -> Bool = { _ in true }
  ) throws(Fault) {
    for range in ranges.reversed() where range.from.segment <= end.position.segment {
      var segment = min(range.to.segment, end.position.segment)
      while segment >= range.from.segment, !isOver {
        guard let file = try Segment.open(queue, lane, segment) else { break }
        let size = try file.size()
        let low = segment == range.from.segment ? range.from.offset : 0
        var high = segment == end.position.segment ? min(end.position.offset, size) : size
        // A range can end within a line.
        if segment == range.to.segment, range.to.offset < high {
          let reader = SegmentReader(file, lane, segment)
          high = range.to.offset
          if case .line(let line) = try reader.line(at: high, limit: size),
            line.number < range.to.number
          {
            high += line.length
          }
        }
        try scan(file, segment, low, high, isWanted)
        segment -= 1
      }
    }
  }

  private mutating func scan(
    _ file: Descriptor, _ segment: Int, _ low: Int, _ limit: Int,
    _ isWanted: (SegmentLine) throws(Fault) -> Bool
  ) throws(Fault) {
    var high = limit
    var window = RecentSearch.window
    while high > low, !isOver {
      let start = max(low, high - window)
      left -= high - start
      let reader = SegmentReader(file, lane, segment)
      let first = start == low ? low : try reader.lineStart(after: start - 1, limit: high)
      guard let first else {
        // A line longer than the window.
        window *= 2
        continue
      }
      let before = found.count
      var offset = first
      while offset < high {
        switch try reader.line(at: offset, limit: high) {
        case .line(let line):
          if try isWanted(line) { add(line) }
          offset += line.length
        case .damaged(let until): offset = until
        case .end: offset = high
        }
      }
      found[before...].reverse()
      high = first
    }
  }

  /// Adds the lines that names in later/ or dead/ are about, the highest number first.
  mutating func look(_ kind: SideKind) throws(Fault) {
    var last: SegmentReader?
    var looks = 0
    for shard in try queue.shards(kind, lane).reversed() {
      for name in try queue.namesAside(kind, lane, shard).reversed() where !name.isDropped {
        looks += 1
        if isOver || looks > RecentSearch.names { return }
        let place = name.range.from
        if last?.segment != place.segment {
          last = try Segment.open(queue, lane, place.segment).map {
            SegmentReader($0, lane, place.segment)
          }
        }
        guard let last, case .line(let line) = try last.line(at: place.offset, limit: .max),
          line.id != found.last?.id
        else { continue }
        add(line)
      }
    }
  }
}
