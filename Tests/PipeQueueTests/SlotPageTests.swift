import Testing

@testable import PipeQueue

@Suite("Slot pages")
final class SlotPageTests {
  private let bytes = UnsafeMutableRawBufferPointer.allocate(
    byteCount: SlotPage.size, alignment: 64)
  private let page: SlotPage

  init() {
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    page = SlotPage(bytes)
  }

  deinit { bytes.deallocate() }

  private func slot(_ hash: UInt64, _ offset: Int, _ lane: Lane = .medium) -> Slot {
    Slot(hash, lane, 1, offset)
  }

  private func offsets(_ hash: UInt64) -> [Int] {
    var found: [Int] = []
    page.forEach(hash) { found.append(page[$0].offset) }
    return found.sorted()
  }

  @Test("a slot keeps its lane, segment and offset")
  func packing() {
    let slot = Slot(.max, .low, 0x3fff_ffff, 0xffff_ffff)
    #expect(slot.lane == .low && slot.segment == 0x3fff_ffff && slot.offset == 0xffff_ffff)
    #expect(Slot(0, .high, 1, 0).position != 0)
  }

  @Test("a page takes 255 slots, and finds each by its hash")
  func full() {
    for number in 0..<255 { #expect(page.insert(slot(UInt64(number), number)) == .added) }
    #expect(page.isFull && page.insert(slot(900, 1)) == .full)
    for number in 0..<255 { #expect(offsets(UInt64(number)) == [number]) }
    #expect(offsets(900) == [])
  }

  @Test("a page takes the same slot once, even when it is full")
  func again() {
    for number in 0..<255 { _ = page.insert(slot(UInt64(number), number)) }
    #expect(page.insert(slot(7, 7)) == .known)
    #expect(offsets(7) == [7])
  }

  @Test("a page keeps the last four lines of one hash in each lane")
  func repeats() {
    for number in 0..<4 { #expect(page.insert(slot(5, number)) == .added) }
    #expect(page.insert(slot(5, 0, .low)) == .added)
    for number in 4..<9 { #expect(page.insert(slot(5, number)) == .replaced) }
    #expect(offsets(5) == [0, 5, 6, 7, 8])
    #expect(page.insert(slot(5, 2)) == .known, "older than all that are kept")
    #expect(page.count == 5)
  }

  @Test("a page is intact as it was sealed, under its number and seed, or if it was never written")
  func seal() {
    #expect(page.isIntact(3, 17))
    _ = page.insert(slot(1, 1))
    #expect(!page.isIntact(3, 17))
    page.seal(3, 17)
    #expect(page.isIntact(3, 17) && !page.isIntact(4, 17) && !page.isIntact(3, 18))
    for byte in 0..<4088 {
      bytes[byte] ^= 4
      #expect(!page.isIntact(3, 17), "byte \(byte)")
      bytes[byte] ^= 4
    }
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
    bytes[77] = 1
    #expect(!page.isIntact(3, 17))
  }
}
