internal import PipeIntake
internal import PipeJSON
internal import PipeEngine

/// One settlement line: the result of a claim, or of some of its items.
package struct Settlement {
  package enum Result {
    case ok, retry, bury
  }

  let claim: BatchID
  /// For items without a result of their own.
  let result: Result?
  let reason: String?
  /// What the items produced, JSON; for items without a value of their own.
  let output: [UInt8]?
  /// nil: all remaining items of the claim.
  let items: [ItemSettlement]?
}

struct ItemSettlement {
  let id: EntryID
  /// Counts from 1 within its entry.
  let item: Int
  let result: Settlement.Result?
  let reason: String?
  let output: [UInt8]?
}

/// Reads settlement lines, from stdin of `ack` or from the worker of `consume --stream`:
/// `{"claim":"01J…","result":"retry","reason":"busy","items":[{"id":"01J…","item":3,"result":"ok"},…]}`.
/// Only `claim` is required; unknown members are ignored.
struct SettlementReader {
  private var scanner = LineScanner(watching: ["claim", "items", "result", "reason", "output"])
  private var itemScanner = LineScanner(watching: ["id", "item", "result", "reason", "output"])
  private static let claim = 0, items = 1
  private static let id = 0, item = 1
  // The same in both scanners.
  private static let result = 2, reason = 3, output = 4
  /// The claim of the last line, even if the rest of the line is invalid.
  private(set) var claim: BatchID?

  mutating func read(_ line: UnsafeRawBufferPointer) throws(Rejection) -> Settlement {
    self.claim = nil
    let value: Span
    do throws(JSONFault) { value = try scanner.scan(line) } catch { throw Rejection(error) }
    guard value.kind == .object, let claim = scanner[SettlementReader.claim] else {
      throw Rejection("not a batch line: it has no claim")
    }
    let token = try Field(claim, "claim", line).claim()
    self.claim = token
    return Settlement(
      claim: token,
      result: try scanner[SettlementReader.result].map { span throws(Rejection) in
        try Field(span, "result", line).word()
      },
      reason: try scanner[SettlementReader.reason].map { span throws(Rejection) in
        try Field(span, "reason", line).string()
      },
      output: try scanner[SettlementReader.output].map { span throws(Rejection) in
        try Field(span, "output", line).value()
      },
      items: try items(line))
  }

  private mutating func items(
    _ line: UnsafeRawBufferPointer
  ) throws(Rejection) -> [ItemSettlement]? {
    guard let array = scanner[SettlementReader.items] else { return nil }
    guard array.kind == .array else {
      throw Rejection("items is not an array", byte: array.range.lowerBound + 1)
    }
    var found: [ItemSettlement] = []
    for element in Elements(of: array, in: line) { found.append(try item(element, line)) }
    return found
  }

  private mutating func item(
    _ element: Span, _ line: UnsafeRawBufferPointer
  ) throws(Rejection) -> ItemSettlement {
    let start = element.range.lowerBound
    let text = UnsafeRawBufferPointer(rebasing: line[element.range])
    do throws(JSONFault) { _ = try itemScanner.scan(text) } catch {
      throw Rejection(error, at: start)
    }
    guard let id = itemScanner[SettlementReader.id], let item = itemScanner[SettlementReader.item]
    else { throw Rejection("an item needs id and item", byte: start + 1) }
    return ItemSettlement(
      id: try Field(id, "id", text, start).id(), item: try Field(item, "item", text, start).count(),
      result: try itemScanner[SettlementReader.result].map { span throws(Rejection) in
        try Field(span, "result", text, start).word()
      },
      reason: try itemScanner[SettlementReader.reason].map { span throws(Rejection) in
        try Field(span, "reason", text, start).string()
      },
      output: try itemScanner[SettlementReader.output].map { span throws(Rejection) in
        try Field(span, "output", text, start).value()
      })
  }
}

/// One member, while it is being read.
private struct Field {
  let span: Span
  let name: StaticString
  let text: UnsafeRawBufferPointer
  /// Offset of `text` in its line.
  let offset: Int

  init(_ span: Span, _ name: StaticString, _ text: UnsafeRawBufferPointer, _ offset: Int = 0) {
    self.span = span
    self.name = name
    self.text = text
    self.offset = offset
  }

  /// Bytes kept of a reason.
  private static let longest = 4096

  private func wrong(_ what: String) -> Rejection {
    Rejection("\(name) \(what)", byte: offset + span.range.lowerBound + 1)
  }

  // The text between the quotes. Escapes are not decoded: ids and results contain none.
  private var inside: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      rebasing: text[(span.range.lowerBound + 1)..<(span.range.upperBound - 1)])
  }

  func claim() throws(Rejection) -> BatchID {
    guard span.kind == .string, let id = BatchID(inside) else { throw wrong("is not a ULID") }
    return id
  }

  func id() throws(Rejection) -> EntryID {
    guard span.kind == .string, let id = EntryID(inside) else { throw wrong("is not a ULID") }
    return id
  }

  func word() throws(Rejection) -> Settlement.Result {
    if span.kind == .string {
      if inside.elementsEqual("ok".utf8) { return .ok }
      if inside.elementsEqual("retry".utf8) { return .retry }
      if inside.elementsEqual("bury".utf8) { return .bury }
    }
    throw wrong("must be ok, retry or bury")
  }

  func string() throws(Rejection) -> String {
    guard span.kind == .string else { throw wrong("is not a string") }
    let quoted = UnsafeRawBufferPointer(rebasing: text[span.range])
    return String(decoding: decodeString(quoted).prefix(Field.longest), as: UTF8.self)
  }

  /// Bytes kept of an output.
  private static let longestOutput = 64 << 10

  func value() throws(Rejection) -> [UInt8] {
    guard span.range.count <= Field.longestOutput else {
      throw wrong("is longer than \(Field.longestOutput) bytes")
    }
    return Array(text[span.range])
  }

  func count() throws(Rejection) -> Int {
    var value = 0
    for byte in text[span.range] {
      let (tens, over) = value.multipliedReportingOverflow(by: 10)
      guard span.kind == .integer, (0x30...0x39).contains(byte), !over, tens < .max - 9 else {
        throw wrong("must be a positive integer")
      }
      value = tens + Int(byte - 0x30)
    }
    guard value > 0 else { throw wrong("must be a positive integer") }
    return value
  }
}
