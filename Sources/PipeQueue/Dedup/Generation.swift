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
