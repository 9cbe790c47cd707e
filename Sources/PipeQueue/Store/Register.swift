internal import CPipeIO
internal import Glibc
internal import PipeIO

/// The numbers of the items in later/ or dead/, kept a second time (pipe-queue(5), REGISTER). Such
/// an item is done in now/. If its name in later/ or dead/ alone said otherwise, the loss of that
/// name would make the item done.
///
/// One file for 10,000 items, with a record for each hundred: checksum, space, 25 hex digits,
/// newline. The digits are a number whose lowest bit is the first item. A record that is incomplete
/// or was never written lists no items.
struct Register {
  private let root: Directory

  init(_ root: Directory) { self.root = root }

  /// Items per record, and per file.
  static let recordSpan = SideKind.width
  private static let fileSpan = 10_000
  private static let digits = 25
  private static let recordLength = 8 + 1 + digits + 1
  private static let fileLength = fileSpan / recordSpan * recordLength
  static let name = "register"

  /// Lists the items. They are on disk when it returns.
  func add(_ ranges: [ItemRange]) throws(Fault) { try change(ranges, making: true) { $0 | $1 } }

  /// Removes the items from the list. The change is on disk when it returns.
  func remove(_ ranges: [ItemRange]) throws(Fault) {
    try change(ranges, making: false) { $0 & ~$1 }
  }

  /// Removes those of the items that an `add` which failed has listed.
  func undo(_ ranges: [ItemRange]) throws(Fault) {
    var listed: [ItemRange] = []
    for range in ranges where try !items(range.lane, range.numbers).isEmpty { listed.append(range) }
    try remove(listed)
  }

  /// Calls `body` with the first number of each hundred that has listed items, and with those
  /// items, one bit each; ascending.
  func forEach(
    _ lane: Lane, _ body: (_ first: Int, _ items: UInt128) throws(Fault) -> Void
  ) throws(Fault) {
    guard let directory = try Directory.open("\(Register.name)/\(lane.name)", in: root) else {
      return
    }
    var files: [Int] = []
    try directory.forEachName {
      if let file = decimal($0), file <= SideKind.lastShard / 100 { files.append(file) }
    }
    for file in files.sorted() {
      let bytes = try read(lane, file)
      for index in 0..<(bytes.count / Register.recordLength) {
        let items = Register.items(bytes, index, lane, file)
        guard items != 0 else { continue }
        try body(file * Register.fileSpan + index * Register.recordSpan, items)
      }
    }
  }

  /// The listed items among `numbers`, ascending.
  func items(_ lane: Lane, _ numbers: Range<Int>) throws(Fault) -> [Int] {
    guard !numbers.isEmpty else { return [] }
    var found: [Int] = []
    for file in numbers.lowerBound / Register.fileSpan...(numbers.upperBound - 1)
      / Register.fileSpan
    {
      let bytes = try read(lane, file)
      for index in 0..<(bytes.count / Register.recordLength) {
        let first = file * Register.fileSpan + index * Register.recordSpan
        guard first < numbers.upperBound, numbers.lowerBound < first + Register.recordSpan else {
          continue
        }
        found += Register.numbers(first, Register.items(bytes, index, lane, file)).filter(
          numbers.contains)
      }
    }
    return found
  }

  /// The item numbers of the bits.
  static func numbers(_ first: Int, _ items: UInt128) -> [Int] {
    var rest = items
    var found: [Int] = []
    while rest != 0 {
      found.append(first + rest.trailingZeroBitCount)
      rest &= rest - 1
    }
    return found
  }

  private func read(_ lane: Lane, _ file: Int) throws(Fault) -> [UInt8] {
    let path = "\(Register.name)/\(lane.name)/\(file)"
    guard let file = try Descriptor.open(path, in: root, O_RDONLY) else { return [] }
    return try Register.read(file)
  }

  private static func read(_ file: Descriptor) throws(Fault) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: fileLength, alignment: 8)
    defer { buffer.deallocate() }
    return Array(buffer[..<(try file.read(into: buffer, at: 0))])
  }
}

extension Register {
  private func change(
    _ ranges: [ItemRange], making: Bool, _ merge: (UInt128, UInt128) -> UInt128
  ) throws(Fault) {
    for lane in Lane.allCases {
      var masks: [Int: UInt128] = [:]
      for range in ranges where range.lane == lane {
        for number in range.numbers {
          masks[number / Register.recordSpan, default: 0] |=
            1 << UInt128(number % Register.recordSpan)
        }
      }
      let files = Dictionary(grouping: masks.keys) {
        $0 / (Register.fileSpan / Register.recordSpan)
      }
      for (number, hundreds) in files.sorted(by: { $0.key < $1.key }) {
        guard let file = try file(lane, number, making: making) else { continue }
        try change(file, lane, number, masks.filter { hundreds.contains($0.key) }, making, merge)
      }
    }
  }

  // `masks`: one bit per item, by hundreds.
  private func change(
    _ file: Descriptor, _ lane: Lane, _ number: Int, _ masks: [Int: UInt128], _ making: Bool,
    _ merge: (UInt128, UInt128) -> UInt128
  ) throws(Fault) {
    try file.lock()
    defer { file.unlock() }
    var bytes = try Register.read(file)
    bytes += [UInt8](repeating: 0, count: max(0, Register.fileLength - bytes.count))
    var indices: [Int] = []
    for (hundred, mask) in masks {
      let index = hundred % (Register.fileSpan / Register.recordSpan)
      // A record that was never written needs no room on a full disk.
      if !making, Register.isBlank(bytes, index) { continue }
      indices.append(index)
      let record = Register.record(
        merge(Register.items(bytes, index, lane, number), mask), index, lane, number)
      bytes.replaceSubrange(
        index * Register.recordLength..<(index + 1) * Register.recordLength, with: record)
    }
    // One write, so that a full disk takes all of it or nothing.
    guard let first = indices.min(), let last = indices.max() else { return }
    let start = first * Register.recordLength
    let changed = Array(bytes[start..<(last + 1) * Register.recordLength])
    try root.relieved { () throws(Fault) in try changed.write(to: file, at: start) }
    try file.flushData()
  }

  /// No transition: gives a new file of the register its length
  private func file(_ lane: Lane, _ number: Int, making: Bool) throws(Fault) -> Descriptor? {
    if !making {
      return try Descriptor.open("\(Register.name)/\(lane.name)/\(number)", in: root, O_RDWR)
    }
    let directory = try root.subdirectory(making: Register.name)
    let lanes = try directory.subdirectory(making: lane.name)
    let file = try Descriptor.create("\(number)", in: lanes, O_RDWR)
    // A file has its full size only once its name and the names above it are on disk.
    if try file.size() < Register.fileLength {
      for parent in [root, directory, lanes] { try parent.flush() }
      try file.truncate(to: Register.fileLength)
    }
    return file
  }

  private static func isBlank(_ bytes: [UInt8], _ index: Int) -> Bool {
    bytes[index * recordLength..<(index + 1) * recordLength].allSatisfy { $0 == 0 }
  }

  private static func items(
    _ bytes: [UInt8], _ index: Int, _ lane: Lane, _ file: Int
  ) -> UInt128 {
    bytes.withUnsafeBytes { all in
      let record = cut(all, index * recordLength, (index + 1) * recordLength)
      guard record[8] == space, record[recordLength - 1] == newline,
        let sum = NameChecksum(digits: cut(record, 0, 8))
      else { return 0 }
      let text = cut(record, 9, recordLength - 1)
      guard sum == checksum(text, index, lane, file) else { return 0 }
      return UInt128(String(decoding: text, as: UTF8.self), radix: 16) ?? 0
    }
  }

  private static func record(
    _ items: UInt128, _ index: Int, _ lane: Lane, _ file: Int
  ) -> [UInt8] {
    let hex = String(items, radix: 16)
    let text = Array((String(repeating: "0", count: digits - hex.utf8.count) + hex).utf8)
    let sum = text.withUnsafeBytes { checksum($0, index, lane, file) }
    return Array(sum.text.utf8) + [space] + text + [newline]
  }

  // Also covers the location of the record: it is invalid for other items.
  private static func checksum(
    _ text: UnsafeRawBufferPointer, _ index: Int, _ lane: Lane, _ file: Int
  ) -> NameChecksum {
    NameChecksum("\(lane.name) \(file) \(index) ", String(decoding: text, as: UTF8.self))
  }
}

extension Queue {
  /// Calls `body` with the numbers of items that the register lists and that have no name in later/
  /// or dead/, ascending. `old` gets those whose lines were removed because of their age: they were
  /// dropped.
  func forEachUnfiled(
    _ lane: Lane, old: ([Int]) -> Void = { _ in }, _ body: ([Int]) throws(Fault) -> Void
  ) throws(Fault) {
    var oldest: Int?
    try Register(root).forEach(lane) { (first, items) throws(Fault) in
      let names = try namesAside(lane, first..<(first + Register.recordSpan)).map(\.range)
      let missing = Register.numbers(first, items).filter { number in
        !names.contains { $0.numbers.contains(number) }
      }
      if missing.isEmpty { return }
      let limit: Int
      if let oldest { limit = oldest } else { limit = try oldestNumber(lane) }
      oldest = limit
      old(missing.filter { $0 < limit })
      try body(missing.filter { $0 >= limit })
    }
  }

  /// The number of the first item whose line exists; 0 if there is none.
  private func oldestNumber(_ lane: Lane) throws(Fault) -> Int {
    for segment in try segmentNumbers(lane) {
      guard let file = try Segment.open(self, lane, segment) else { continue }
      let reader = SegmentReader(file, lane, segment)
      let size = try file.size()
      var offset = 0
      // What only a damaged line held cannot be delivered either.
      while offset < size {
        switch try reader.line(at: offset, limit: size) {
        case .line(let line): return line.number
        case .damaged(let until): offset = until
        case .end: offset = size
        }
      }
    }
    return 0
  }
}
