internal import PipeGateway
internal import PipeIO
internal import PipeMeasure
internal import PipeEngine
internal import PipeRender
internal import PipeStats
internal import PipeTime
internal import Synchronization

/// Answers queries about the queue, one after the other.
struct QueryHandler {
  private let queue: Queue
  private let diskHealth: Health
  private let label: String?

  /// `label`: the value of the label `queue` of the metrics; nil: no such label.
  init(_ queue: Queue, _ diskHealth: Health, label: String? = nil) {
    self.queue = queue
    self.diskHealth = diskHealth
    self.label = label
  }

  func serve(_ requests: [PendingRequest]) {
    for pending in requests { pending.respond(response(pending.request)) }
  }

  private func response(_ request: Request) -> Response {
    do throws(Fault) {
      switch request.path {
      case "/health": return health()
      case "/metrics": return try metrics()
      default: return try status(request.path, withOutput: request.asks("output"))
      }
    } catch { return .unavailable(error) }
  }

  private func health() -> Response {
    do throws(Fault) {
      try diskHealth.requireHealth()
      try queue.requireWritable()
      try queue.requireRoom()
      let lost = try queue.lostItems()
      let told = lost > 0 ? #","lost":\#(lost)"# : ""
      return Response(200, Response.json, Array(#"{"status":"healthy"\#(told)}"#.utf8))
    } catch {
      let output = Output()
      output.append(#"{"status":"unhealthy","detail":"#)
      output.appendString(error.text)
      output.append(#","status_code":503}"#)
      return Response(503, Response.json, output.bytes, headers: [("retry-after", "1")])
    }
  }

  private func metrics() throws(Fault) -> Response {
    let measurement = Measurement(queue)
    var report = try measurement.report(since: .zero, Activity())
    report.ever = try measurement.everything(isNeeded: true)
    return Response(
      200, "text/plain; version=0.0.4; charset=utf-8",
      Array(PrometheusText(report, queue: label).text.utf8))
  }

  private func status(_ path: String, withOutput: Bool) throws(Fault) -> Response {
    let text = String(path.dropFirst(Endpoint.statusPrefix.count))
    guard let id = EntryID(text), let status = try queue.status(id) else {
      return .error(404, "Ingestion ID not found")
    }
    let output = Output()
    StatusLine.append(
      status, outputs: withOutput ? try queue.outputs(of: id) ?? [] : nil, to: output)
    return Response(200, Response.json, output.bytes.dropLast())
  }
}

/// Remembers whether the last commit failed. A health check by itself cannot notice a failing disk.
final class Health: Sendable {
  private let trouble = Mutex<(fault: Fault, until: SteadyInstant)?>(nil)

  /// How long a failure counts if no other commit is tried.
  private static let patience: TimeSpan = .seconds(10)

  func note(_ fault: Fault?, hasStored: Bool) {
    if let fault {
      // A health check measures free space itself.
      if fault.kind == .tryLater { return }
      trouble.withLock { $0 = (fault, Clock.steady() + Health.patience) }
    } else if hasStored {
      trouble.withLock { $0 = nil }
    }
  }

  func requireHealth() throws(Fault) {
    let found = trouble.withLock { $0 }
    if let found, Clock.steady() < found.until { throw found.fault }
  }
}

/// Retries dead letters: their items become ready again.
struct RetryHandler {
  private let queue: Queue

  init(_ queue: Queue) { self.queue = queue }

  func serve(_ requests: [PendingRequest]) {
    for pending in requests { pending.respond(response(pending.request)) }
  }

  private func response(_ request: Request) -> Response {
    guard ContentType(request.header("content-type")) == .json else {
      return .error(415, "send no body, or Content-Type: application/json")
    }
    let text = String(request.path.dropFirst(Endpoint.retryPrefix.count))
    do throws(Fault) {
      guard let id = EntryID(text), try queue.status(id) != nil else {
        return .error(404, "Ingestion ID not found")
      }
      let items = try queue.revive(id)
      guard items > 0 else { return .error(404, "\(id.text) has no dead letter") }
      return Response(200, Response.json, DeadLetterResult(id: id, items: items).line)
    } catch { return .unavailable(error) }
  }
}
