import Foundation
import TestSupport
import Testing

@Suite("Concurrent enqueue --dedup")
struct DedupStormTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test("processes that store the same record at once store one entry, and all print its id")
  func sameMoment() throws {
    try scratch.prepare("init")
    let run = try scratch.sh(
      """
      for round in {1..25}; do
        jobs=
        for n in 1 2 3 4; do
          echo $round | pipe enqueue --raw --dedup 1h > receipt.$n & jobs+=" $!"
        done
        wait $jobs || exit
        echo $(cut -d '"' -f 4 receipt.? | sort -u | wc -l) $(grep -vc duplicate -h <(cat receipt.?))
      done
      """)
    run.expect(String(repeating: "1 1\n", count: 25))
    try scratch.pipe("consume").expect((1...25).map { "\($0)\n" }.joined())
  }

  @Test("processes store the same 5,000 lines once, even those stored earlier without --dedup")
  func manyLines() throws {
    let lines = (0..<5000).map { "{\"n\":\($0)}\n" }.joined()
    try scratch.write(lines, to: "lines")
    try scratch.pipe("enqueue", "--raw", "--quiet", input: "{\"n\":17}\n{\"n\":4711}\n").expect()
    let run = try scratch.sh(
      """
      for n in 1 2 3; do
        split -l 400 --filter cat lines | pipe enqueue --raw --dedup 1h > receipts.$n & jobs+=" $!"
      done
      wait $jobs
      cat receipts.? | grep -vc duplicate
      cat receipts.? | cut -d '"' -f 4 | sort -u | wc -l
      """)
    run.expect("4998\n5000\n")
    try scratch.sh("pipe consume | sort -u | wc -l; pipe list --state done | wc -l").expect(
      "5000\n5000\n")
  }

  @Test("an enqueue --dedup killed at any call leaves one entry or none", .needsStrace)
  func killed() throws {
    var kills = 0
    for call in ["pwrite64", "pread64", "renameat2", "ftruncate", "flock", "fdatasync", "unlinkat"]
    {
      for turn in 1... {
        let line = "\"\(call) \(turn)\""
        // A window longer than the last rebuilds the index: its creation is covered, too.
        let window = "\(kills + 2)h"
        try scratch.write(line, to: "line")
        let inject = "-e trace=\(call) -e inject=\(call):signal=KILL:when=\(turn)"
        let enqueue = "pipe enqueue --raw --quiet --dedup"
        let run = try scratch.sh("exec strace -o /dev/null \(inject) \(enqueue) \(window) < line")
        if run.ending == .exited(0) { break }
        #expect(run.ending == .killed(9), run.story)
        kills += 1
        try scratch.sh("\(enqueue) 1h < line").expect("")
        try scratch.sh("\(enqueue) \(window) < line").expect("")
        try scratch.sh("pipe list | grep -cF '\(line)'").expect("1\n", "\(call) \(turn)")
      }
    }
    #expect(kills > 20)
  }

  @Test(
    "enqueue --dedup stores nothing and says why when its files cannot be written",
    .needsStrace,
    arguments: [("ENOSPC", 75, "No space left on device"), ("EIO", 74, "Input/output error")])
  func faults(error: String, status: Int32, reason: String) throws {
    try scratch.store("1")
    let inject = "-e trace=pwrite64 -e inject=pwrite64:error=\(error):when=1"
    let enqueue = "pipe enqueue --raw --dedup 1h"
    let run = try scratch.sh("strace -o /dev/null \(inject) \(enqueue)", input: "2\n")
    run.expect("", errors: nil, status: status)
    #expect(
      run.errors
        == "pipe enqueue: \(scratch.path)/queue/dedup/new: cannot write: \(reason); 1 line not stored\n"
    )
    try scratch.pipe("list").expect(nil)
    try scratch.sh("pipe list | wc -l; \(enqueue) <<< 2 | grep -c duplicate; pipe consume").expect(
      "1\n0\n1\n2\n")
  }

  @Test("enqueue --dedup reports which process holds the lock it waits for", .needs("python3"))
  func lock() throws {
    try scratch.pipe("enqueue", "--raw", "--quiet", "--dedup", "1h", input: "1\n").expect()
    let hold = """
      import fcntl,os,sys; fcntl.flock(os.open("queue/dedup", 0), 2); print(1, flush=True); input()
      """
    let holder = try scratch.start(["python3", "-c", hold])
    #expect(holder.line() == "1")
    let child = try scratch.start("enqueue", "--raw", "--dedup", "1h")
    child.feed("1\n")
    child.endInput()
    let complaint = child.errorLine() ?? ""
    let start = "pipe enqueue: waiting for the lock of \(scratch.path)/queue/dedup, held by process"
    #expect(complaint.hasPrefix("\(start) \(holder.process) "))
    try scratch.pipe("enqueue", "--raw", input: "1\n").expect(
      nil, "who has no window does not wait")
    holder.feed("\n")
    #expect(child.finish().expect(errors: nil).output.hasSuffix("\"duplicate\":true}\n"))
    holder.finish().expect()
  }
}
