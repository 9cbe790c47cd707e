internal import Glibc
internal import PipeIO

/// A stretch of a generation's pages in memory, as wide as pays: one page for a few slots, many where
/// most pages are met. It is used forwards through the pages.
final class PageWindow {
  private let generation: Descriptor
  private let seed: UInt64
  /// Pages of the file behind its header.
  private let total: Int
  private let span: Int
  private let buffer: UnsafeMutableRawBufferPointer
  private var base = -1
  private var isChecked: UInt64 = 0
  private var isChanged: UInt64 = 0

  private static let widest = 64

  /// `slots`: how many are about to be met.
  init(_ file: Descriptor, seed: UInt64, pages: Int, slots: Int) {
    generation = file
    self.seed = seed
    total = pages
    span = slots > pages / 4 ? PageWindow.widest : 1
    buffer = .allocate(byteCount: span * SlotPage.size, alignment: 64)
  }

  /// Throws where the page is damaged. Valid until the next call.
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

  /// The page that was asked for last was written to.
  func noteChange(_ number: Int) { isChanged |= 1 << UInt64(number - base) }

  /// Writes what was changed. A kill in between leaves whole pages, or one whose checksum tells.
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
    // What the disk cannot read is as good as damaged.
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

/// Nothing is lost with the index: the process that finds it damaged builds it again.
func damagedIndex(_ path: String) -> Fault {
  Fault(.inputOutput, "\(printable(path)): is damaged", code: EUCLEAN)
}

extension Fault {
  var isOfDamagedIndex: Bool { code == EUCLEAN }
}
