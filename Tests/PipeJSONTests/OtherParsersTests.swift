import Foundation
import TestSupport
import Testing

@testable import PipeJSON

@Suite("The scanner beside other parsers", .needs("python3"))
struct OtherParsersTests {
  @Test("Python and SQLite accept the same of 100,000 documents as the scanner")
  func agreement() throws {
    var random = SplitMix(seed: 1)
    var documents: [[UInt8]] = []
    for number in 0..<100_000 {
      var text = Array(MutationTests.texts[number % MutationTests.texts.count].utf8)
      for _ in 0..<Int.random(in: 0...3, using: &random) { MutationTests.mutate(&text, &random) }
      documents.append(text.map { $0 == 0x0a ? 0x20 : $0 })
    }
    let scratch = try Scratch()
    let file = scratch.path("documents")
    try Data(documents.joined(separator: [0x0a])).write(to: URL(fileURLWithPath: file))
    let compare = Command("/usr/bin/python3", "-c", OtherParsersTests.script, file)
    let answers = try compare.mustRun().lines
    try #require(answers.count == documents.count)
    var (accepted, compared) = (0, 0)
    for (document, answer) in zip(documents, answers) {
      let fault = scan(document).fault
      // Both accept half of a surrogate pair, and SQLite does not look at UTF-8 or behind a NUL.
      if fault?.reason == .unpairedSurrogate { continue }
      let python = answer.first == "1"
      #expect((fault == nil) == python, "Python: \(String(decoding: document, as: UTF8.self))")
      if fault?.reason == .invalidUTF8 || document.contains(0) { continue }
      let sqlite = answer.last == "1"
      #expect((fault == nil) == sqlite, "SQLite: \(String(decoding: document, as: UTF8.self))")
      accepted += fault == nil ? 1 : 0
      compared += 1
    }
    #expect(compared > 80_000 && accepted > 20_000, "\(compared), \(accepted)")
  }

  /// For each line: whether Python accepts it, and whether SQLite does.
  private static let script = """
    import json, sqlite3, sys
    def refuse(word): raise ValueError(word)
    database = sqlite3.connect(":memory:")
    for line in open(sys.argv[1], "rb").read().split(b"\\n"):
        try:
            json.loads(line.decode(), parse_constant=refuse)
            python = 1
        except (ValueError, RecursionError):
            python = 0
        text = line.decode(errors="replace")
        print(python, database.execute("select json_valid(?)", [text]).fetchone()[0], sep="")
    """
}
