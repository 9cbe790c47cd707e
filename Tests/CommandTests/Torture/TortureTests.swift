import Foundation
import TestSupport
import Testing

@Suite("torture")
struct TortureTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.sh("mkdir place").expect()
  }

  private struct Verdict: Decodable {
    let lives: Int
    let power_cuts: Int
    let calls: Int
    let accepted: Int
    let delivered: Int
    let lost: Int
    let doubled: Int
    let torn: Int
    let other: Int
    let kept: Bool
  }

  private func verdict(_ run: Run) throws -> Verdict {
    try JSONDecoder().decode(Verdict.self, from: Data(run.output.utf8))
  }

  @Test(
    "pipe keeps every promise under torture, which says what it did and leaves nothing behind",
    arguments: [42])
  func kept(seed: Int) throws {
    let run = try scratch.pipe(
      "torture", "--minutes", "0.2", "--seed", "\(seed)", "--json", "place")
    #expect(run.ending == .exited(0), run.story)
    let verdict = try verdict(run)
    #expect(verdict.kept && verdict.accepted > 0 && verdict.calls > 0, run.story)
    #expect(verdict.accepted == verdict.delivered, run.story)
    #expect(verdict.lost + verdict.torn + verdict.doubled + verdict.other == 0, run.story)
    try scratch.sh("ls -A place").expect("")
  }

  @Test("torture finds what a disk that flushes nothing loses, and keeps the queues")
  func lie() throws {
    // Without a power cut nothing is lost; most of these seeds have one in their first lives.
    var isFound = false
    for seed in 1...20 where !isFound {
      let run = try scratch.pipe(
        "torture", "--minutes", "0.1", "--lie", "--seed", "\(seed)", "--json", "place")
      let verdict = try verdict(run)
      #expect(run.ending == .exited(verdict.kept ? 0 : 1), run.story)
      isFound = verdict.lost > 0
      guard isFound else { continue }
      #expect(run.errors.hasPrefix("pipe torture: ./place/pipe-torture."), run.story)
      #expect(run.errors.hasSuffix(": kept for examination\n"), run.story)
      try scratch.sh("ls place/*/disk/queue/format place/*/events > log").expect()
    }
    #expect(isFound)
  }

  @Test("SIGINT ends a torture with the verdict so far")
  func interrupted() throws {
    let child = try scratch.start("torture", "--minutes", "600", "place")
    try wait(
      until: {
        try scratch.sh("grep -qE ' [1-9][0-9]* receipts' place/*/events").ending == .exited(0)
      },
      "a program with receipts")
    child.signal(SIGINT)
    let run = child.finish()
    #expect(run.ending == .exited(0), run.story)
    #expect(run.lines.last?.hasSuffix(": every promise was kept") == true, run.story)
  }

  @Test(
    "torture names what it cannot use",
    arguments: [
      ([], 64, "name a directory"),
      (["a", "b"], 64, "name a directory"),
      (["--minutes", "0", "place"], 64, "a number of minutes, such as 10 or 0.5"),
      (["--minutes", "nan", "place"], 64, "a number of minutes, such as 10 or 0.5"),
      (["--seed=-1", "place"], 64, "--seed"),
      (["missing"], 66, "./missing/pipe-torture.XXXXXX: cannot create: No such file or directory"),
      (["log/x"], 66, "Not a directory"),
    ] as [([String], Int32, String)])
  func refused(arguments: [String], status: Int32, message: String) throws {
    try scratch.sh("touch log").expect()
    let run = try scratch.run([scratch.binary, "torture"] + arguments)
    #expect(run.ending == .exited(status), run.story)
    #expect(run.errors.contains(message), run.story)
  }
}
