internal import Glibc
internal import PipeIO

/// Where lines of the last while are, by the hashes of their keys and contents: the generations in
/// dedup/ (pipe-queue(5), DEDUP). It only points at lines; they alone are the truth. Under the lock of
/// dedup/.
final class KeyIndex {
  private let directory: Directory
  /// Oldest first, with numbers that have no gap; the last one takes what comes, and its header counts.
  private(set) var generations: [Generation]
  var state: IndexState

  /// Lines this much older than the window are kept too, so that a small step of the clock backwards
  /// does not ask for what is gone. Microseconds.
  static let margin: Int64 = 60_000_000

  private init(_ directory: Directory, _ generations: [Generation], _ state: IndexState) {
    self.directory = directory
    self.generations = generations
    self.state = state
  }

  /// nil: there is none, or it is of another boot, or a part of it is missing or damaged.
  static func open(_ directory: Directory, boot: BootID) throws(Fault) -> KeyIndex? {
    var numbers = try KeyIndex.numbers(directory)
    guard let last = numbers.last, last <= Generation.lastNumber,
      let latest = try Generation.open(last, in: directory)
    else { return nil }
    let state = latest.header.state
    // A name that was changed can be below the oldest that it should stand behind.
    guard state.boot == boot, state.oldest <= last else { return nil }
    // Those before the oldest were to be removed when their remover died.
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

  /// Instead of whatever is there.
  static func create(_ directory: Directory, _ state: IndexState) throws(Fault) -> KeyIndex {
    // The latest first: what a kill leaves is then an index that only has less behind it.
    for number in try numbers(directory).reversed() { try directory.clear("\(number)") }
    let first = try Generation.create(1, in: directory, capacity: Generation.least, state)
    return KeyIndex(directory, [first], state)
  }

  private static func numbers(_ directory: Directory) throws(Fault) -> [Int] {
    var found: [Int] = []
    try directory.forEachName { if let number = decimal($0) { found.append(number) } }
    return found.sorted()
  }

  /// `found` gets each slot under the hash of a probe; the line is to be looked at. `hashes` ascend.
  func find(_ hashes: [UInt64], _ found: (_ probe: Int, _ slot: Slot) -> Void) throws(Fault) {
    for generation in generations { try generation.find(hashes, found) }
  }

  /// Puts in the slots of lines accepted in `times`, and only then notes that `lane` is covered up to
  /// there: killed in between, it reads those lines again and finds their slots there.
  func insert(
    _ slots: [Slot], times: ClosedRange<Int64>, _ lane: Lane,
    upTo place: IndexState.Covered
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
    state.covered[lane] = place
    try writeState()
  }

  private func writeState() throws(Fault) {
    let latest = generations.last!
    latest.header.state = state
    try latest.writeHeader()
  }
}

extension KeyIndex {
  /// Keeps as far back as the longest window that is in use. A window that was not asked for in its own
  /// length is no longer in use.
  func ask(for window: Int64, _ now: Int64) {
    // By a clock that was ahead: lines of now would be left out as too old.
    if state.asked > now { state.asked = now }
    guard window >= state.window || now - state.asked > state.window else { return }
    (state.window, state.asked) = (window, now)
  }

  /// Removes generations of which no line can count any more.
  func forget(_ now: Int64) throws(Fault) {
    let limit = horizon(now)
    var old: [Generation] = []
    while generations.count > 1, generations[0].header.latest < limit {
      old.append(generations.removeFirst())
    }
    guard let last = old.last else { return }
    state.oldest = last.number + 1
    for generation in old {
      state.completeFrom = max(state.completeFrom, generation.header.latest + 1)
    }
    // Said before it is done, so that a kill leaves files too many and not one too few.
    try writeState()
    for generation in old { try directory.remove("\(generation.number)") }
  }

  private func horizon(_ now: Int64) -> Int64 { now - state.window - KeyIndex.margin }

  private func isOld(_ generation: Generation) -> Bool {
    generation.header.count > 0 && generation.header.earliest < horizon(state.asked)
  }

  /// One that was full in less than a window is followed by a larger one, so that they stay few; one
  /// that only grew old by one that fits.
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
  /// Frees a name that the index needs. What is no file was never made by it, and is kept under another name.
  func clear(_ name: String) throws(Fault) {
    do throws(Fault) { try remove(name) } catch {
      guard error.code == EISDIR || error.code == EPERM else { throw error }
      _ = try rename(name, to: "odd.\(name).\(randomWord())")
    }
  }
}

extension KeyIndex {
  /// Lines that are read before their slots are written.
  static let batch = 32768

  /// Reads the lines that came since, whoever stored them, up to `mark`.
  func catchUp(_ queue: Queue, upTo mark: LaneEnd) throws(Fault) {
    let end = IndexState.Covered(segment: mark.place.segment, offset: mark.place.offset)
    let lookup = Lookup(queue)
    while state.covered[mark.lane] < end {
      let start = try skip(lookup, mark)
      var batch = LineBatch(
        mark.lane, KeyHash(seed: state.seed), from: keptFrom, at: Clock.now(), start)
      let isComplete = try lookup.lines(mark.lane, at: start, upTo: mark) { line, offset, reader in
        batch.add(line, reader.segment, offset)
        return batch.slots.count < KeyIndex.batch
      }
      if batch.isPartial { state.completeFrom = max(state.completeFrom, keptFrom) }
      try insert(
        batch.slots, times: batch.times, mark.lane, upTo: isComplete ? end : batch.reached)
    }
  }

  /// Lines before this time are never asked for.
  private var keptFrom: Int64 { state.asked - state.window - KeyIndex.margin }

  // Where nobody looked for duplicates for long, whole segments are too old to be read.
  private func skip(_ lookup: Lookup, _ mark: LaneEnd) throws(Fault) -> Position {
    let covered = state.covered[mark.lane]
    let start = Position(number: 0, segment: covered.segment, offset: covered.offset)
    guard covered.segment < mark.place.segment else { return start }
    let place = try lookup.place(mark.lane, from: keptFrom, mark)
    let found = IndexState.Covered(segment: place.segment, offset: place.offset)
    guard covered < found else { return start }
    state.completeFrom = max(state.completeFrom, keptFrom)
    return place
  }
}

/// What one reading of a lane brings.
private struct LineBatch {
  private let lane: Lane
  private let hash: KeyHash
  private let from: Int64
  private let now: Int64
  private(set) var slots: [Slot] = []
  /// Behind the last line.
  private(set) var reached: IndexState.Covered
  /// Whether lines were left out because they are too old.
  private(set) var isPartial = false
  private var first = Int64.max
  private var last: Int64 = 0

  init(
    _ lane: Lane, _ hash: KeyHash, from: Int64, at now: Int64, _ start: Position
  ) {
    self.lane = lane
    self.hash = hash
    self.from = from
    self.now = now
    reached = IndexState.Covered(segment: start.segment, offset: start.offset)
  }

  /// When its lines were accepted, none after now: what a clock that was ahead has stamped is not kept until then.
  var times: ClosedRange<Int64> { min(first, last)...last }

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
