import Testing

@testable import PipeQueue

@Suite("Histories")
struct HistoryTests {
  private let first = Attempt(
    number: 1, started: 1000, ended: 2000, exitStatus: 3, signal: nil, reason: "exit 3")
  private let second = Attempt(
    number: 2, started: nil, ended: 3000, exitStatus: nil, signal: 9, reason: "signal 9")

  @Test("a history has the attempts in order")
  func order() {
    let bytes = History.line(items(5, 8), first) + History.line(items(5, 8), second)
    for number in 5...7 { #expect(History.attempts(bytes, of: number, .high) == [first, second]) }
  }

  @Test("a history has nothing of other items, even from the same file")
  func stale() {
    let bytes = History.line(items(0, 5), second) + History.line(items(5, 8), first)
    #expect(History.attempts(bytes, of: 8, .high) == [])
    #expect(History.attempts(bytes, of: 5, .high) == [first])
    #expect(History.attempts(bytes, of: 5, .low) == [], "the same number of another lane")
    #expect(History.lines(bytes, of: 5, .high) == History.line(items(5, 8), first))
  }

  @Test("a history leaves out a garbled or torn line, and no other", arguments: [0, 9, 20, 30])
  func garbled(at position: Int) {
    var line = History.line(items(5, 8), first)
    let whole = History.line(items(5, 8), second)
    line[position] ^= 1
    #expect(History.attempts(line + whole, of: 5, .high) == [second])
    #expect(History.attempts(whole + line.prefix(position), of: 5, .high) == [second])
  }

  @Test(
    "a history keeps a reason to the byte",
    arguments: ["a\nb", "100 %", "%0a", "%", "%%25", "tab\t, cr\r", "", "\u{0}", "grün", "a  b "])
  func reason(text: String) {
    let attempt = Attempt(
      number: 1, started: 1, ended: 2, exitStatus: 1, signal: nil, reason: text)
    let line = History.line(items(5, 8), attempt)
    #expect(line.filter { $0 == 0x0a }.count == 1)
    #expect(History.attempts(line, of: 5, .high).map(\.reason) == [text])
  }

  @Test("a history cuts a long reason")
  func long() {
    let attempt = Attempt(
      number: 1, started: 1, ended: 2, exitStatus: 1, signal: nil,
      reason: String(repeating: "x", count: 5000))
    let found = History.attempts(History.line(items(5, 8), attempt), of: 5, .high)
    #expect(found.map(\.reason.count) == [1024])
  }

  @Test("a history comes before the stderr of the item, which may look like anything")
  func stderr() {
    let said = Array("stderr 3\nabc\n".utf8) + [0xff, 0x00]
    let letter = History.line(items(5, 6), first) + DeadLetter.stderrBlock(said)
    #expect(DeadLetter.stderr(in: letter) == said)
    #expect(History.attempts(letter, of: 5, .high) == [first])
    let much = [UInt8](repeating: 0x61, count: 5000)
    #expect(DeadLetter.stderr(in: DeadLetter.stderrBlock(much)).count == 4096)
  }
}
