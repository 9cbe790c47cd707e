package import PipeIO
internal import PipeQueue

/// The loop of the filters that read JSON Lines: gives each line to `accept`, and what comes of it to
/// stderr, to the reject file and to the counts. A million bad lines are ten on stderr, and how many.
package struct LineLoop {
  let diagnostics: Diagnostics
  /// Bytes of a record, and what a line may have around it.
  private let limit: Int
  private let margin: Int
  private let maxErrors: Int
  private let limitAdvice: String
  private let rejects: RejectFile
  private(set) var rejected = 0
  package private(set) var lines = 0
  private var advised: Set<String> = []

  /// Rejected lines that stderr shows.
  package static let shown = 10
  package static let defaultLimit = 1 << 20

  package init(
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
  package mutating func run(
    _ source: Input.Source,
    beforeReading: (_ isReadable: Bool) throws(Fault) -> Void,
    accept: (UnsafeRawBufferPointer) throws(Rejection) -> Void,
    afterLine: () throws(Fault) -> Void = {}
  ) throws(Fault) {
    let reader = LineReader(source.file, limit: limit + margin)
    var shape = InputShape()
    defer { advise(source, shape.adviceAtEnd()) }
    while rejected < maxErrors {
      switch reader.next() {
      case .line(let raw):
        if reader.lineNumber == 1 { advise(source, InputShape.advice(beginning: raw)) }
        guard let line = Input.content(raw, isFirst: reader.lineNumber == 1) else { continue }
        lines += 1
        let number = reader.lineNumber
        do throws(Rejection) {
          try accept(line)
          advise(source, shape.advice(after: line, number: number, isTaken: true))
        } catch {
          let shift = raw.count - line.count
          reject(source, number, byte: error.byte.map { $0 + shift }, error.reason)
          try rejects.keep(raw)
          let isLastShown = rejected == LineLoop.shown
          advise(
            source,
            shape.advice(after: line, number: number, isTaken: false, mustDecide: isLastShown))
        }
        try afterLine()
      case .oversized(let piece, let isLast):
        if reader.lineNumber == 1 { advise(source, InputShape.advice(beginning: piece)) }
        try rejects.keep(piece, endsLine: isLast)
        guard isLast else { continue }
        lines += 1
        reject(
          source, reader.lineNumber, byte: limit + margin + 1,
          "the record is longer than \(limit) bytes\(limitAdvice)")
      case .drained:
        try beforeReading(reader.isReadable)
        if try !reader.fill() { return }
      }
    }
  }

  private mutating func reject(
    _ source: Input.Source, _ line: Int, byte: Int?, _ reason: String
  ) {
    rejected += 1
    if hasHidden { return }
    diagnostics.reject(source.name, line: line, byte: byte, reason)
  }

  // Once, though a thousand files are alike.
  private mutating func advise(_ source: Input.Source, _ advice: String?) {
    guard let advice, advised.insert(advice).inserted else { return }
    diagnostics.say("\(printable(source.name)): \(advice)")
  }

  /// Whether some rejected lines are known by their number alone.
  var hasHidden: Bool { rejected > LineLoop.shown }

  /// What the whole run comes to.
  package func conclusion() -> Int32 {
    guard rejected > 0 else { return Exit.fine }
    let hidden = hasHidden ? "; the first \(LineLoop.shown) are shown" : ""
    let stopped = rejected >= maxErrors ? "; stopped (--max-errors)" : ""
    diagnostics.say("\(rejected) of \(lines) lines rejected\(hidden)\(stopped)")
    return rejects.isKeeping ? Exit.fine : Exit.data
  }
}
