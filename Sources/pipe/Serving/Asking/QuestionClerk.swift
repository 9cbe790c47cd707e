internal import PipeGateway
internal import PipeIO
internal import PipeQueue
internal import PipeStats

/// Answers what is asked about the queue, one question after the other.
struct QuestionClerk {
  private let queue: Queue
  private let condition: Condition

  init(_ queue: Queue, _ condition: Condition) {
    self.queue = queue
    self.condition = condition
  }

  func serve(_ exchanges: [Exchange]) {
    for exchange in exchanges { exchange.answer(answer(exchange.request)) }
  }

  private func answer(_ request: Request) -> Answer {
    do throws(Fault) {
      switch request.path {
      case "/health": return health()
      case "/metrics": return try metrics()
      default: return try status(request.path)
      }
    } catch { return .unavailable(error) }
  }

  private func health() -> Answer {
    do throws(Fault) {
      try condition.requireHealth()
      try queue.requireWritable()
      try queue.requireRoom()
      let lost = try queue.lostItems()
      let told = lost > 0 ? #","lost":\#(lost)"# : ""
      return Answer(200, Answer.json, Array(#"{"status":"healthy"\#(told)}"#.utf8))
    } catch {
      let output = Output()
      output.append(#"{"status":"unhealthy","detail":"#)
      output.appendString(error.text)
      output.append(#","status_code":503}"#)
      return Answer(503, Answer.json, output.bytes, headers: [("retry-after", "1")])
    }
  }

  private func metrics() throws(Fault) -> Answer {
    let measurement = Measurement(queue)
    var report = try measurement.report(since: 0, Activity())
    report.ever = try measurement.everything(isNeeded: true)
    return Answer(
      200, "text/plain; version=0.0.4; charset=utf-8", Array(PrometheusText(report).text.utf8))
  }

  private func status(_ path: String) throws(Fault) -> Answer {
    let text = String(path.dropFirst(Endpoint.statusPrefix.count))
    guard let id = EntryID(text), let status = try queue.status(id) else {
      return .error(404, "Ingestion ID not found")
    }
    let output = Output()
    StatusLine.append(status, to: output)
    return Answer(200, Answer.json, output.bytes.dropLast())
  }
}
