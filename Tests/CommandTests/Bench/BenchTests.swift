import Foundation
import TestSupport
import Testing

@Suite("bench")
struct BenchTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.sh("mkdir place").expect()
  }

  private struct Line: Decodable {
    let work: String
    let unit: String
    let pipe: Double
    let limit: Double
    let share: Double
    let rounds: Int
  }

  private static let works = [
    "enqueue", "consume", "consume --size 1", "consume -j 2 -- true", "a line to its receipt",
    "a line to a consumer", "a process per line", "status ID",
  ]

  @Test("bench measures each work beside its limit, and leaves nothing behind")
  func lines() throws {
    let run = try scratch.pipe("bench", "--rounds", "2", "--json", "place")
    #expect(run.ending == .exited(0) && run.errors.isEmpty, run.story)
    let lines = try run.lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    #expect(lines.map(\.work) == BenchTests.works)
    for line in lines {
      let share = line.unit == "s" ? line.limit / line.pipe : line.pipe / line.limit
      // The share has three decimals.
      let margin = max(0.02 * share, 0.0006)
      #expect(line.rounds == 2 && line.pipe > 0 && abs(line.share - share) < margin, run.story)
    }
    try scratch.sh("ls -A place").expect("")
  }

  @Test("a signal ends bench after the current work, and PIPE_QUEUE does not matter")
  func interrupted() throws {
    let (begun, gate) = (try Gate(scratch, "begun"), try Gate(scratch))
    // The limit of `consume`, the second work, is cat(1).
    let cat =
      "#!/bin/sh\necho > '\(scratch.path("begun"))'; read go < '\(scratch.path("gate"))';"
      + " exec /bin/cat \"$@\"\n"
    try scratch.sh("mkdir bin; cat > bin/cat; chmod +x bin/cat", input: cat).expect("")
    let child = try scratch.start(
      line: "env PATH=$PWD/bin:$PATH PIPE_QUEUE=/nowhere pipe bench --rounds 1 place")
    _ = try begun.line()
    child.signal(SIGINT)
    gate.letPass(100)
    let run = child.finish()
    #expect(run.ending == .exited(0) && run.errors.isEmpty, run.story)
    #expect(run.lines.first?.hasPrefix("work  ") == true && run.lines.count == 3, run.story)
    try scratch.sh("ls -A place").expect("")
  }

  @Test("bench ends with the message of a command that fails, and removes its files")
  func failure() throws {
    try scratch.sh("mkdir bin; printf '#!/bin/sh\\nexit 3\\n' > bin/cat; chmod +x bin/cat")
      .expect()
    try scratch.sh("PATH=$PWD/bin:$PATH pipe bench --rounds 1 place").expect(
      "", errors: "pipe bench: cat: failed\n", status: 74)
    try scratch.sh("ls -A place").expect("")
  }

  @Test(
    "bench names what it cannot use",
    arguments: [
      (["a", "b"], 64, "give one directory"),
      (["missing"], 66, "./missing/pipe-bench.XXXXXX: cannot create: No such file or directory"),
    ] as [([String], Int32, String)])
  func refusals(words: [String], status: Int32, message: String) throws {
    let run = try scratch.run([scratch.binary, "bench"] + words)
    #expect(run.ending == .exited(status), run.story)
    #expect(run.errors.hasPrefix("pipe bench: \(message)"), run.story)
  }
}
