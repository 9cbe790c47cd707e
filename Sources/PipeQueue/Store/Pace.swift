internal import CPipeIO
internal import Glibc
internal import PipeIO

/// When any process last handed out a batch, and how fast items leave. One line in the file `pace`,
/// read and written under the lock of now/. Its checksum keeps a damaged digit from causing a long
/// wait.
///
/// Times are those of `Clock.steady`, which no clock step moves. The line also has the boot from
/// which they count, and the time of the wall clock for use after a reboot.
struct Pace: Equatable {
  /// `Clock.steady`, microseconds; negative if before this boot.
  var started: Int64
  var wall: Int64
  /// Requested for the last batch: microseconds between starts, 0 for no pace; items per batch.
  var every: Int64 = 0
  var size = 0
  /// Items ever handed out.
  var items = 0
  /// Up to two earlier readings of `items`, some seconds apart, which give the rate.
  var marks: [Mark] = []

  struct Mark: Equatable {
    var time: Int64
    var items: Int
  }

  static let fileName = "pace"
  /// Least time over which the rate is taken. Microseconds.
  private static let markEvery: Int64 = 10_000_000

  /// Microseconds until a batch may start `every` after the last; 0 if it may start now.
  func wait(_ every: Int64, at now: Int64) -> Int64 {
    max(0, min(every, started + every - now))
  }

  mutating func start(_ count: Int, size: Int, every: Int64, at now: Int64, wall: Int64) {
    if marks.isEmpty || now - marks[0].time >= Pace.markEvery {
      marks = [Mark(time: now, items: items)] + marks.prefix(1)
    }
    (started, self.wall, self.every, self.size) = (now, wall, every, size)
    items += count
  }

  /// Items per second recently; nil if too little has happened to compute it.
  func rate(at now: Int64) -> Double? {
    guard let mark = marks.last, now > mark.time, items > mark.items else { return nil }
    return Double(items - mark.items) * 1e6 / Double(max(now - mark.time, 1_000_000))
  }
}

extension Pace {
  // Makes a time before this boot a number without a sign.
  private static let bias: Int64 = 1 << 56
  private static let width = 18

  func line(boot: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Pace.length) { memory, count in
      let first = memory.baseAddress!
      var at = first + 8
      at[0] = space
      at += 1
      for byte in boot {
        at[0] = byte
        at += 1
      }
      func column(_ number: Int) {
        at[0] = space
        write(number, width: Pace.width, to: at + 1)
        at += 1 + Pace.width
      }
      column(Int(started + Pace.bias))
      column(Int(wall))
      column(Int(every))
      column(size)
      column(items)
      column(marks.count)
      for index in 0..<2 {
        let mark = index < marks.count ? marks[index] : Mark(time: 0, items: 0)
        column(Int(mark.time + Pace.bias))
        column(mark.items)
      }
      writeChecksum(to: first, count: at - first)
      at[0] = newline
      count = at + 1 - first
    }
  }

  private static let columns = 10
  /// Bytes of a line, its newline included.
  static let length = 9 + Boot.length + columns * (1 + width) + 1

  /// nil if the line is invalid or a clock ahead of this one wrote it: then nothing is known. A
  /// line of an earlier boot is translated.
  static func parse(
    _ text: UnsafeRawBufferPointer, boot: [UInt8], now: Int64, wall: Int64
  ) -> Pace? {
    var lines = FieldSplitter(text)
    guard let line = lines.next(before: newline), !lines.isAtEnd, let content = checked(line) else {
      return nil
    }
    var pieces = FieldSplitter(content)
    guard let written = pieces.next(before: space) else { return nil }
    var numbers: [Int64] = []
    numbers.reserveCapacity(columns)
    while let piece = pieces.next(before: space) {
      guard piece.count == width, let number = padded(piece) else { return nil }
      numbers.append(Int64(number))
    }
    guard numbers.count == columns else { return nil }
    var pace = Pace(
      started: numbers[0] - bias, wall: numbers[1], every: numbers[2], size: Int(numbers[3]),
      items: Int(numbers[4]))
    guard written.elementsEqual(boot) else {
      // The time counts from another boot, and the wall clock may have been set back since.
      pace.started = now - max(0, wall - pace.wall)
      return pace
    }
    guard pace.started <= now else { return nil }
    for index in 0..<Int(min(2, numbers[5])) {
      pace.marks.append(
        Mark(time: numbers[6 + 2 * index] - bias, items: Int(numbers[7 + 2 * index])))
    }
    return pace
  }
}

/// The open file `pace`. If it cannot be read or written, this process uses what it remembers.
final class PaceFile {
  private let file: Descriptor?
  private let isReadOnly: Bool
  private let boot = Boot.id() ?? [UInt8](repeating: dash, count: Boot.length)
  private var last: Pace?
  // Holds one line and no more: a read that fills it needs no second one to find the file's end.
  private let buffer = UnsafeMutableRawBufferPointer.allocate(
    byteCount: Pace.length, alignment: 8)

  init(_ queue: Queue, readOnly: Bool = false) {
    isReadOnly = readOnly
    file =
      readOnly
      ? (try? Descriptor.open(Pace.fileName, in: queue.root, O_RDONLY)) ?? nil
      : try? Descriptor.create(Pace.fileName, in: queue.root, O_RDWR)
  }

  /// `now` is read after the file, which another process may just have written.
  func read(at now: @autoclosure () -> Int64, wall: Int64) -> Pace? {
    guard let count = try? file?.read(into: buffer, at: 0) else { return last }
    let text = cut(UnsafeRawBufferPointer(buffer), 0, count)
    guard let found = Pace.parse(text, boot: boot, now: now(), wall: wall) else { return last }
    // A line of another boot is rewritten in the times of this one, so that it is translated only
    // once. Otherwise, if the wall clock was set back, each read would give a start of now.
    if !isReadOnly, !text.dropFirst(9).starts(with: boot) { keep(found) }
    if let last, last.started > found.started { return last }
    return found
  }

  func keep(_ pace: Pace) {
    last = pace
    if let file { try? pace.line(boot: boot).write(to: file, at: 0) }
  }

  /// Call before a paced batch is handed out: a power cut must not let the next one come sooner.
  func flush() { try? file?.flushData() }

  deinit { buffer.deallocate() }
}
