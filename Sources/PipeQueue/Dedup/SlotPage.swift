internal import CPipeIO
internal import Glibc
internal import PipeIO

/// The index's entry for a line: 16 bytes.
struct Slot: Equatable {
  let hash: UInt64
  /// Location of the line: 2 bits of lane, 30 of segment, 32 of the byte at which it begins; never
  /// 0.
  let position: UInt64

  init(hash: UInt64, position: UInt64) {
    self.hash = hash
    self.position = position
  }

  init(_ hash: UInt64, _ lane: Lane, _ segment: Int, _ offset: Int) {
    self.hash = hash
    // A truncated location points at another line, and the comparison finds that.
    position =
      UInt64(lane.rawValue) << 62 | UInt64(truncatingIfNeeded: segment & 0x3fff_ffff) << 32
      | UInt64(truncatingIfNeeded: offset & 0xffff_ffff)
  }

  /// nil: no line has such a location.
  var lane: Lane? { Lane(rawValue: UInt8(position >> 62)) }
  var segment: Int { Int(position >> 32 & 0x3fff_ffff) }
  var offset: Int { Int(position & 0xffff_ffff) }

  /// By hash, and within one hash in lane order, so that pages are met in order.
  static func comesBefore(_ one: Slot, _ other: Slot) -> Bool {
    one.hash != other.hash ? one.hash < other.hash : one.position < other.position
  }
}

/// A bucket of slots: one page of a generation in memory.
///
///     0      255 slots: hash, location
///     4080   CRC32C of the slots, of the page's number and of the index's seed; 4084 slots in use
struct SlotPage {
  static let size = 4096
  static let capacity = 255
  /// For one hash and lane, only the latest lines are kept, at most this many: with only one, two
  /// contents that share a hash would displace each other.
  static let repeats = 4

  private static let trailer = 4080
  private let bytes: UnsafeMutableRawBufferPointer

  init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

  private(set) var count: Int {
    get { Int(bytes.load(fromByteOffset: SlotPage.trailer + 4, as: UInt32.self)) }
    nonmutating set {
      bytes.storeBytes(of: UInt32(newValue), toByteOffset: SlotPage.trailer + 4, as: UInt32.self)
    }
  }

  var isFull: Bool { count == SlotPage.capacity }

  subscript(index: Int) -> Slot {
    get {
      Slot(hash: hash(index), position: bytes.load(fromByteOffset: index * 16 + 8, as: UInt64.self))
    }
    nonmutating set {
      bytes.storeBytes(of: newValue.hash, toByteOffset: index * 16, as: UInt64.self)
      bytes.storeBytes(of: newValue.position, toByteOffset: index * 16 + 8, as: UInt64.self)
    }
  }

  @inline(__always)
  private func hash(_ index: Int) -> UInt64 {
    bytes.load(fromByteOffset: index &* 16, as: UInt64.self)
  }

  @inline(__always)
  func forEach(_ hash: UInt64, _ body: (Int) -> Void) {
    for index in 0..<count where self.hash(index) == hash { body(index) }
  }

  enum Insertion { case added, replaced, known, full }

  func insert(_ slot: Slot) -> Insertion {
    var (isKnown, same, oldest) = (false, 0, (index: -1, position: UInt64.max))
    forEach(slot.hash) { index in
      let position = self[index].position
      isKnown = isKnown || position == slot.position
      guard position >> 62 == slot.position >> 62 else { return }
      same += 1
      if position < oldest.position { oldest = (index, position) }
    }
    if isKnown { return .known }
    if same >= SlotPage.repeats {
      if slot.position < oldest.position { return .known }
      self[oldest.index] = slot
      return .replaced
    }
    if isFull { return .full }
    self[count] = slot
    count += 1
    return .added
  }
}

extension SlotPage {
  /// Whether the page is as it was sealed; a page that was never written is a hole in the file, all
  /// zeros.
  func isIntact(_ number: Int, _ seed: UInt64) -> Bool {
    let stored = bytes.load(fromByteOffset: SlotPage.trailer, as: UInt32.self)
    if stored == 0, count == 0 { return isBlank }
    return count <= SlotPage.capacity && stored == checksum(number, seed)
  }

  func seal(_ number: Int, _ seed: UInt64) {
    bytes.storeBytes(of: checksum(number, seed), toByteOffset: SlotPage.trailer, as: UInt32.self)
  }

  private var isBlank: Bool { bytes.bindMemory(to: UInt64.self).allSatisfy { $0 == 0 } }

  private func checksum(_ number: Int, _ seed: UInt64) -> UInt32 {
    var position = (seed, UInt64(number) << 32 | UInt64(count))
    let sum = withUnsafeBytes(of: &position) { cpipe_crc32c(0, $0.baseAddress, $0.count) }
    return cpipe_crc32c(sum, bytes.baseAddress, SlotPage.trailer)
  }
}

/// Consecutive pages of a generation in memory: one page for a few slots, many if most pages are
/// met. Pages are requested in ascending order.
final class PageWindow {
  private let generation: Descriptor
  private let seed: UInt64
  /// Pages of the file after its header.
  private let total: Int
  private let span: Int
  private let buffer: UnsafeMutableRawBufferPointer
  private var base = -1
  private var isChecked: UInt64 = 0
  private var isChanged: UInt64 = 0

  private static let widest = 64

  /// `slots`: the number of slots about to be looked up or inserted.
  init(_ file: Descriptor, seed: UInt64, pages: Int, slots: Int) {
    generation = file
    self.seed = seed
    total = pages
    span = slots > pages / 4 ? PageWindow.widest : 1
    buffer = .allocate(byteCount: span * SlotPage.size, alignment: 64)
  }

  /// Throws if the page is damaged. The result is valid until the next call.
  func page(_ number: Int) throws(Fault) -> SlotPage {
    if base < 0 || number < base || number >= base + span { try load(number - number % span) }
    let (index, bit) = (number - base, UInt64(1) << UInt64(number - base))
    let page = page(at: index)
    if isChecked & bit == 0 {
      guard page.isIntact(number, seed) else { throw damagedIndex(generation.path) }
      isChecked |= bit
    }
    return page
  }

  /// Notes that page `number`, the one requested last, was changed.
  func noteChange(_ number: Int) { isChanged |= 1 << UInt64(number - base) }

  /// Writes the changed pages. A kill in between leaves whole pages, or one whose checksum fails.
  func flush() throws(Fault) {
    guard isChanged != 0 else { return }
    let first = isChanged.trailingZeroBitCount
    let last = 63 - isChanged.leadingZeroBitCount
    for index in first...last where isChanged >> UInt64(index) & 1 == 1 {
      page(at: index).seal(base + index, seed)
    }
    let bytes = buffer[first * SlotPage.size..<(last + 1) * SlotPage.size]
    try generation.write(
      UnsafeRawBufferPointer(rebasing: bytes), at: (base + first + 1) * SlotPage.size)
    isChanged = 0
  }

  private func load(_ start: Int) throws(Fault) {
    try flush()
    base = -1
    let count = min(span, total - start) * SlotPage.size
    let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
    // An unreadable page counts as damaged.
    guard (try? generation.read(into: target, at: (start + 1) * SlotPage.size)) == count else {
      throw damagedIndex(generation.path)
    }
    (base, isChecked) = (start, 0)
  }

  private func page(at index: Int) -> SlotPage {
    let start = index * SlotPage.size
    return SlotPage(
      UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + SlotPage.size]))
  }

  deinit { buffer.deallocate() }
}

/// Nothing is lost with the index: the process that finds it damaged rebuilds it.
func damagedIndex(_ path: String) -> Fault {
  Fault(.inputOutput, "\(printable(path)): is damaged", code: EUCLEAN)
}

extension Fault {
  var isOfDamagedIndex: Bool { code == EUCLEAN }
}
