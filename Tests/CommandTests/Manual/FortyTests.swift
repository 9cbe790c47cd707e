import TestSupport
import Testing

@Suite("Forty lines of others")
struct FortyTests {
  @Test(
    "at least forty lines of others work with one word more, also with the worker killed in the middle",
    arguments: ["", "--kill"])
  func rows(option: String) throws {
    let scratch = try Scratch()
    let run = try scratch.sh("\(Repository.path)/examples/forty \(option)")
    run.expect(nil, errors: nil)
    #expect(run.lines.last?.hasSuffix(" rows work") == true, run.story)
    // Rows that take more words are marked, and do not count.
    let count = try scratch.sh("grep -c '^[0-9]' \(Repository.path)/examples/forty.tsv")
    #expect(Int(count.lines.first ?? "") ?? 0 >= 40, count.story)
  }
}
