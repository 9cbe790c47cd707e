import Foundation
import TestSupport
import Testing

@Suite("completion: what it does to a queue")
struct CompletionWorkTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  /// What a shell asks after `pipe VERB `.
  private func ask(_ words: String...) throws -> Run {
    try scratch.run([Binary.path, "---complete", "zsh", "\(words.count)", "pipe"] + words)
  }

  private func ids(_ verb: String) throws -> [String] {
    try ask(verb, "").expect().lines.dropFirst().map { String($0.prefix(26)) }
  }

  private func files() throws -> String {
    try scratch.sh("find . -printf '%p %i %s %T@ %C@ %m\\n' | sort").expect().output
  }

  @Test("nothing is changed, and a missing queue is not created")
  func changesNothing() throws {
    try scratch.store("1", "2", "3")
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    // Parts that other commands would create, repair or put aside.
    try scratch.sh("rm -rf queue/quarantine queue/reserve queue/now/spare.*; echo > queue/format")
      .expect()
    let before = try files()
    for verb in ["status", "cancel", "retry", "log"] {
      for queue in ["queue", "nowhere", ".", "/", "queue/format"] {
        _ = try ask(verb, "-q", queue, "").expect()
      }
    }
    _ = try ask("consume", "--tag", "").expect()
    #expect(try files() == before)
    #expect(try ids("status").count == 3)
  }

  @Test("a damaged line is left out, a damaged queue has no completions, and nothing is said")
  func damaged() throws {
    let id = try scratch.store("1", "2", "3")
    try scratch.sh("printf XX | dd of=queue/segments/MEDIUM/000/000001 conv=notrunc bs=1 seek=70")
      .expect(errors: nil)
    #expect(try ids("status") == [id[2], id[1]])
    try scratch.sh("mv queue/now queue/then").expect()
    #expect(try ids("status") == [])
    try scratch.sh("mv queue/then queue/now; echo x > queue/format; echo x > queue/format.copy")
      .expect()
    #expect(try ids("status") == [])
  }

  @Test("locks are not waited for")
  func locks() throws {
    let id = try scratch.store("1")
    let locks = ["queue", "queue/now", "queue/end"].map { DirectoryLock(scratch, $0) }
    for verb in ["status", "cancel"] { #expect(try ids(verb) == id) }
    #expect(try ids("retry") == [] && locks.count == 3)
  }

  @Test("at most 100 ids are offered; a typed beginning finds older ones")
  func most() throws {
    try scratch.store(count: 300)
    let all = try scratch.sh("pipe list | cut -d '\"' -f 4").expect().lines
    #expect(try ids("status") == Array(all.reversed().prefix(100)))
    let found = try ask("status", all[0]).expect().lines
    #expect(found.count == 2 && found[1].hasPrefix(all[0]), "\(found)")
  }

  @Test("what a terminal would obey is not shown")
  func terminal() throws {
    try scratch.pipe("enqueue", "--text", input: "a\u{1b}[31m\tb\n").expect(errors: nil)
    let lines = try ask("status", "").expect().lines
    #expect(lines.count == 2 && lines[1].split(separator: "\t").count == 2, "\(lines)")
    #expect(!lines[1].contains("\u{1b}"))
  }

  @Test(
    "the work does not grow with the queue", .needsStrace, arguments: ["status", "cancel", "log"])
  func flat(verb: String) throws {
    let work = { (queue: String, count: Int) in
      let lines = (0..<count).map {
        #"{"number":\#($0),"text":"some text of a usual length"}"# + "\n"
      }
      try self.scratch.prepare("enqueue", "--raw", "--quiet", "-q", queue, input: lines.joined())
      try self.scratch.prepare("consume", "-q", queue, "-n", "1", "--size", "\(count / 2)")
      let calls = "%file,getdents64,pread64,fstat,flock,fsync,fdatasync,ftruncate,pwrite64"
      let tracing = "strace -f -qq -e trace=\(calls) -o trace"
      let line = "\(tracing) pipe ---complete zsh 4 pipe \(verb) -q \(queue) '' | wc -l"
      try self.scratch.sh(line).expect("101\n")
      return try self.scratch.lines(of: "trace")
    }
    let (few, many) = (try work("few", 1_000), try work("many", 20_000))
    let read = { (lines: [String]) in
      lines.filter { $0.contains(" pread64(") }.compactMap { Int($0.split(separator: " ").last!) }
        .reduce(0, +)
    }
    #expect(many.count <= few.count + 4, "\(few.count) and \(many.count) system calls")
    #expect(read(many) <= read(few) + 4096 && read(many) < 256 << 10, "\(read(many)) bytes")
    let changes = many.filter {
      $0.contains(#/ (flock|rename\w*|unlink\w*|mkdir\w*|fsync|fdatasync|ftruncate|pwrite64)\(/#)
        || $0.contains("O_CREAT") || $0.contains("O_RDWR")
    }
    #expect(changes == [])
  }
}
