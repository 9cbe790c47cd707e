internal import PipeGateway
internal import PipeIO
internal import PipeJSON
internal import PipeQueue

/// Judges what is posted, as `ingest` does, and drafts its entries.
struct PostReader {
  private let slice: Int
  /// Of a body; the answer has one for each.
  private static let mostLines = 1 << 16
  private var acceptance: Acceptance
  private var logAcceptance = Acceptance(recordsOnly: true)
  private var mint = Mint()
  private var now: Int64 = 0

  init(slice: Int, requirements: [Requirement]) {
    self.slice = slice
    acceptance = Acceptance(requirements: requirements)
  }

  /// What is read from here on came together.
  mutating func begin() { now = Clock.now() }

  mutating func read(
    _ exchange: Exchange, _ commit: inout Commit
  ) -> Post {
    let request = exchange.request
    let isLog = request.path == "/log"
    do throws(Rejection) {
      let key = try IdempotencyKey(request)
      if let coding = request.header("content-encoding"), coding.lowercased() != "identity" {
        return refuse(exchange, 415, "send the body without Content-Encoding")
      }
      switch ContentType(request.header("content-type")) {
      case .json: return one(exchange, isLog, key, &commit)
      case .lines where !isLog:
        if key != nil { throw Rejection("Idempotency-Key is for one entry, not for lines") }
        return lines(exchange, &commit)
      case .lines, .other:
        let types = "application/json" + (isLog ? "" : " or application/x-ndjson")
        return refuse(exchange, 415, "send Content-Type: \(types)")
      }
    } catch { return refuse(exchange, 400, error.reason) }
  }

  private func refuse(_ exchange: Exchange, _ status: Int, _ detail: String) -> Post {
    Post(exchange, .refused(.error(status, detail)))
  }

  private mutating func one(
    _ exchange: Exchange, _ isLog: Bool, _ key: IdempotencyKey?, _ commit: inout Commit
  ) -> Post {
    exchange.request.body.withoutMark.withUnsafeBytes { body in
      do throws(Rejection) {
        let accepted = isLog ? try logAcceptance.judge(body) : try acceptance.judge(body)
        if !isLog, case .record(_, let data) = accepted, body[data.lowerBound] != 0x7b {
          throw Rejection("not an object; POST /log takes any value")
        }
        let content = content(accepted, body)
        let drafted = draft(accepted, content, key, &commit)
        return Post(
          exchange, .one(accepted.isIDs ? 200 : 202, .drafted(drafted)),
          keyed: key == nil ? nil : content)
      } catch { return Post(exchange, .one(202, .rejected(error))) }
    }
  }

  private mutating func lines(
    _ exchange: Exchange, _ commit: inout Commit
  ) -> Post {
    var found: [PostedLine] = []
    let body = exchange.request.body.withoutMark
    if body.count(where: { $0 == 0x0a }) > PostReader.mostLines {
      return refuse(exchange, 413, "more than \(PostReader.mostLines) lines")
    }
    for (index, raw) in body.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      let isBlank = raw.withUnsafeBytes { Input.content($0, isFirst: false) == nil }
      if isBlank { continue }
      let line = raw.last == 0x0d ? raw.dropLast() : raw
      let fate = line.withUnsafeBytes { bytes -> Post.Fate in
        do throws(Rejection) {
          let accepted = try acceptance.judge(bytes)
          return .drafted(draft(accepted, content(accepted, bytes), nil, &commit))
        } catch { return .rejected(error) }
      }
      found.append(PostedLine(number: index + 1, text: line, fate: fate))
    }
    return found.isEmpty ? refuse(exchange, 400, "there is no line") : Post(exchange, .lines(found))
  }

  private func content(_ accepted: Accepted, _ body: UnsafeRawBufferPointer) -> EntryContent {
    switch accepted {
    case .record(let priority, let data):
      return EntryContent(priority: priority, isRecord: true, data: Array(body[data]).inOneLine)
    case .ids(let priority, let list, _):
      var compact: [UInt8] = []
      IDList.appendCompact(UnsafeRawBufferPointer(rebasing: body[list]), to: &compact)
      return EntryContent(priority: priority, isRecord: false, data: compact)
    }
  }

  private mutating func draft(
    _ accepted: Accepted, _ content: EntryContent, _ key: IdempotencyKey?, _ commit: inout Commit
  ) -> Int {
    var entry = NewEntry(
      id: mint.id(at: now), priority: content.priority, options: key?.options)
    if case .ids(_, _, let count) = accepted { entry.ids = (count, slice) }
    entry.mayRepeat = !accepted.isIDs && key == nil
    return commit.append(entry, content.data)
  }
}

extension Accepted {
  var isIDs: Bool { if case .ids = self { true } else { false } }
}
