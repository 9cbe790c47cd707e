import Foundation
import TestSupport
import Testing

@Suite("Input that is not JSON Lines")
struct InputShapeTests {
  private static let object =
    "line 1 begins a JSON object spanning several lines: put each value on one line first, "
    + "with jq -c ."
  private static let array =
    "line 1 begins a JSON array spanning several lines: put each element on one line first, "
    + "with jq -c '.[]'"
  private static let taken = "; its lines that are complete values were accepted"

  static let shapes = [
    ("{\n  \"a\": 1,\n  \"b\": {\n    \"c\": [\n    ]\n  }\n}\n", object),
    ("{\r\n\t\"a\": \"x\"\r\n}\r\n{\r\n\t\"a\": \"y\"\r\n}\r\n", object),
    ("{\"a\":1,\n \"b\":2}\n", object),
    ("{\n\"tags\":\n[\n1,\n2\n],\n\"owner\":\n{}\n}\n", object + taken),
    ("\n  {\n\n\"a\": 1\n", "line 2" + object.dropFirst(6)),
    ("[\n{\"a\":1},\n{\"a\":2}\n]\n", array + taken),
    ("[\n  {\n    \"a\": 1\n  }\n]", array),
    ("1\n[ 1,\n  2,\n", "line 2" + array.dropFirst(6)),
  ]

  @Test("JSON over several lines is reported once, with the remedy", arguments: shapes)
  func severalLines(input: String, advice: String) throws {
    let scratch = try Scratch()
    for command in [["ingest"], ["enqueue", "--raw", "--quiet"], ["stats", "--field", "a"]] {
      let run = try scratch.run([Binary.path] + command, input: Array(input.utf8))
      run.expect(nil, errors: nil, status: 65)
      let told = run.errors.split(separator: "\n").filter { $0.contains("spanning several lines") }
      #expect(told == ["pipe \(command[0]): stdin: \(advice)"], run.story)
    }
  }

  @Test(
    "lines that are cut or wrong are not taken for JSON over several lines",
    arguments: [
      "{\"a\":\n{\"b\":1}\n{\"c\":1}\n", "{\"a\":\n", "{\n]\n{\"a\"\n",
      "{\"a\":1\n{\"b\":2\n{\"c\":3\n",
      "[1,\n2\n", "{\"a\":\"x\ny\"}\n",
    ])
  func singleLines(input: String) throws {
    let run = try Scratch().pipe("ingest", input: input)
    #expect(!run.errors.contains("several lines"), run.story)
    run.expect(errors: nil, status: 65)
  }

  @Test("JSON over very many lines is reported after its first ten lines")
  func manyLines() throws {
    let elements = (0..<20_000).map { "  {\n    \"n\": \($0)\n  }" }.joined(separator: ",\n")
    let run = try Scratch().pipe("ingest", input: "[\n\(elements)\n]\n")
    run.expect("", errors: nil, status: 65)
    let told = run.errors.split(separator: "\n")
    #expect(told.count == 12 && told[10] == "pipe ingest: stdin: \(Self.array)", run.story)
    #expect(told[11].hasSuffix("60002 of 60002 lines rejected; the first 10 are shown"), run.story)
  }

  static let beginnings: [([UInt8], String)] = [
    ([0x1f, 0x8b, 8, 0, 0x0a, 1], "gzip: decompress it first, with zcat"),
    ([0x28, 0xb5, 0x2f, 0xfd, 0x0a], "zstd: decompress it first, with zstdcat"),
    ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "xz: decompress it first, with xzcat"),
    (Array("BZh91AY".utf8), "bzip2: decompress it first, with bzcat"),
    (Array("PK\u{3}\u{4}\n".utf8), "a zip archive: extract it first, with unzip -p"),
    ([0xff, 0xfe, 0x31, 0, 0x0a, 0], "UTF-16: convert it first, with iconv -f UTF-16 -t UTF-8"),
    ([0xfe, 0xff, 0, 0x31, 0, 0x0a], "UTF-16: convert it first, with iconv -f UTF-16 -t UTF-8"),
    ([0x7b, 0, 0x7d, 0], "UTF-16LE: convert it first, with iconv -f UTF-16LE -t UTF-8"),
    ([0, 0x5b, 0, 0x5d], "UTF-16BE: convert it first, with iconv -f UTF-16BE -t UTF-8"),
    ([0xff, 0xfe, 0, 0, 0x31, 0, 0, 0], "UTF-32: convert it first, with iconv -f UTF-32 -t UTF-8"),
  ]

  @Test(
    "compressed input and other encodings are recognized by their first bytes",
    arguments: beginnings)
  func beginning(bytes: [UInt8], advice: String) throws {
    let scratch = try Scratch()
    let rest = [UInt8](repeating: 0x80, count: 3000)
    for (name, options) in [("ingest", [] as [String]), ("ingest", ["--max-record-bytes", "99"])] {
      let run = try scratch.run([Binary.path, name] + options, input: bytes + rest)
      run.expect("", errors: nil, status: 65)
      let told = run.errors.split(separator: "\n").first
      #expect(told.map(String.init) == "pipe \(name): stdin: looks like \(advice)", run.story)
    }
  }

  @Test("every filter reports ten bad lines and how many there were")
  func tenLines() throws {
    let scratch = try Scratch()
    try scratch.pipe("init").expect("")
    let lines = String(repeating: "x\n", count: 1000) + "1\n"
    for command in [["ingest"], ["enqueue"], ["ack"], ["stats", "--field", "n"]] {
      let run = try scratch.run([Binary.path] + command, input: Array(lines.utf8))
      run.expect(errors: nil, status: 65)
      let told = run.errors.split(separator: "\n")
      #expect(told.count(where: { $0.contains("expected a value") }) == 10, run.story)
      #expect(told.last?.hasSuffix("rejected; the first 10 are shown") == true, run.story)
    }
    try scratch.pipe("ingest", "--max-errors", "12", input: lines).expect(
      "",
      errors: "pipe ingest: stdin:1: byte 1: expected a value\n"
        + "pipe ingest: stdin: looks like plain text: use --text, which takes each line as an item\n"
        + (2...10).map { "pipe ingest: stdin:\($0): byte 1: expected a value\n" }.joined()
        + "pipe ingest: 12 of 12 lines rejected; the first 10 are shown; stopped (--max-errors)\n",
      status: 65)
    try scratch.pipe("ingest", "--reject", "kept", input: lines).expect(nil, errors: nil)
    #expect(try scratch.read("kept").count == 2000)
  }

  @Test("the advice is printed once, even for many similar files")
  func manyFiles() throws {
    let scratch = try Scratch()
    for number in 1...5 { try scratch.write("{\n\"a\": \(number)\n}\n", to: "\(number).json") }
    let run = try scratch.sh("pipe ingest *.json")
    run.expect("", errors: nil, status: 65)
    let told = run.errors.split(separator: "\n").filter { $0.contains("several lines") }
    #expect(told == ["pipe ingest: 1.json: \(Self.object)"], run.story)
  }
}
