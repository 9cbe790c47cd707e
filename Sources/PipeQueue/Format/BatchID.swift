package import PipeIO
package import PipeTime

/// The id of a batch, and the token of each line that hands it out; the same text form as an
/// entry's id.
package struct BatchID: Hashable, Comparable {
  let ulid: ULID

  init(_ ulid: ULID) { self.ulid = ulid }

  /// Parses exactly 26 upper-case digits; nil for anything else.
  package init?(_ text: UnsafeRawBufferPointer) {
    guard let ulid = ULID(text) else { return nil }
    self.ulid = ulid
  }

  package init?(_ text: String) {
    guard let ulid = ULID(text) else { return nil }
    self.ulid = ulid
  }

  /// Writes its text, `EntryID.length` bytes.
  func write(to target: UnsafeMutablePointer<UInt8>) { ulid.write(to: target) }

  /// Appends its text, 26 bytes.
  package func append(to out: inout [UInt8]) { ulid.append(to: &out) }

  package var text: String { ulid.text }

  package static func < (one: BatchID, other: BatchID) -> Bool { one.ulid < other.ulid }

  /// Batch id in the names of entries with a requested delay.
  static let delayed = BatchID(ULID(high: 0, low: 0))
  /// Batch id in the names of items that were made ready again, such as revived dead letters.
  static let revived = BatchID(ULID(high: 0, low: 1))

  /// The token of one of its lines, counted from 0.
  func token(_ line: Int) -> BatchID {
    BatchID(ULID(high: ulid.high, low: ulid.low + UInt64(line + 1) << 32))
  }

  /// When it was claimed, to the microsecond.
  package var claimed: Instant { ulid.time + .microseconds(Int64(ulid.low >> 22 & 0x3ff)) }

  /// The id of a batch that a process took over to bury or reap. It belongs to the same run but is not
  /// a token that was handed out, so that no other process settles the items meanwhile. Its bit is
  /// above the line bits of a token.
  var withdrawn: BatchID { BatchID(ULID(high: ulid.high, low: ulid.low | 1 << 47)) }

  /// The id before it was withdrawn.
  var handedOut: BatchID { BatchID(ULID(high: ulid.high, low: ulid.low & ~(1 << 47))) }
}

/// The 31 random bits that all batch ids of one run share. A batch id thus identifies its run and
/// the time of its claim:
///
///     milliseconds 48, run 16 | run 16, withdrawn 1, line 15, microseconds 10, serial number 22
struct ConsumerRun: Equatable {
  private let high: UInt64
  private let low: UInt64

  init(of batch: BatchID) {
    high = batch.ulid.high & 0xffff
    low = batch.ulid.low >> 48
  }

  /// A new run from the random bits of `id`. Its top bit is set, so that it never equals the run of
  /// an id that is not a batch, such as `.delayed`.
  init(random id: EntryID) {
    self.init(of: BatchID(ULID(high: id.ulid.high, low: id.ulid.low | 1 << 63)))
  }

  /// `serial` distinguishes batches that are claimed in one microsecond.
  func batch(_ serial: UInt64, at now: Instant) -> BatchID {
    let time = UInt64(max(0, now.microseconds))
    return BatchID(
      ULID(
        high: (time / 1000) << 16 | high,
        low: low << 48 | (time % 1000) << 22 | serial & 0x3f_ffff))
  }
}

/// Generates the ids of the batches of one run.
package struct BatchIDGenerator {
  private let run: ConsumerRun
  private var serial: UInt64 = 0

  package init(at now: Instant) {
    var generator = ULIDGenerator()
    run = ConsumerRun(random: generator.id(at: now))
  }

  package mutating func next(at now: Instant) -> BatchID {
    serial += 1
    return run.batch(serial, at: now)
  }

  package func isOfThisRun(_ batch: BatchID) -> Bool { ConsumerRun(of: batch) == run }
}

extension BatchID {
  /// Why its claim cannot be settled.
  package var lost: Fault {
    Fault(
      .claimLost, "claim \(text) is no longer held: it was already settled, or its holder is gone")
  }
}
