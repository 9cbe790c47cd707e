import TestSupport
import Testing

@Suite("Plain text")
struct TextTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init")
  }

  /// Items of all kinds, with bytes that no other form keeps.
  private static let items: [[UInt8]] = [
    Array("plain".utf8), Array("two words".utf8), [], Array("\"quoted\" \\ back".utf8),
    Array("{\"a\":1}".utf8), Array("tab\there".utf8), Array("é ü 💧".utf8), [0xff, 0xfe, 0x41],
    [0x1b, 0x5b, 0x33, 0x31, 0x6d], [0xed, 0xa0, 0x80], Array("true".utf8),
    [0xef, 0xbb, 0xbf, 0x61],
    Array("{\"bytes\":\"x\"}".utf8), Array("'single'".utf8), [0x0d], [0x7f],
  ]

  private static func text(_ end: UInt8) -> [UInt8] { items.flatMap { $0 + [end] } }

  @Test("text comes out byte for byte as it went in, whatever its bytes", arguments: [false, true])
  func unchanged(throughIngest: Bool) throws {
    let text = Self.text(0x0a)
    try scratch.write(text, to: "in")
    let line =
      throughIngest
      ? "pipe ingest --text in | pipe enqueue --quiet" : "pipe enqueue --text --quiet < in"
    try scratch.sh(line).expect("")
    #expect(try scratch.sh("pipe consume --text").bytes == text)
  }

  @Test("with -0 an item may hold newlines, and comes out with its NUL")
  func null() throws {
    let text = Self.text(0) + Array("a\nb\n\n".utf8) + [0]
    try scratch.run([Binary.path, "enqueue", "--text", "-0", "--quiet"], input: text).expect("")
    #expect(try scratch.sh("pipe consume --text -0").bytes == text)
  }

  @Test("the last line may lack its newline")
  func unended() throws {
    try scratch.pipe("enqueue", "--text", "--quiet", input: "a\nb").expect("")
    try scratch.pipe("consume", "--text").expect("a\nb\n")
  }

  @Test("text is a JSON string for every other command, or base64 where it is not UTF-8")
  func asJSON() throws {
    try scratch.run(
      [Binary.path, "enqueue", "--text", "--quiet"], input: [0x61, 0x22, 0x0a, 0xff]
    )
    .expect("")
    try scratch.pipe("consume").expect("\"a\\\"\"\n{\"bytes\":\"/w==\"}\n")
  }

  @Test("consume --text writes values that are not strings as they are")
  func otherValues() throws {
    try scratch.store(#"{"a": 1}"#, "7", #""x""#, #"{"bytes":"?"}"#, #"{"bytes":"YQ==","b":1}"#)
    try scratch.pipe("consume", "--text").expect(
      "{\"a\": 1}\n7\nx\n{\"bytes\":\"?\"}\n{\"bytes\":\"YQ==\",\"b\":1}\n")
  }

  @Test("a line over the limit is rejected with its number, and the others are stored")
  func tooLong() throws {
    let run = try scratch.pipe(
      "enqueue", "--text", "--quiet", "--max-record-bytes", "5", input: "12345\n123456\nab\n")
    run.expect(
      "",
      errors:
        "pipe enqueue: stdin:2: byte 6: the item is longer than 5 bytes (--max-record-bytes)\n"
        + "pipe enqueue: 1 of 3 lines rejected\n", status: 65)
    try scratch.pipe("consume", "--text").expect("12345\nab\n")
  }

  @Test(
    "input that is not JSON is met with the option that takes it, once",
    arguments: ["ingest", "enqueue", "enqueue --raw"])
  func advice(command: String) throws {
    let run = try scratch.sh("seq -f 'name %g' 1000 | pipe \(command)")
    #expect(run.errors.split(separator: "\n").count { $0.contains("use --text, which") } == 1)
    #expect(run.errors.split(separator: "\n").count == 12, run.story)
    let nul = try scratch.sh("printf 'a\\0b\\0' | pipe \(command)")
    #expect(nul.errors.contains("use --text -0"), nul.story)
  }

  @Test(
    "options that make no sense together are usage errors",
    arguments: [
      "enqueue -0", "enqueue --raw --text", "ingest --text --records", "consume -0",
      "consume --text --envelope",
    ])
  func usage(line: String) throws {
    try scratch.sh("pipe \(line) < /dev/null").expect(errors: nil, status: 64)
  }
}
