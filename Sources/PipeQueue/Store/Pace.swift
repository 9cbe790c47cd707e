internal import CPipeIO
internal import Glibc
internal import PipeIO
internal import PipeTime

/// When any process last handed out a batch, and how fast items leave. One line in the file `pace`,
/// read and written under the lock of now/. Its checksum keeps a damaged digit from causing a long
/// wait.
///
/// Times are those of `Clock.steady`, which no clock step moves. The line also has the boot from
/// which they count, and the time of the wall clock for use after a reboot.
struct Pace: Equatable {
  /// Negative if before this boot.
  var started: SteadyInstant
  var wall: Instant
  /// Requested for the last batch: time between starts, 0 for no pace; items per batch.
  var every: TimeSpan = .zero
  var size = 0
  /// Items ever handed out.
  var items = 0
  /// Up to two earlier readings of `items`, some seconds apart, which give the rate.
  var readings: [Reading] = []

  struct Reading: Equatable {
    var time: SteadyInstant
    var items: Int
  }

  static let fileName = "pace"
  /// Least time over which the rate is taken.
  private static let readingEvery: TimeSpan = .seconds(10)

  /// Time until a batch may start `every` after the last; 0 if it may start now.
  func wait(_ every: TimeSpan, at now: SteadyInstant) -> TimeSpan {
    max(.zero, min(every, started + every - now))
  }

  mutating func start(
    _ count: Int, size: Int, every: TimeSpan, at now: SteadyInstant, wall: Instant
  ) {
    if readings.isEmpty || now - readings[0].time >= Pace.readingEvery {
      readings = [Reading(time: now, items: items)] + readings.prefix(1)
    }
    (started, self.wall, self.every, self.size) = (now, wall, every, size)
    items += count
  }

  /// Items per second recently; nil if too little has happened to compute it.
  func rate(at now: SteadyInstant) -> Double? {
    guard let reading = readings.last, now > reading.time, items > reading.items else { return nil }
    return Double(items - reading.items) / max(now - reading.time, .seconds(1)).seconds
  }
}

extension Pace {
  // Makes a time before this boot a number without a sign.
  private static let bias: TimeSpan = .microseconds(1 << 56)
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
      column(Int((started + Pace.bias).microseconds))
      column(Int(wall.microseconds))
      column(Int(every.microseconds))
      column(size)
      column(items)
      column(readings.count)
      for index in 0..<2 {
        let reading = index < readings.count ? readings[index] : Reading(time: .boot, items: 0)
        column(Int((reading.time + Pace.bias).microseconds))
        column(reading.items)
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
    _ text: UnsafeRawBufferPointer, boot: [UInt8], now: SteadyInstant, wall: Instant
  ) -> Pace? {
    var lines = FieldSplitter(text)
    guard let line = lines.next(before: newline), !lines.isAtEnd, let content = checked(line) else {
      return nil
    }
    var pieces = FieldSplitter(content)
    guard let written = pieces.next(before: space) else { return nil }
    var numbers: [Int] = []
    numbers.reserveCapacity(columns)
    while let piece = pieces.next(before: space) {
      guard piece.count == width, let number = padded(piece) else { return nil }
      numbers.append(number)
    }
    guard numbers.count == columns else { return nil }
    var pace = Pace(
      started: SteadyInstant(microseconds: numbers[0]) - bias,
      wall: Instant(microseconds: numbers[1]), every: TimeSpan(microseconds: numbers[2]),
      size: numbers[3], items: numbers[4])
    guard written.elementsEqual(boot) else {
      // The time counts from another boot, and the wall clock may have been set back since.
      pace.started = now - max(.zero, wall - pace.wall)
      return pace
    }
    guard pace.started <= now else { return nil }
    for index in 0..<min(2, numbers[5]) {
      pace.readings.append(
        Reading(
          time: SteadyInstant(microseconds: numbers[6 + 2 * index]) - bias,
          items: numbers[7 + 2 * index]))
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
  func read(at now: @autoclosure () -> SteadyInstant, wall: Instant) -> Pace? {
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
