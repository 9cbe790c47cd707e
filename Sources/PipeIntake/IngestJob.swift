package import PipeIO
package import PipeEngine
package import PipeRender
internal import PipeTime

/// `pipe ingest`, after its options are parsed.
package struct IngestJob {
  let queue: QueueLocation
  let validator: RecordValidator
  let reject: String?
  let maxErrors: Int
  let limit: Int
  let text: TextItem.End?
  let quiet: Bool
  let files: [String]

  /// `text`: each item of the input is text, ended like this; nil: JSON Lines.
  package init(
    queue: QueueLocation, validator: RecordValidator, reject: String?, maxErrors: Int, limit: Int,
    text: TextItem.End? = nil, quiet: Bool = false, files: [String]
  ) {
    self.text = text
    self.queue = queue
    self.validator = validator
    self.reject = reject
    self.maxErrors = maxErrors
    self.limit = limit
    self.quiet = quiet
    self.files = files
  }

  package func run() throws(Fault) -> Int32 {
    let diagnostics = Diagnostics(command: "ingest")
    let sources = try Input.open(files)
    if !quiet { Input.announce(sources, diagnostics) }
    var lines = LineLoop(
      diagnostics, rejects: try RejectFile(reject, terminator: (text ?? .newline).rawValue),
      limit: limit, maxErrors: maxErrors, offersText: true, text: text)
    if !quiet { lines.progress = InputProgress(sources) }
    let output = Output()
    enlargePipe(output.fd)
    var validator = validator
    var wrapping = WrappingNotice(diagnostics, wayOut: "pipe enqueue stores it as it is")
    var generator = ULIDGenerator()
    var now = Clock.now()
    var writer = EntryLineWriter()
    for source in sources where lines.rejected < maxErrors {
      lines.begin(source)
      while let event = try lines.next() {
        guard case .line(let line) = event else {
          try output.flush()
          continue
        }
        if text == nil, !validator.recordsOnly { wrapping.look(line) }
        do throws(Rejection) {
          let record = text == nil ? try validator.judge(line) : nil
          if output.bytes.isEmpty {
            // Lines that were read together get the same time.
            now = Clock.now()
            writer.begin(at: now)
          }
          guard let record else {
            writer.append(generator.id(at: now), validator.fallback, text: line, to: &output.bytes)
            continue
          }
          writer.append(generator.id(at: now), record, line, to: &output.bytes)
        } catch { try lines.reject(error) }
      }
    }
    try output.flush()
    countRejected(lines.rejected)
    return lines.conclusion()
  }

  // Best effort: ingest needs no queue, so a missing or read-only queue counts nothing.
  private func countRejected(_ rejected: Int) {
    guard rejected > 0, let path = try? queue.resolved() else { return }
    try? Queue(path: path, force: queue.force).count(.failedValidations, rejected)
  }
}
