internal import PipeGateway
internal import PipeIO
internal import PipeJSON
internal import PipeQueue

/// Judges what is posted, as `ingest` does, and drafts its entries.
struct PostReader {
  private let slice: Int
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
    _ exchange: Exchange, _ guarded: inout Draft, _ plain: inout Draft
  ) -> Post {
    let request = exchange.request
    let isLog = request.path == "/log"
    let key = request.header("idempotency-key")
    switch ContentType(request.header("content-type")) {
    case .lines where !isLog:
      if key != nil {
        return refuse(exchange, 400, "Idempotency-Key is for one entry, not for lines")
      }
      return Post(exchange: exchange, form: .lines(lines(request.body, &guarded, &plain)))
    case .json:
      return one(exchange, isLog, key, &guarded, &plain)
    case .lines, .other:
      return refuse(
        exchange, 415,
        "send Content-Type: application/json" + (isLog ? "" : " or application/x-ndjson"))
    }
  }

  private func refuse(_ exchange: Exchange, _ status: Int, _ detail: String) -> Post {
    Post(exchange: exchange, form: .refused(.error(status, detail)))
  }

  private mutating func one(
    _ exchange: Exchange, _ isLog: Bool, _ key: String?, _ guarded: inout Draft,
    _ plain: inout Draft
  ) -> Post {
    exchange.request.body.withUnsafeBytes { body in
      do throws(Rejection) {
        let accepted = isLog ? try logAcceptance.judge(body) : try acceptance.judge(body)
        if !isLog, case .record(_, let data) = accepted, body[data.lowerBound] != 0x7b {
          throw Rejection("not an object; POST /log takes any value")
        }
        let data = data(accepted, body)
        let drafted = draft(accepted, data, key, &guarded, &plain)
        return Post(
          exchange: exchange, form: .one(accepted.isIDs ? 200 : 202, .drafted(drafted)),
          keyed: key == nil ? nil : data)
      } catch {
        return Post(exchange: exchange, form: .one(202, .rejected(error)))
      }
    }
  }

  private mutating func lines(
    _ body: [UInt8], _ guarded: inout Draft, _ plain: inout Draft
  ) -> [PostedLine] {
    var found: [PostedLine] = []
    for (index, raw) in body.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      let line = raw.withUnsafeBytes { Input.content($0, isFirst: index == 0).map { Array($0) } }
      guard let line else { continue }
      let fate = line.withUnsafeBytes { bytes -> Post.Fate in
        do throws(Rejection) {
          let accepted = try acceptance.judge(bytes)
          return .drafted(draft(accepted, data(accepted, bytes), nil, &guarded, &plain))
        } catch { return .rejected(error) }
      }
      found.append(PostedLine(number: index + 1, text: line, fate: fate))
    }
    return found
  }

  // The value of a record, or the compact list of ids.
  private func data(_ accepted: Accepted, _ body: UnsafeRawBufferPointer) -> [UInt8] {
    switch accepted {
    case .record(_, let data): return Array(body[data])
    case .ids(_, let list, _):
      var compact: [UInt8] = []
      IDList.appendCompact(UnsafeRawBufferPointer(rebasing: body[list]), to: &compact)
      return compact
    }
  }

  private mutating func draft(
    _ accepted: Accepted, _ data: [UInt8], _ key: String?, _ guarded: inout Draft,
    _ plain: inout Draft
  ) -> Drafted {
    let options = key.flatMap {
      LineOptions.column(key: EntryLineReader.keyColumn(Array($0.utf8)), notBefore: nil, delay: nil)
    }
    var entry = NewEntry(id: mint.id(at: now), priority: accepted.priority, options: options)
    if case .ids(_, _, let count) = accepted { entry.ids = (count, slice) }
    return data.withUnsafeBytes { data in
      if accepted.isIDs || key != nil {
        guarded.append(entry, data: data)
        return Drafted(isGuarded: true, index: guarded.receipts.count - 1)
      }
      plain.append(entry, data: data)
      return Drafted(isGuarded: false, index: plain.receipts.count - 1)
    }
  }
}

extension Accepted {
  var isIDs: Bool { if case .ids = self { true } else { false } }

  var priority: Priority {
    switch self {
    case .record(let priority, _), .ids(let priority, _, _): priority
    }
  }
}
