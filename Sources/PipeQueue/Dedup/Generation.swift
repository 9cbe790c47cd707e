internal import CPipeIO
internal import Glibc
internal import PipeIO
internal import PipeTime

/// A hash file of the index. It takes slots until it is half full, so that a lookup reads one page.
final class Generation {
  let number: Int
  var header: GenerationHeader
  private let file: Descriptor

  /// The smallest and the largest capacity in slots, where a page counts as 256.
  static let least = 4096
  static let most = 4 << 20
  /// A higher number was not made by this program.
  static let lastNumber = 999_999_999_999
  /// A slot whose page is full may be in one of this many pages after it.
  private static let reach = 8
  /// The name of the next generation while it is written.
  static let temporaryName = "new"

  private init(_ number: Int, _ file: Descriptor, _ header: GenerationHeader) {
    self.number = number
    self.file = file
    self.header = header
  }

  var capacity: Int { header.pages * 256 }
  /// The number of slots it still takes: up to half its capacity, or none once an insertion found
  /// its pages full.
  var room: Int { isCrowded ? 0 : max(0, capacity / 2 - header.count) }
  private var isCrowded = false

  /// nil: the file of this name is not a generation, or is damaged.
  static func open(_ number: Int, in directory: Directory) throws(Fault) -> Generation? {
    guard let file = try file(number, directory) else { return nil }
    guard let status = try? file.size() else { return nil }
    var bytes = [UInt8](repeating: 0, count: GenerationHeader.length)
    let count = try bytes.fill(from: file)
    guard count == bytes.count, let header = bytes.withUnsafeBytes({ GenerationHeader($0) }),
      status == size(header.pages)
    else { return nil }
    return Generation(number, file, header)
  }

  private static func file(_ number: Int, _ directory: Directory) throws(Fault) -> Descriptor? {
    do throws(Fault) { return try Descriptor.open("\(number)", in: directory, O_RDWR) } catch {
      // A symbolic link, a directory or a socket: pipe never made it.
      if [ELOOP, EISDIR, ENXIO].contains(error.code) { return nil }
      throw error
    }
  }

  private static func size(_ pages: Int) -> Int { (pages + 1) * SlotPage.size }

  /// The name comes last: the next creation removes what an interrupted one leaves.
  /// No transition: the index is built again from the segments
  static func create(
    _ number: Int, in directory: Directory, capacity: Int, _ state: IndexState
  ) throws(Fault) -> Generation {
    try directory.clear(temporaryName)
    let file = try Descriptor.create(temporaryName, in: directory, O_RDWR | O_TRUNC)
    let made = Generation(number, file, GenerationHeader(pages: capacity / 256, state: state))
    try file.truncate(to: size(made.header.pages))
    try made.writeHeader()
    guard try directory.rename(temporaryName, to: "\(number)") == .renamed else {
      throw damagedIndex(directory.path)
    }
    return made
  }

  func writeHeader() throws(Fault) { try header.bytes.write(to: file, at: 0) }
}

extension Generation {
  /// Calls `found` with each slot that has the hash of a probe. `hashes` must ascend.
  func find(
    _ hashes: [UInt64], _ found: (_ probe: Int, _ slot: Slot) -> Void
  ) throws(Fault) {
    let window = window(for: hashes.count)
    for (probe, hash) in hashes.enumerated() {
      var number = home(hash)
      for _ in 0...Generation.reach {
        let page = try window.page(number)
        page.forEach(hash) { found(probe, page[$0]) }
        guard page.isFull else { break }
        number = (number + 1) % header.pages
      }
    }
  }

  /// Inserts as many slots as there is room for, and returns their number. `slots` are in the order
  /// of their hashes.
  func insert(
    _ slots: ArraySlice<Slot>, times: ClosedRange<Instant>
  ) throws(Fault) -> Int {
    let taken = slots.prefix(room)
    let window = window(for: taken.count)
    var done = 0
    for slot in taken {
      guard try insert(slot, window) else {
        isCrowded = true
        break
      }
      done += 1
    }
    try window.flush()
    if done > 0 {
      header.earliest = min(header.earliest, times.lowerBound)
      header.latest = max(header.latest, times.upperBound)
    }
    return done
  }

  private func insert(_ slot: Slot, _ window: PageWindow) throws(Fault) -> Bool {
    var number = home(slot.hash)
    for _ in 0...Generation.reach {
      let outcome = try window.page(number).insert(slot)
      switch outcome {
      case .full:
        number = (number + 1) % header.pages
        continue
      case .added, .replaced: window.noteChange(number)
      case .known: break
      }
      // A slot that was already there comes from a writer that was killed before it counted it.
      if outcome != .replaced { header.count += 1 }
      return true
    }
    return false
  }

  private func window(for slots: Int) -> PageWindow {
    PageWindow(file, seed: header.state.seed, pages: header.pages, slots: slots)
  }

  // By the high bits: hashes in order then meet pages in order, for any number of pages.
  private func home(_ hash: UInt64) -> Int {
    Int(hash.multipliedFullWidth(by: UInt64(header.pages)).high)
  }
}

extension [UInt8] {
  fileprivate mutating func fill(from file: Descriptor) throws(Fault) -> Int {
    try withUnsafeMutableBufferPointer { (target) throws(Fault) -> Int in
      try file.read(into: UnsafeMutableRawBufferPointer(target), at: 0)
    }
  }
}

/// What the index records about itself, in the header of its latest generation.
struct IndexState: Equatable {
  /// The boot in which it was written. The index is never flushed, so a later boot must not trust
  /// it.
  var boot: BootID
  var seed: UInt64
  /// Number of the oldest generation that belongs to the index.
  var oldest = 1
  /// The index has all lines accepted at or after this time, up to `covered`.
  var completeFrom: Instant
  /// How far back the index reaches: the longest window requested recently, and when it was
  /// requested.
  var window: TimeSpan
  var asked: Instant
  /// For each lane, the location after the last line in the index.
  var covered: PerLane<Covered>

  /// Beyond every clock, and far from overflow.
  static let latestTime = Instant(microseconds: 1 << 60)

  struct Covered: Equatable, Comparable {
    var segment: Int
    var offset: Int

    static func < (one: Covered, other: Covered) -> Bool {
      (one.segment, one.offset) < (other.segment, other.offset)
    }
  }
}

/// `boot_id` of random(4): a new value at each start of the machine.
struct BootID: Equatable {
  var high: UInt64 = 0
  var low: UInt64 = 0

  init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// If it cannot be read, every process counts as a boot of its own: slow, but never wrong.
  static func current() -> BootID { read() ?? BootID(high: randomWord(), low: randomWord()) }

  private static func read() -> BootID? {
    let digits = (Boot.id() ?? []).filter { $0 != dash }
    guard digits.count == 32 else { return nil }
    let words = digits.withUnsafeBytes { bytes in
      stride(from: 0, to: 32, by: 8).compactMap { hex(cut(bytes, $0, $0 + 8)) }
    }
    guard words.count == 4 else { return nil }
    return BootID(
      high: UInt64(words[0]) << 32 | UInt64(words[1]),
      low: UInt64(words[2]) << 32 | UInt64(words[3])
    )
  }
}

func randomWord() -> UInt64 {
  var word: UInt64 = 0
  _ = withUnsafeMutableBytes(of: &word) { getrandom($0.baseAddress, $0.count, 0) }
  return word
}

/// The first page of a generation: 20 words of 8 bytes, the last one the checksum of the others.
struct GenerationHeader: Equatable {
  /// Pages of slots.
  var pages: Int
  /// Slots in use, and the range of times at which their lines were accepted.
  var count = 0
  var earliest = Instant.distantFuture
  var latest = Instant.distantPast
  var state: IndexState

  private static let magic: UInt64 = 0x3170_7564_6570_6970  // "pipedup1"
  private static let words = 19
  static let length = (words + 1) * 8

  var bytes: [UInt8] {
    var words: [UInt64] = [
      GenerationHeader.magic, word(pages), word(count), word(earliest),
      word(latest), state.boot.high, state.boot.low, state.seed,
      word(state.oldest), word(state.completeFrom),
      UInt64(bitPattern: state.window.microseconds), word(state.asked), 0,
    ]
    for position in state.covered { words += [word(position.segment), word(position.offset)] }
    words.append(GenerationHeader.checksum(words))
    return words.withUnsafeBytes { Array($0) }
  }

  private func word(_ number: Int) -> UInt64 { UInt64(bitPattern: Int64(number)) }

  private func word(_ time: Instant) -> UInt64 { UInt64(bitPattern: time.microseconds) }

  init(pages: Int, state: IndexState) {
    self.pages = pages
    self.state = state
  }

  /// nil: incomplete, damaged or of another version.
  init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count == GenerationHeader.length else { return nil }
    let words = (0...GenerationHeader.words).map {
      bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)
    }
    let numbers = words.map { Int64(bitPattern: $0) }
    guard words[0] == GenerationHeader.magic,
      words[GenerationHeader.words] == GenerationHeader.checksum(words.dropLast())
    else { return nil }
    pages = Int(numbers[1])
    count = Int(numbers[2])
    let instant = { Instant(microseconds: numbers[$0]) }
    (earliest, latest) = (instant(3), instant(4))
    state = IndexState(
      boot: BootID(high: words[5], low: words[6]), seed: words[7], oldest: Int(numbers[8]),
      completeFrom: instant(9), window: TimeSpan(microseconds: numbers[10]), asked: instant(11),
      covered: PerLane { lane in
        let first = 13 + 2 * lane.order
        return IndexState.Covered(segment: Int(numbers[first]), offset: Int(numbers[first + 1]))
      })
    guard isPlausible else { return nil }
  }

  // A checksum can match by chance or malice; even then, no number may be too large to calculate
  // with.
  private var isPlausible: Bool {
    let times = Instant.epoch...IndexState.latestTime
    let isEmpty = earliest == .distantFuture && latest == .distantPast
    return (1...Generation.most / 256).contains(pages) && (0...pages * 256).contains(count)
      && (isEmpty || times.contains(earliest) && times.contains(latest))
      && (1...Generation.lastNumber).contains(state.oldest) && times.contains(state.completeFrom)
      && times.contains(.epoch + state.window) && times.contains(state.asked)
      && state.covered.allSatisfy { $0.segment >= 0 && $0.offset >= 0 }
  }

  private static func checksum(_ words: some Collection<UInt64>) -> UInt64 {
    UInt64(Array(words).withUnsafeBytes { cpipe_crc32c(0, $0.baseAddress, $0.count) })
  }
}
