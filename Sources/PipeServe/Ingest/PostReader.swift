internal import PipeGateway
internal import PipeIntake
internal import PipeIO
internal import PipeJSON
internal import PipeQueue
internal import PipeRender

/// Validates posted bodies as `pipe ingest` does, and appends their entries to the commit.
struct PostReader {
  /// Lines of a body; the response has one for each.
  private static let mostLines = 1 << 16
  private var validator: RecordValidator
  private var logValidator = RecordValidator(recordsOnly: true)
  private var builder: EntryBuilder
  private var now: Int64 = 0

  init(slice: Int, requirements: [Requirement]) {
    builder = EntryBuilder(slice: slice)
    validator = RecordValidator(requirements: requirements)
  }

  /// Entries read from here on get the same arrival time.
  mutating func begin() { now = Clock.now() }

  mutating func read(
    _ pending: PendingRequest, _ commit: inout IngestCommit
  ) -> Post {
    let request = pending.request
    let isLog = request.path == "/log"
    do throws(Rejection) {
      let key = try IdempotencyKey(request)
      if let coding = request.header("content-encoding"), coding.lowercased() != "identity" {
        return refuse(pending, 415, "send the body without Content-Encoding")
      }
      switch ContentType(request.header("content-type")) {
      case .json: return one(pending, isLog, key, &commit)
      case .lines where !isLog:
        if key != nil { throw Rejection("Idempotency-Key is for one entry, not for lines") }
        return lines(pending, &commit)
      case .lines, .other:
        let types = "application/json" + (isLog ? "" : " or application/x-ndjson")
        return refuse(pending, 415, "send Content-Type: \(types)")
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

  private mutating func lines(
    _ pending: PendingRequest, _ commit: inout IngestCommit
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
      let fate = line.withUnsafeBytes { bytes -> Post.Fate in
        do throws(Rejection) {
          let accepted = try validator.judge(bytes)
          return .batched(append(accepted, content(accepted, bytes), nil, &commit))
        } catch { return .rejected(error) }
      }
      found.append(PostedLine(number: index + 1, text: line, fate: fate))
    }
    return found.isEmpty
      ? refuse(pending, 400, "the body has no lines") : Post(pending, .lines(found))
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
