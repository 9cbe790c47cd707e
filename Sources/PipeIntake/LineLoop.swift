package import PipeIO
internal import PipeEngine
package import PipeRender

/// Reads JSON Lines for a filter: the filter pulls each line and rejects those it cannot use. Rejections go to
/// stderr, the reject file and the counts; stderr shows the first ten, then a total.
package struct LineLoop {
  let diagnostics: Diagnostics
  /// Maximum bytes of a record; `margin` is for the rest of its line.
  private let limit: Int
  private let margin: Int
  private let maxErrors: Int
  private let limitAdvice: String
  /// Whether `--text` is an option of the command.
  private let offersText: Bool
  /// nil: lines of JSON.
  private let text: TextItem.End?
  private let rejects: RejectFile
  package private(set) var rejected = 0
  package private(set) var lines = 0
  private var advised: Set<String> = []
  private var source = Input.standard
  private var reader: LineReader?
  private var shape = InputShape()
  /// The line that `next` returned last, as read and without a byte-order mark, until it is settled.
  private var current: (raw: UnsafeRawBufferPointer, line: UnsafeRawBufferPointer)?
  private var mustFill = false
  /// nil if none is to be shown.
  var progress: InputProgress?

  /// Number of rejected lines that stderr shows.
  package static let shown = 10
  package static let defaultLimit = 1 << 20

  package init(
    _ diagnostics: Diagnostics, rejects: RejectFile, limit: Int, margin: Int = 0,
    maxErrors: Int = .max, limitAdvice: String = " (--max-record-bytes)",
    offersText: Bool = false, text: TextItem.End? = nil
  ) {
    self.offersText = offersText
    self.text = text
    self.limitAdvice = limitAdvice
    self.diagnostics = diagnostics
    self.rejects = rejects
    self.limit = limit
    self.margin = margin
    self.maxErrors = maxErrors
  }

  /// What `next` found.
  package enum Event {
    /// A line with something in it; valid until the next call.
    case line(UnsafeRawBufferPointer)
    /// Every line that was read has been returned. The next call reads, and blocks unless `isReadable`.
    case drained(isReadable: Bool)
  }

  /// Turns to a source, from its first line on.
  package mutating func begin(_ source: Input.Source) {
    self.source = source
    reader = LineReader(
      source.file, limit: limit + margin, terminator: (text ?? .newline).rawValue)
    shape = InputShape()
    mustFill = false
    progress?.begin(source)
  }

  /// The next event of the source; nil at its end and after the last rejected line that `maxErrors` allows.
  package mutating func next() throws(Fault) -> Event? {
    guard let reader else { return nil }
    settleLine()
    while rejected < maxErrors {
      if mustFill {
        mustFill = false
        do throws(Fault) { if try !reader.fill() { break } } catch {
          end()
          throw error
        }
      }
      switch reader.next() {
      case .line(let raw):
        if let text {
          if lines == 0, text == .newline { advise(InputShape.advice(ofItem: raw)) }
          lines += 1
          return .line(raw)
        }
        if reader.lineNumber == 1 { advise(InputShape.advice(beginning: raw)) }
        guard let line = Input.content(raw, isFirst: reader.lineNumber == 1) else { continue }
        lines += 1
        current = (raw, line)
        return .line(line)
      case .oversized(let piece, let isLast):
        if text == nil, reader.lineNumber == 1 { advise(InputShape.advice(beginning: piece)) }
        try rejects.keep(piece, endsLine: isLast)
        guard isLast else { continue }
        lines += 1
        count(
          byte: limit + margin + 1,
          "the \(text == nil ? "record" : "item") is longer than \(limit) bytes\(limitAdvice)")
      case .drained:
        mustFill = true
        progress?.update(lines: lines)
        return .drained(isReadable: reader.isReadable)
      }
    }
    end()
    return nil
  }

  /// Rejects the line that `next` returned last.
  package mutating func reject(_ rejection: Rejection) throws(Fault) {
    guard let (raw, line) = current else { return }
    current = nil
    let shift = raw.count - line.count
    count(byte: rejection.byte.map { $0 + shift }, rejection.reason)
    try rejects.keep(raw)
    if offersText, reader?.lineNumber == 1 { advise(InputShape.advice(ofText: line)) }
    advise(
      shape.advice(
        after: line, number: reader?.lineNumber ?? 0, isTaken: false,
        mustDecide: rejected == LineLoop.shown))
  }

  // A line that was not rejected by now is accepted.
  private mutating func settleLine() {
    guard let (_, line) = current else { return }
    current = nil
    advise(shape.advice(after: line, number: reader?.lineNumber ?? 0, isTaken: true))
  }

  /// Ends the source early, or at its end.
  package mutating func end() {
    settleLine()
    if reader != nil { advise(shape.adviceAtEnd()) }
    reader = nil
  }

  private mutating func count(byte: Int?, _ reason: String) {
    rejected += 1
    if hasHidden { return }
    diagnostics.reject(source.name, line: reader?.lineNumber ?? 0, byte: byte, reason)
  }

  // Prints each advice once, however many files need it.
  private mutating func advise(_ advice: String?) {
    guard let advice, advised.insert(advice).inserted else { return }
    diagnostics.say("\(printable(source.name)): \(advice)")
  }

  /// Whether some rejected lines were counted but not shown.
  var hasHidden: Bool { rejected > LineLoop.shown }

  /// Reports the totals and returns the exit status.
  package func conclusion() -> Int32 {
    guard rejected > 0 else { return Exit.fine }
    let hidden = hasHidden ? "; the first \(LineLoop.shown) are shown" : ""
    let stopped = rejected >= maxErrors ? "; stopped (--max-errors)" : ""
    diagnostics.say("\(rejected) of \(lines) lines rejected\(hidden)\(stopped)")
    return rejects.isKeeping ? Exit.fine : Exit.data
  }
}
