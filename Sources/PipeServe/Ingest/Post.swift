internal import PipeGateway
internal import PipeIO
internal import PipeIntake
internal import PipeJSON
internal import PipeEngine
internal import PipeRender
internal import PipeTime

/// A request to store entries, after its body is read.
struct Post {
  enum Form {
    /// The response to a request that stores nothing.
    case refused(Response)
    /// The status if it succeeds.
    case one(Int, Result)
    case lines([PostedLine])
  }

  enum Result {
    /// In the write batch: the index of its receipt, valid once the group is committed.
    case batched(Int)
    case rejected(Rejection)
    /// Valid, but not stored.
    case lost(Fault)
  }

  let pending: PendingRequest
  private(set) var form: Form
  /// For a request with a key: the content stored if the key is new.
  let keyed: EntryContent?

  init(_ pending: PendingRequest, _ form: Form, keyed: EntryContent? = nil) {
    self.pending = pending
    self.form = form
    self.keyed = keyed
  }

  /// Number of invalid lines.
  var rejected: Int { fates.count { if case .rejected = $0 { true } else { false } } }

  /// Number of valid lines that were not stored.
  var lost: Int { fates.count { if case .lost = $0 { true } else { false } } }

  /// Whether any of its entries is in the write batch.
  var isBatched: Bool { fates.contains { if case .batched = $0 { true } else { false } } }

  /// The same post with the outcome of each entry that was in the write batch.
  func settled(_ fate: (_ receipt: Int) -> Result) -> Post {
    var post = self
    func settle(_ old: Result) -> Result {
      if case .batched(let receipt) = old { fate(receipt) } else { old }
    }
    switch form {
    case .refused: break
    case .one(let status, let old): post.form = .one(status, settle(old))
    case .lines(let lines):
      post.form = .lines(
        lines.map { PostedLine(number: $0.number, text: $0.text, fate: settle($0.fate)) })
    }
    return post
  }

  private var fates: [Result] {
    switch form {
    case .refused: []
    case .one(_, let fate): [fate]
    case .lines(let lines): lines.map(\.fate)
    }
  }
}

/// One line of a body with several.
struct PostedLine {
  /// Counts from 1.
  let number: Int
  /// A slice of the body, which stays in memory as long as any of its lines.
  let text: ArraySlice<UInt8>
  let fate: Post.Result
}

/// The client's name for a request, so that it may send the request again. Bytes count as received:
/// `"a"` is another key than `a`.
struct IdempotencyKey {
  /// Longest key, in characters.
  private static let longest = 4096

  /// The options column of the entry in its segment.
  let options: [UInt8]?

  /// nil: the request has no key.
  init?(_ request: Request) throws(Rejection) {
    guard let text = request.header("idempotency-key") else { return nil }
    if text.isEmpty { throw Rejection("Idempotency-Key is empty") }
    // The encoding of other bytes is unknown, and invalid UTF-8 has already been replaced.
    guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) else {
      throw Rejection("Idempotency-Key has characters other than printable ASCII")
    }
    guard text.utf8.count <= IdempotencyKey.longest else {
      throw Rejection("Idempotency-Key is longer than \(IdempotencyKey.longest) characters")
    }
    options = LineOptions.column(
      key: EntryLineReader.keyColumn(Array(text.utf8)), notBefore: nil, delay: nil)
  }
}

/// Validates posted bodies as `pipe ingest` does, and appends their entries to the commit.
struct PostReader {
  /// Lines of a body; the response has one for each.
  private static let mostLines = 1 << 16
  private var validator: RecordValidator
  private var logValidator = RecordValidator(recordsOnly: true)
  private var entryReader = EntryLineReader()
  private let slice: Int
  private var builder: EntryBuilder
  private var now: Instant = .epoch

  init(slice: Int, requirements: [Requirement]) {
    self.slice = slice
    builder = EntryBuilder(slice: slice)
    validator = RecordValidator(requirements: requirements)
  }

  /// Entries read from here on get the same arrival time.
  mutating func begin() { now = Clock.now() }

  mutating func read(
    _ pending: PendingRequest, _ commit: inout IngestCommit
  ) -> Post {
    let request = pending.request
    let (isLog, isEnqueue) = (request.path == "/log", request.path == "/enqueue")
    do throws(Rejection) {
      let key = try IdempotencyKey(request)
      if let coding = request.header("content-encoding"), coding.lowercased() != "identity" {
        return refuse(pending, 415, "send the body without Content-Encoding")
      }
      switch ContentType(request.header("content-type")) {
      case .json where !isEnqueue: return one(pending, isLog, key, &commit)
      case .lines where !isLog:
        if key != nil { throw Rejection("Idempotency-Key is for one entry, not for lines") }
        return lines(pending, isEnqueue, &commit)
      case .json, .lines, .other:
        let types = (isEnqueue ? [] : ["application/json"]) + (isLog ? [] : [Response.lines])
        return refuse(pending, 415, "send Content-Type: \(types.joined(separator: " or "))")
      }
    } catch { return refuse(pending, 400, error.reason) }
  }

  private func refuse(_ pending: PendingRequest, _ status: Int, _ detail: String) -> Post {
    Post(pending, .refused(.error(status, detail)))
  }

  private mutating func one(
    _ pending: PendingRequest, _ isLog: Bool, _ key: IdempotencyKey?, _ commit: inout IngestCommit
  ) -> Post {
    pending.request.body.withoutMark.withUnsafeBytes { body in
      do throws(Rejection) {
        let accepted = isLog ? try logValidator.judge(body) : try validator.judge(body)
        if !isLog, case .record(_, let data) = accepted, body[data.lowerBound] != 0x7b {
          throw Rejection("not an object; POST /log takes any value")
        }
        let content = content(accepted, body)
        let batched = append(accepted, content, key, &commit)
        return Post(
          pending, .one(accepted.isIDs ? 200 : 202, .batched(batched)),
          keyed: key == nil ? nil : content)
      } catch { return Post(pending, .one(202, .rejected(error))) }
    }
  }

  // `areEntries`: each line is an entry line; otherwise an id request or a record.
  private mutating func lines(
    _ pending: PendingRequest, _ areEntries: Bool, _ commit: inout IngestCommit
  ) -> Post {
    var found: [PostedLine] = []
    let body = pending.request.body.withoutMark
    if body.count(where: { $0 == 0x0a }) > PostReader.mostLines {
      return refuse(pending, 413, "the body has more than \(PostReader.mostLines) lines")
    }
    for (index, raw) in body.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      let isBlank = raw.withUnsafeBytes { Input.content($0, isFirst: false) == nil }
      if isBlank { continue }
      let line = raw.last == 0x0d ? raw.dropLast() : raw
      let fate = line.withUnsafeBytes { bytes -> Post.Result in
        do throws(Rejection) {
          if areEntries { return .batched(try entry(bytes, &commit)) }
          let accepted = try validator.judge(bytes)
          return .batched(append(accepted, content(accepted, bytes), nil, &commit))
        } catch { return .rejected(error) }
      }
      found.append(PostedLine(number: index + 1, text: line, fate: fate))
    }
    return found.isEmpty
      ? refuse(pending, 400, "the body has no lines") : Post(pending, .lines(found))
  }

  // As `pipe enqueue` stores it: it keeps its id, by which it is recognized when it is sent again.
  private mutating func entry(
    _ line: UnsafeRawBufferPointer, _ commit: inout IngestCommit
  ) throws(Rejection) -> Int {
    let parsed = try entryReader.read(line, slice: slice, now: now)
    var entry = parsed.entry
    entry.mayRepeat = !parsed.hasKey
    let data = builder.withData(parsed.data, of: line, isIDs: entry.ids != nil) { Array($0) }
    return commit.append(entry, data, hasForeignID: true)
  }

  private mutating func content(
    _ record: ParsedRecord, _ body: UnsafeRawBufferPointer
  ) -> EntryContent {
    let data = builder.withData(record.data, of: body, isIDs: record.isIDs) { Array($0) }
    return EntryContent(
      priority: record.priority, isRecord: !record.isIDs,
      data: record.isIDs ? data : data.inOneLine)
  }

  private mutating func append(
    _ record: ParsedRecord, _ content: EntryContent, _ key: IdempotencyKey?,
    _ commit: inout IngestCommit
  ) -> Int {
    var entry = builder.entry(record, options: key?.options, at: now)
    entry.mayRepeat = !record.isIDs && key == nil
    return commit.append(entry, content.data)
  }
}

extension [UInt8] {
  /// The body with spaces in place of a byte-order mark, so that offsets stay the same.
  var withoutMark: [UInt8] {
    guard starts(with: [0xef, 0xbb, 0xbf]) else { return self }
    return [0x20, 0x20, 0x20] + self[3...]
  }

  /// A JSON value with spaces in place of line ends, which occur only between tokens: a stored
  /// entry is one line.
  var inOneLine: [UInt8] {
    guard contains(where: { $0 == 0x0a || $0 == 0x0d }) else { return self }
    return map { $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 }
  }
}

/// `{"file":"…","line":42,"byte":17,"error":"…","input":"…"}`
enum RejectLine {
  /// Bytes of the line shown as `input`.
  private static let longest = 4096

  /// `byte` is 1 if the error concerns the whole line.
  static func append(_ rejection: Rejection, _ line: PostedLine, to output: Output) {
    output.append(#"{"file":"body","line":\#(line.number),"byte":\#(rejection.byte ?? 1),"error":"#)
    output.appendString(rejection.reason)
    output.append(#","input":"#)
    let input = excerpt(line.text)
    output.appendString(String(decoding: input, as: UTF8.self))
    if String(validating: input, as: UTF8.self) == nil {
      output.append(#","input_base64":""#)
      Base64.append(Array(input), to: &output.bytes)
      output.append("\"")
    }
    output.append("}\n")
  }

  // Cuts at the boundary of a character.
  private static func excerpt(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard text.count > longest else { return text }
    let most = text.startIndex + longest
    let end = (most - 3...most).last { text[$0] & 0xc0 != 0x80 } ?? most
    return text[..<end]
  }
}

extension Rejection {
  /// The response, with the messages that existing clients know.
  var response: Response {
    switch kind {
    case .emptyIDs: .error(400, "IDs list cannot be empty")
    case .idOutOfRange: .error(400, JSONFault.Reason.idOutOfRange.text)
    case .priority: .error(400, "Priority must be HIGH, MEDIUM, or LOW")
    case .other: .error(422, (byte.map { "byte \($0): " } ?? "") + reason)
    }
  }
}
