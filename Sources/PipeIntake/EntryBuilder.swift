internal import PipeJSON
package import PipeQueue

/// Builds entries of validated records, for stdin and for HTTP alike. Each gets an id of its own.
package struct EntryBuilder {
  private let slice: Int
  private var generator = ULIDGenerator()
  private var compact: [UInt8] = []

  /// `slice`: items of an id request that form one slice.
  package init(slice: Int) { self.slice = slice }

  /// `now`: when the record was accepted, microseconds since the epoch. `options`: from `LineOptions.column`.
  package mutating func entry(
    _ record: ParsedRecord, options: [UInt8]?, at now: Int64
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
