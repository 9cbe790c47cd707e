internal import PipeIO
internal import PipeJSON
internal import PipeEngine

/// Recognizes a source that is not JSON Lines, and names the command that converts it. One per
/// source.
struct InputShape {
  /// Lines of one value so far, from a rejected line that ends within an object or array.
  private var open: [UInt8] = []
  private var firstLine = 0
  /// Whether a line after the first was rejected, or accepted as a value of its own.
  private var (hasRejected, hasTaken) = (false, false)
  /// Size of `open` at which it is scanned again. It doubles, so that scanning costs little per
  /// byte.
  private var nextScan = 0
  private var isDecided = false

  /// Bytes of `open` after which the shape is decided.
  private static let most = 64 << 10

  private static let beginnings: [(bytes: [UInt8], advice: String)] = [
    ([0x1f, 0x8b], "looks like gzip: decompress it first, with zcat"),
    ([0x28, 0xb5, 0x2f, 0xfd], "looks like zstd: decompress it first, with zstdcat"),
    ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "looks like xz: decompress it first, with xzcat"),
    ([0x42, 0x5a, 0x68], "looks like bzip2: decompress it first, with bzcat"),
    ([0x50, 0x4b, 0x03, 0x04], "looks like a zip archive: extract it first, with unzip -p"),
    ([0xff, 0xfe, 0, 0], utf("32")), ([0, 0, 0xfe, 0xff], utf("32")),
    ([0xff, 0xfe], utf("16")), ([0xfe, 0xff], utf("16")),
    ([0x7b, 0], utf("16LE")), ([0x5b, 0], utf("16LE")),
    ([0, 0x7b], utf("16BE")), ([0, 0x5b], utf("16BE")),
  ]

  private static func utf(_ form: String) -> String {
    "looks like UTF-\(form): convert it first, with iconv -f UTF-\(form) -t UTF-8"
  }

  /// Advice by the first bytes of the source.
  static func advice(beginning bytes: UnsafeRawBufferPointer) -> String? {
    // Most sources begin with JSON, and need not create the table.
    if bytes.count > 1, bytes[0] == 0x7b || bytes[0] == 0x5b, bytes[1] != 0 { return nil }
    return beginnings.first { bytes.starts(with: $0.bytes) }?.advice
  }

  /// Advice for a first line that begins like no JSON value.
  static func advice(ofText line: UnsafeRawBufferPointer) -> String? {
    guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }),
      ![0x7b, 0x5b, 0x22].contains(first)
    else { return nil }
    // A number or a word of JSON that was rejected for another reason.
    var scanner = LineScanner(watching: [])
    if (try? scanner.scan(line)) != nil { return nil }
    return line.contains(0)
      ? "looks like NUL-terminated text: use --text -0, which takes each part as an item"
      : "looks like plain text: use --text, which takes each line as an item"
  }

  /// Advice for a first line that is taken as text.
  static func advice(ofItem line: UnsafeRawBufferPointer) -> String? {
    line.contains(0) ? "the first line holds NUL; with -0, items end with NUL" : nil
  }

  /// Advice after a line that is not blank. `mustDecide`: the next lines will not be shown.
  @inline(__always)
  mutating func advice(
    after line: UnsafeRawBufferPointer, number: Int, isTaken: Bool, mustDecide: Bool = false
  ) -> String? {
    if isDecided || (isTaken && open.isEmpty) { return nil }
    return judged(line, number, isTaken, mustDecide)
  }

  private mutating func judged(
    _ line: UnsafeRawBufferPointer, _ number: Int, _ isTaken: Bool, _ mustDecide: Bool
  ) -> String? {
    if open.isEmpty {
      begin(line, number)
      return nil
    }
    open.append(0x0a)
    open += line
    if isTaken { hasTaken = true } else { hasRejected = true }
    guard open.count >= nextScan || mustDecide else { return nil }
    nextScan = 2 * open.count
    switch open.withUnsafeBytes(extent) {
    case .whole: return decided
    case .part where open.count > InputShape.most:
      isDecided = true
      return hasRejected ? decided : nil
    case .part: return mustDecide && hasRejected ? decided : nil
    case .none:
      open = []
      if !isTaken { begin(line, number) }
      return nil
    }
  }

  /// Advice at the end of the source.
  mutating func adviceAtEnd() -> String? {
    guard hasRejected, !isDecided, !open.isEmpty else { return nil }
    return open.withUnsafeBytes(extent) == .none ? nil : decided
  }

  private mutating func begin(_ line: UnsafeRawBufferPointer, _ number: Int) {
    guard extent(line) == .part else { return }
    (open, firstLine, nextScan) = (Array(line), number, 0)
    (hasRejected, hasTaken) = (false, false)
  }

  private enum Extent { case none, part, whole }

  /// How much of an object or array `text` has. Bytes after a whole one are ignored.
  private func extent(_ text: UnsafeRawBufferPointer) -> Extent {
    let first = text.first { $0 != 0x20 && $0 != 0x09 }
    guard first == 0x7b || first == 0x5b else { return .none }
    var scanner = LineScanner(watching: [])
    do throws(JSONFault) { _ = try scanner.scan(text) } catch {
      switch error.reason {
      case .unexpectedEnd: return .part
      case .expectedEnd: return .whole
      default: return .none
      }
    }
    return .whole
  }

  private var decided: String {
    mutating get {
      isDecided = true
      let isArray = open.first { $0 != 0x20 && $0 != 0x09 } == 0x5b
      open = []
      return "line \(firstLine) begins a JSON \(isArray ? "array" : "object") "
        + "spanning several lines: put each \(isArray ? "element" : "value") on one line first, "
        + (isArray ? "with jq -c '.[]'" : "with jq -c .")
        + (hasTaken ? "; its lines that are complete values were accepted" : "")
    }
  }
}

/// Warns once about a line that is already an entry line, as `ingest` writes it, and becomes the
/// data of another entry.
struct WrappingNotice {
  private let diagnostics: Diagnostics
  private let wayOut: String
  private lazy var scanner = LineScanner(watching: ["id", "priority", "time", "data", "ids"])
  private var looks = WrappingNotice.mostLooks
  private var isSaid = false

  /// Lines that are read whole for this; a later line is read only if it begins as `ingest` begins
  /// it.
  private static let mostLooks = 16

  init(_ diagnostics: Diagnostics, wayOut: String) {
    self.diagnostics = diagnostics
    self.wayOut = wayOut
  }

  mutating func look(_ line: UnsafeRawBufferPointer) {
    if isSaid { return }
    if looks > 0 { looks -= 1 } else if !WrappingNotice.begins(line) { return }
    guard isEntryLine(line) else { return }
    isSaid = true
    diagnostics.say(
      "a line is already an entry line, as pipe ingest writes it;"
        + " it becomes the data of a new entry (\(wayOut))")
  }

  private mutating func isEntryLine(_ line: UnsafeRawBufferPointer) -> Bool {
    guard line.contains(#""priority""#), let value = try? scanner.scan(line), value.kind == .object,
      scanner.memberCount >= 4,
      let id = scanner[0], id.kind == .string, scanner[1] != nil, scanner[2] != nil,
      (scanner[3] == nil) != (scanner[4] == nil)
    else { return false }
    let text = (id.range.lowerBound + 1)..<(id.range.upperBound - 1)
    return EntryID(UnsafeRawBufferPointer(rebasing: line[text])) != nil
  }

  // {"id":"01M7YFR55BHYP5BSPG0DPTADCJ",
  private static func begins(_ line: UnsafeRawBufferPointer) -> Bool {
    line.count > 40 && line[33] == 0x22 && line[34] == 0x2c
      && line[..<7].elementsEqual(#"{"id":""#.utf8)
  }
}
