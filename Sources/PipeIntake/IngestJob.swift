package import PipeIO
internal import PipeJSON
package import PipeQueue

/// `pipe ingest`, after its options are parsed.
package struct IngestJob {
  let queue: QueueLocation
  let validator: RecordValidator
  let reject: String?
  let maxErrors: Int
  let limit: Int
  let files: [String]

  package init(
    queue: QueueLocation, validator: RecordValidator, reject: String?, maxErrors: Int, limit: Int,
    files: [String]
  ) {
    self.queue = queue
    self.validator = validator
    self.reject = reject
    self.maxErrors = maxErrors
    self.limit = limit
    self.files = files
  }

  package func run() throws(Fault) -> Int32 {
    let diagnostics = Diagnostics(command: "ingest")
    let sources = try Input.open(files)
    var lines = LineLoop(
      diagnostics, rejects: try RejectFile(reject), limit: limit, maxErrors: maxErrors)
    let output = Output()
    enlargePipe(output.number)
    var validator = validator
    var wrapping = WrappingNotice(diagnostics, wayOut: "pipe enqueue stores it as it is")
    var generator = ULIDGenerator()
    var now = Clock.now()
    var time = JSONWriter.quotedTime(now)
    for source in sources where lines.rejected < maxErrors {
      lines.begin(source)
      while let event = try lines.next() {
        guard case .line(let line) = event else {
          try output.flush()
          continue
        }
        if !validator.recordsOnly { wrapping.look(line) }
        do throws(Rejection) {
          let record = try validator.judge(line)
          if output.bytes.isEmpty {
            // Lines that were read together get the same time.
            now = Clock.now()
            time = JSONWriter.quotedTime(now)
          }
          EntryLineWriter.append(generator.id(at: now), record, line, time: time, to: &output.bytes)
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
