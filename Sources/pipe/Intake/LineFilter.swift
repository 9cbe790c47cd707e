internal import PipeIO
internal import PipeQueue

/// The loop of the filters that read JSON Lines: gives each line to `accept`, and what comes of it to
/// stderr, to the reject file and to the counts.
struct LineFilter {
  let diagnostics: Diagnostics
  /// Bytes of a record, and what a line may have around it.
  private let limit: Int
  private let margin: Int
  private let maxErrors: Int
  private let limitAdvice: String
  private let rejects: RejectFile
  private(set) var rejected = 0
  private(set) var lines = 0

  static let defaultLimit = 1 << 20

  init(
    _ diagnostics: Diagnostics, rejects: RejectFile, limit: Int, margin: Int = 0,
    maxErrors: Int = .max, limitAdvice: String = " (--max-record-bytes)"
  ) {
    self.limitAdvice = limitAdvice
    self.diagnostics = diagnostics
    self.rejects = rejects
    self.limit = limit
    self.margin = margin
    self.maxErrors = maxErrors
  }

  /// `beforeReading` is called each time that what was read is used up, with whether more is there.
  mutating func run(
    _ source: Input.Source,
    beforeReading: (_ isReadable: Bool) throws(Fault) -> Void,
    accept: (UnsafeRawBufferPointer) throws(Rejection) -> Void,
    afterLine: () throws(Fault) -> Void = {}
  ) throws(Fault) {
    let reader = LineReader(source.file, limit: limit + margin)
    while rejected < maxErrors {
      switch reader.next() {
      case .line(let raw):
        guard let line = Input.content(raw, isFirst: reader.lineNumber == 1) else { continue }
        lines += 1
        let shift = raw.count - line.count
        do throws(Rejection) { try accept(line) } catch {
          rejected += 1
          diagnostics.reject(
            source.name, line: reader.lineNumber, byte: error.byte.map { $0 + shift }, error.reason)
          try rejects.keep(raw)
        }
        try afterLine()
      case .oversized(let piece, let isLast):
        try rejects.keep(piece, endsLine: isLast)
        guard isLast else { continue }
        lines += 1
        rejected += 1
        diagnostics.reject(
          source.name, line: reader.lineNumber, byte: limit + margin + 1,
          "the record is longer than \(limit) bytes\(limitAdvice)")
      case .drained:
        try beforeReading(reader.isReadable)
        if try !reader.fill() { return }
      }
    }
  }

  /// What the whole run comes to.
  func conclusion() -> Int32 {
    guard rejected > 0 else { return Exit.fine }
    let stopped = rejected >= maxErrors ? "; stopped (--max-errors)" : ""
    diagnostics.say("\(rejected) of \(lines) lines rejected\(stopped)")
    return rejects.isKeeping ? Exit.fine : Exit.data
  }
}
