internal import PipeJSON
package import PipeEngine
package import PipeTime

/// Builds entries of validated records, for stdin and for HTTP alike. Each gets an id of its own.
package struct EntryBuilder {
  private let slice: Int
  private var generator = ULIDGenerator()
  private var compact: [UInt8] = []

  /// `slice`: items of an id request that form one slice.
  package init(slice: Int) { self.slice = slice }

  /// `now`: when the record was accepted. `options`: from `LineOptions.column`.
  package mutating func entry(
    _ record: ParsedRecord, options: [UInt8]?, at now: Instant
  ) -> NewEntry {
    let id = generator.id(at: now)
    return switch record {
    case .record(let priority, _): NewEntry(id: id, priority: priority, options: options)
    case .ids(let priority, _, let count):
      NewEntry(id: id, priority: priority, ids: (count, slice), options: options)
    }
  }

  /// Calls `body` with the bytes that are stored: the record itself, or its ids without spaces between them.
  @inline(__always)
  package mutating func withData<Result>(
    _ range: Range<Int>, of line: UnsafeRawBufferPointer, isIDs: Bool,
    _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result {
    let bytes = UnsafeRawBufferPointer(rebasing: line[range])
    guard isIDs else { return body(bytes) }
    compact.removeAll(keepingCapacity: true)
    IDList.appendCompact(bytes, to: &compact)
    return compact.withUnsafeBytes(body)
  }
}

/// When entries become ready, from the options of `enqueue`.
package enum Schedule {
  /// As each line says: at once, or not before a time.
  case own
  case after(TimeSpan)
  case at(Instant)

  /// For the lines of a commit that begins at `now`: one instant, so that adjacent entries share
  /// it. nil: each line decides.
  func start(_ now: Instant) -> Start? {
    switch self {
    case .own: nil
    case .after(let delay): delay > .zero ? Start(notBefore: now + delay, delay: delay) : .atOnce
    case .at(let time): Start(time, now)
    }
  }
}

/// When one entry becomes ready.
struct Start {
  let notBefore: Instant?
  /// The delay that was requested; nil for an instant.
  let delay: TimeSpan?

  static let atOnce = Start(notBefore: nil, delay: nil)

  init(notBefore: Instant?, delay: TimeSpan?) {
    self.notBefore = notBefore
    self.delay = delay
  }

  /// A time that is not in the future delays nothing and is not stored.
  init(_ time: Instant, _ now: Instant) {
    self.init(notBefore: time > now ? time : nil, delay: nil)
  }
}
