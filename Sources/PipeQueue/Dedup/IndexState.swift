internal import CPipeIO
internal import Glibc
internal import PipeIO
internal import PipeTime

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
