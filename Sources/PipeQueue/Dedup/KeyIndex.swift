internal import Glibc
internal import PipeIO
internal import PipeTime

/// Locates recent lines by the hashes of their keys and contents, in the generations in dedup/
/// (pipe-queue(5), DEDUP). It only points at lines; the lines alone are the truth. Requires the
/// lock of dedup/.
final class KeyIndex {
  private let directory: Directory
  /// Oldest first, numbered without gaps; the last one takes new slots, and its header applies to
  /// all.
  private(set) var generations: [Generation]
  var state: IndexState

  /// Lines that are older than the window by up to this margin are kept too, so that a small
  /// backward step of the clock does not ask for lines that are gone.
  static let margin: TimeSpan = .minutes(1)

  private init(_ directory: Directory, _ generations: [Generation], _ state: IndexState) {
    self.directory = directory
    self.generations = generations
    self.state = state
  }

  /// nil: there is no index, it is of another boot, or a part of it is missing or damaged.
  static func open(_ directory: Directory, boot: BootID) throws(Fault) -> KeyIndex? {
    var numbers = try KeyIndex.numbers(directory)
    guard let last = numbers.last, last <= Generation.lastNumber,
      let latest = try Generation.open(last, in: directory)
    else { return nil }
    let state = latest.header.state
    // A renamed file can have a number below its own `oldest`.
    guard state.boot == boot, state.oldest <= last else { return nil }
    // The process that was removing the generations before the oldest has died.
    for number in numbers where number < state.oldest { try directory.clear("\(number)") }
    numbers.removeAll { $0 < state.oldest }
    guard numbers.elementsEqual(state.oldest...last) else { return nil }
    var generations: [Generation] = []
    for number in numbers.dropLast() {
      guard let found = try Generation.open(number, in: directory),
        found.header.state.seed == state.seed
      else { return nil }
      generations.append(found)
    }
    return KeyIndex(directory, generations + [latest], state)
  }

  /// Replaces any index that is there.
  static func create(_ directory: Directory, _ state: IndexState) throws(Fault) -> KeyIndex {
    // The latest first: a kill then leaves an older state of the index, which only covers less.
    for number in try numbers(directory).reversed() { try directory.clear("\(number)") }
    let first = try Generation.create(1, in: directory, capacity: Generation.least, state)
    return KeyIndex(directory, [first], state)
  }

  private static func numbers(_ directory: Directory) throws(Fault) -> [Int] {
    var found: [Int] = []
    try directory.forEachName { if let number = decimal($0) { found.append(number) } }
    return found.sorted()
  }

  /// Calls `found` with each slot under the hash of a probe; the line itself must be compared.
  /// `hashes` must ascend.
  func find(_ hashes: [UInt64], _ found: (_ probe: Int, _ slot: Slot) -> Void) throws(Fault) {
    for generation in generations { try generation.find(hashes, found) }
  }

  /// Inserts the slots of lines accepted in `times`, and only then records that `lane` is covered
  /// up to `position`: after a kill in between, the lines are read again and their slots are found.
  func insert(
    _ slots: [Slot], times: ClosedRange<Instant>, _ lane: Lane,
    upTo position: IndexState.Covered
  ) throws(Fault) {
    let sorted = slots.sorted(by: Slot.comesBefore)
    var rest = sorted[...]
    while !rest.isEmpty {
      let generation = generations.last!
      if generation.room == 0 || isOld(generation) {
        try begin(KeyIndex.capacity(after: generation, isOld: isOld(generation)))
        continue
      }
      rest = rest.dropFirst(try generation.insert(rest, times: times))
    }
    state.covered[lane] = position
    try writeState()
  }

  private func writeState() throws(Fault) {
    let latest = generations.last!
    latest.header.state = state
    try latest.writeHeader()
  }
}

extension KeyIndex {
  /// Keeps the index as far back as the longest window in use. A window that was not requested
  /// again within its own length is no longer in use.
  func ask(for window: TimeSpan, _ now: Instant) {
    // Set by a clock that was ahead: lines of the present would be left out as too old.
    if state.asked > now { state.asked = now }
    guard window >= state.window || now - state.asked > state.window else { return }
    (state.window, state.asked) = (window, now)
  }

  /// Removes the generations whose lines can no longer count.
  /// No transition: the index is built again from the segments
  func forget(_ now: Instant) throws(Fault) {
    let limit = horizon(now)
    var old: [Generation] = []
    while generations.count > 1, generations[0].header.latest < limit {
      old.append(generations.removeFirst())
    }
    guard let last = old.last else { return }
    state.oldest = last.number + 1
    for generation in old {
      state.completeFrom = max(state.completeFrom, generation.header.latest + .microseconds(1))
    }
    // Recorded before the removal, so that a kill leaves files too many, never one too few.
    try writeState()
    for generation in old { try directory.remove("\(generation.number)") }
  }

  private func horizon(_ now: Instant) -> Instant { now - state.window - KeyIndex.margin }

  private func isOld(_ generation: Generation) -> Bool {
    generation.header.count > 0 && generation.header.earliest < horizon(state.asked)
  }

  /// A generation that filled up in less than a window is followed by a larger one, so that there
  /// are few; one that only grew old is followed by one of the size that was needed.
  static func capacity(after generation: Generation, isOld: Bool) -> Int {
    if !isOld { return min(Generation.most, generation.capacity * 4) }
    var capacity = Generation.least
    while capacity < Generation.most, capacity < generation.header.count * 4 { capacity *= 4 }
    return capacity
  }

  private func begin(_ capacity: Int) throws(Fault) {
    try writeState()
    let next = generations.last!.number + 1
    generations.append(
      try Generation.create(next, in: directory, capacity: capacity, state))
  }
}

extension Directory {
  /// Frees a name that the index needs: removes a file, and renames anything else, which the index
  /// never made.
  /// No transition: the index is built again from the segments
  func clear(_ name: String) throws(Fault) {
    do throws(Fault) { try remove(name) } catch {
      guard error.code == EISDIR || error.code == EPERM else { throw error }
      _ = try rename(name, to: "odd.\(name).\(randomWord())")
    }
  }
}

extension KeyIndex {
  /// Slots that are collected before they are written.
  static let batch = 32768

  /// Reads the lines added since then, by any process, up to `laneEnd`.
  func catchUp(_ queue: Queue, upTo laneEnd: LaneEnd) throws(Fault) {
    let end = IndexState.Covered(segment: laneEnd.position.segment, offset: laneEnd.position.offset)
    let lookup = Lookup(queue)
    while state.covered[laneEnd.lane] < end {
      let start = try skip(lookup, laneEnd)
      var batch = LineBatch(
        laneEnd.lane, KeyHash(seed: state.seed), from: keptFrom, at: Clock.now(), start)
      let isComplete = try lookup.lines(laneEnd.lane, at: start, upTo: laneEnd) {
        line, offset, reader in
        batch.add(line, reader.segment, offset)
        return batch.slots.count < KeyIndex.batch
      }
      if batch.isPartial { state.completeFrom = max(state.completeFrom, keptFrom) }
      try insert(
        batch.slots, times: batch.times, laneEnd.lane, upTo: isComplete ? end : batch.reached)
    }
  }

  /// Lines before this time are never looked up.
  private var keptFrom: Instant { state.asked - state.window - KeyIndex.margin }

  // After a long time without deduplication, whole segments are too old to be read.
  private func skip(_ lookup: Lookup, _ laneEnd: LaneEnd) throws(Fault) -> Position {
    let covered = state.covered[laneEnd.lane]
    let start = Position(number: 0, segment: covered.segment, offset: covered.offset)
    guard covered.segment < laneEnd.position.segment else { return start }
    let position = try lookup.position(laneEnd.lane, from: keptFrom, laneEnd)
    let found = IndexState.Covered(segment: position.segment, offset: position.offset)
    guard covered < found else { return start }
    state.completeFrom = max(state.completeFrom, keptFrom)
    return position
  }
}

/// The slots of lines read from a lane in one pass.
private struct LineBatch {
  private let lane: Lane
  private let hash: KeyHash
  private let from: Instant
  private let now: Instant
  private(set) var slots: [Slot] = []
  /// The location after the last line.
  private(set) var reached: IndexState.Covered
  /// Whether lines were left out because they are too old.
  private(set) var isPartial = false
  private var first = Instant.distantFuture
  private var last: Instant = .epoch

  init(
    _ lane: Lane, _ hash: KeyHash, from: Instant, at now: Instant, _ start: Position
  ) {
    self.lane = lane
    self.hash = hash
    self.from = from
    self.now = now
    reached = IndexState.Covered(segment: start.segment, offset: start.offset)
  }

  /// When the lines were accepted, none after now: a line stamped by a clock that was ahead is not
  /// kept until the time of its stamp.
  var times: ClosedRange<Instant> { min(first, last)...last }

  mutating func add(_ line: SegmentLine, _ segment: Int, _ offset: Int) {
    reached = IndexState.Covered(segment: segment, offset: offset + line.length)
    guard line.time >= from else {
      isPartial = true
      return
    }
    let time = min(line.accepted(at: now), now)
    first = min(first, time)
    last = max(last, time)
    let print = Fingerprint(line, lane, hash)
    slots.append(Slot(print.content, lane, segment, offset))
    if let key = print.key { slots.append(Slot(key, lane, segment, offset)) }
  }
}

/// A 64-bit hash: each 16 bytes are folded into the state by a 128-bit product. Without the secret
/// seed, an attacker cannot choose bytes that collide; equal hashes are compared byte by byte all
/// the same.
struct KeyHash {
  private let start: UInt64
  private let secret: UInt64

  init(seed: UInt64) {
    start = KeyHash.fold(seed ^ 0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db)
    secret = KeyHash.fold(seed &+ 0x8ebc_6af0_9c88_c6e3, 0x5899_65cc_7537_4cc3) | 1
  }

  /// `domain` separates inputs that may have the same bytes but differ in meaning.
  func hash(_ bytes: UnsafeRawBufferPointer, domain: UInt64) -> UInt64 {
    var state = KeyHash.fold(start &+ domain, secret)
    var at = 0
    while at &+ 16 <= bytes.count {
      let low = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      let high = bytes.loadUnaligned(fromByteOffset: at &+ 8, as: UInt64.self)
      state = KeyHash.fold(low ^ secret, high ^ state)
      at &+= 16
    }
    var rest: (UInt64, UInt64) = (0, 0)
    withUnsafeMutableBytes(of: &rest) {
      $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[at...]))
    }
    state = KeyHash.fold(rest.0 ^ secret, rest.1 ^ state)
    return KeyHash.fold(state ^ UInt64(bytes.count), start ^ secret)
  }

  @inline(__always)
  private static func fold(_ one: UInt64, _ other: UInt64) -> UInt64 {
    let product = one.multipliedFullWidth(by: other)
    return product.high ^ product.low
  }
}

/// The hashes under which the index has a line.
struct Fingerprint {
  /// nil: the entry has no key.
  let key: UInt64?
  let content: UInt64

  init(_ line: SegmentLine, _ lane: Lane, _ hash: KeyHash) {
    key = line.key.map { hash.hash($0, domain: 0) }
    // The priority of a record is metadata of the queue; that of an id request is part of its
    // content.
    content = hash.hash(line.data, domain: line.isRecord ? 1 : 2 + UInt64(lane.rawValue))
  }

  /// The hash by which an equal earlier line is looked up.
  var wanted: UInt64 { key ?? content }
}

extension SegmentLine {
  /// Whether `earlier` answers for this line: the keys are equal or, if this line has no key, the
  /// contents are.
  func repeats(_ earlier: SegmentLine, _ lane: Lane, _ earlierLane: Lane) -> Bool {
    if let key { return earlier.key.map { areEqual($0, key) } ?? false }
    guard isRecord == earlier.isRecord, isRecord || lane == earlierLane else { return false }
    return areEqual(data, earlier.data)
  }
}

private func areEqual(_ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
  one.count == other.count
    && (one.isEmpty || memcmp(one.baseAddress!, other.baseAddress!, one.count) == 0)
}
