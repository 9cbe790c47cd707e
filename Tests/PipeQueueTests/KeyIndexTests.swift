import Foundation
import Testing

@testable import PipeIO
@testable import PipeQueue
import PipeTime

@Suite("The index of keys")
struct KeyIndexTests {
  private let scratch: ScratchQueue
  private let directory: Directory
  private let boot = BootID(high: 1, low: 2)
  private let minute: TimeSpan = .minutes(1)

  private func at(_ minutes: Int64) -> Instant { .epoch + .minutes(minutes) }

  init() throws {
    scratch = try ScratchQueue()
    directory = try scratch.queue.root.subdirectory(making: "dedup")
  }

  private func made() throws -> KeyIndex {
    let covered = PerLane.repeating(IndexState.Covered(segment: 1, offset: 0))
    return try KeyIndex.create(
      directory,
      IndexState(
        boot: boot, seed: 7, completeFrom: 0, window: minute, asked: at(10), covered: covered))
  }

  private func opened() throws -> KeyIndex? { try KeyIndex.open(directory, boot: boot) }

  private func slots(_ numbers: Range<Int>) -> [Slot] {
    let hash = KeyHash(seed: 3)
    return numbers.map { number in
      Slot(withUnsafeBytes(of: number) { hash.hash($0, domain: 0) }, .low, 1, number)
    }
  }

  private func insert(_ slots: [Slot], _ index: KeyIndex, at time: Instant? = nil) throws {
    let time = time ?? at(10)
    try index.insert(
      slots, times: time...time, .low, upTo: .init(segment: 1, offset: slots.last!.offset + 1))
  }

  private func missing(_ slots: [Slot], _ index: KeyIndex) throws -> Int {
    let sorted = slots.sorted(by: Slot.comesBefore)
    var found: Set<Int> = []
    try index.find(sorted.map(\.hash)) { probe, slot in
      if slot == sorted[probe] { found.insert(probe) }
    }
    return slots.count - found.count
  }

  private func name(_ number: Int) -> String { "\(scratch.path)/dedup/\(number)" }

  private func change(_ number: Int, at byte: Int) throws {
    let file = try #require(try Descriptor.open("\(number)", in: directory, 2))
    try [UInt8(0x5a)].write(to: file, at: byte)
  }

  @Test("the index grows by factors of four, half full each, and finds all keys, even reopened")
  func growth() throws {
    let all = slots(0..<50_000)
    let index = try made()
    for start in stride(from: 0, to: all.count, by: 7919) {
      try insert(Array(all[start..<min(all.count, start + 7919)]), index)
    }
    let again = try #require(try opened())
    #expect(again.generations.map(\.capacity) == [4096, 16384, 65536, 262_144])
    #expect(again.generations.map(\.header.count) == [2048, 8192, 32768, 6992])
    #expect(again.state == index.state && again.state.covered[.low].offset == 50_000)
    #expect(try missing(all, again) == 0)
    #expect(try missing(Array(all[700..<701]), again) == 0)
    #expect(try missing(slots(50_000..<60_000), again) == 10_000)
  }

  @Test("a full page overflows into the next one, and at last into another file")
  func fullPages() throws {
    // All of them belong in the last page, whose next one is the first.
    let all = (0..<6000).map { Slot(.max - UInt64($0), .low, 1, $0) }
    let index = try made()
    try insert(Array(all[..<2000]), index)
    #expect(index.generations.count == 1)
    try insert(Array(all[2000...]), index)
    #expect(index.generations.map(\.header.count).reduce(0, +) == 6000)
    #expect(index.generations.count == 3, "of nine pages each, where half of the first would do")
    #expect(try missing(all, try #require(try opened())) == 0)
  }

  @Test("the index is right after a writer was killed before it had recorded its insertions")
  func killed() throws {
    let index = try made()
    try insert(slots(0..<10), index)
    let header = index.generations[0].header
    try insert(slots(10..<500), index)
    let file = try #require(try Descriptor.open("1", in: directory, 2))
    try header.bytes.write(to: file, at: 0)
    let again = try #require(try opened())
    #expect(again.state.covered[.low].offset == 10)
    try insert(slots(10..<500), again)
    #expect(again.generations[0].header.count == 500)
    var found = 0
    try again.find(slots(400..<401).map(\.hash)) { _, _ in found += 1 }
    #expect(found == 1)
  }

  @Test("an index of another boot, or with a damaged header, is rejected")
  func headers() throws {
    try insert(slots(0..<10), try made())
    #expect(try KeyIndex.open(directory, boot: BootID(high: 1, low: 3)) == nil)
    #expect(try opened() != nil)
    for byte in 0..<160 {
      try insert(slots(0..<10), try made())
      try change(1, at: byte)
      #expect(try opened() == nil, "byte \(byte)")
    }
  }

  @Test("an index with impossible numbers in its header is rejected despite a right checksum")
  func implausible() throws {
    let changes: [(inout GenerationHeader) -> Void] = [
      { $0.pages = 0 }, { $0.pages = -1 }, { $0.pages = .max / 512 }, { $0.count = -1 },
      { $0.count = .max }, { $0.earliest = .distantPast }, { $0.latest = .distantFuture },
      { $0.state.oldest = 0 },
      { $0.state.oldest = .max }, { $0.state.oldest = 2 }, { $0.state.completeFrom = .distantPast },
      { $0.state.window = .days(100_000_000) }, { $0.state.asked = .distantPast },
      { $0.state.window = -1 },
      { $0.state.covered[.medium].segment = -1 }, { $0.state.covered[.low].offset = .min },
    ]
    for (number, change) in changes.enumerated() {
      let index = try made()
      try insert(slots(0..<10), index)
      var header = index.generations[0].header
      change(&header)
      let file = try #require(try Descriptor.open("1", in: directory, 2))
      try header.bytes.write(to: file, at: 0)
      #expect(try opened() == nil, "\(number)")
    }
  }

  @Test(
    "an index file with an impossible number as its name is rejected",
    arguments: ["0", "2", "999999999999999999"])
  func odd(name: String) throws {
    try insert(slots(0..<10), try made())
    #expect(try directory.rename("1", to: name) == .renamed)
    #expect(try opened() == nil)
    _ = try made()
    #expect(try directory.names() == ["1"])
  }

  @Test("an index with a missing, cut or odd generation is rejected")
  func parts() throws {
    for harm in [
      { try FileManager.default.removeItem(atPath: name(2)) },
      { try #require(try Descriptor.open("2", in: directory, 2)).truncate(to: 5000) },
      { _ = try Descriptor.create("9", in: directory, 2) },
      {
        try FileManager.default.createSymbolicLink(
          atPath: name(4), withDestinationPath: scratch.path + "/format")
      },
      { mkfifo(name(4), 0o600) },
    ] as [() throws -> Void] {
      try insert(slots(0..<12_000), try made())
      #expect(try opened()?.generations.count == 3)
      try harm()
      #expect(try opened() == nil)
    }
    _ = try made()
    #expect(try directory.names() == ["1"])
  }

  @Test("a damaged page is reported when it is read")
  func damagedPage() throws {
    try insert(slots(0..<2000), try made())
    try change(1, at: 4096 * 3 + 100)
    let index = try #require(try opened())
    let error = #expect(throws: Fault.self) { _ = try missing(slots(0..<2000), index) }
    #expect(error?.isOfDamagedIndex == true)
  }

  @Test("the index forgets lines older than the window, and records since when it is complete")
  func forgetting() throws {
    let index = try made()
    try insert(slots(0..<2048), index, at: at(10))
    try insert(slots(2048..<2100), index, at: at(11))
    try index.forget(at(12))
    #expect(index.generations.map(\.number) == [1, 2] && index.state.completeFrom == 0)
    try index.forget(at(12) + 1)
    #expect(index.generations.map(\.number) == [2])
    let again = try #require(try opened())
    #expect(again.state.completeFrom == at(10) + 1 && again.state.oldest == 2)
    #expect(try directory.names() == ["2"])
    try again.forget(at(99))
    #expect(again.generations.count == 1, "the last one stays")
  }

  @Test("a new file of a fitting size begins when the last one is older than the window")
  func age() throws {
    let index = try made()
    try insert(slots(0..<10_000), index, at: at(9))
    #expect(index.generations.last?.capacity == 16384)
    index.ask(for: minute, at(20))
    try insert(slots(10_000..<10_001), index, at: at(20))
    #expect(index.generations.map(\.capacity) == [4096, 16384, 65536])
    index.ask(for: minute, at(40))
    try insert(slots(10_001..<10_002), index, at: at(40))
    #expect(index.generations.map(\.capacity) == [4096, 16384, 65536, 4096])
  }

  @Test("the index reaches back as far as was requested recently")
  func windows() throws {
    let index = try made()
    index.ask(for: 5 * minute, at(20))
    #expect(index.state.window == 5 * minute)
    index.ask(for: minute, at(25))
    #expect(index.state.window == 5 * minute)
    index.ask(for: minute, at(25) + 1)
    #expect(index.state.window == minute)
    index.ask(for: 9 * minute, at(9999))
    index.ask(for: minute, at(30))
    #expect(index.state.window == 9 * minute && index.state.asked == at(30), "it was ahead")
  }
}
