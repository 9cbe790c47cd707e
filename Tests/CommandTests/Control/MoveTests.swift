import Glibc
import TestSupport
import Testing

@Suite("A change of priority")
struct MoveTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test("an entry with another priority keeps its id, and is found in any lane")
  func priorities() throws {
    let ids = try scratch.store(
      #"{"ids":[1,2],"priority":"LOW"}"#, "3", #"{"h":1,"priority":"HIGH"}"#)
    try scratch.pipe("change", "--priority", "high", ids[0]).expect(
      "{\"changed\":2,\"entries\":1}\n")
    try scratch.pipe("change", "--priority", "low", ids[2]).expect(
      "{\"changed\":1,\"entries\":1}\n")
    for id in ids {
      try scratch.sh("pipe status \(id) | jq -r .status").expect("yet_to_start\n")
    }
    try scratch.sh("pipe consume | jq -c .").expect("1\n2\n3\n{\"h\":1,\"priority\":\"HIGH\"}\n")
    for id in ids { try scratch.sh("pipe status \(id) | jq -r .status").expect("completed\n") }
    try scratch.pipe("dead").expect("")
  }

  @Test("an entry that is moved back to its first priority is found there")
  func thereAndBack() throws {
    let id = try scratch.store("1")[0]
    for priority in ["high", "medium", "low"] {
      try scratch.pipe("change", "--priority", priority, id).expect(
        "{\"changed\":1,\"entries\":1}\n")
      try scratch.sh("pipe status \(id) | jq -r .status").expect("yet_to_start\n")
    }
    try scratch.pipe("cancel", id).expect("{\"cancelled\":1,\"entries\":1}\n")
    try scratch.pipe("consume").expect("")
    try scratch.sh("pipe dead | wc -l").expect("1\n")
  }

  @Test("many entries change their priority together, in the order given, each once")
  func manyPriorities() throws {
    let ids = try scratch.store("1", "2", "3", #"{"ids":[4,5]}"#, "6")
    let moved = [ids[3], ids[1], ids[3], ids[0], ids[1]]
    try scratch.sh("pipe change --priority high \(moved.joined(separator: " "))").expect(
      "{\"changed\":4,\"entries\":3}\n")
    try scratch.pipe("dead").expect("")
    try scratch.pipe("fsck").expect(nil)
    try scratch.pipe("consume").expect("4\n5\n2\n1\n3\n6\n")
  }

  @Test("a full queue can change priorities, and a retry of all dead letters doubles nothing")
  func fullQueue() throws {
    let ids = try scratch.sh("seq 100 | pipe enqueue --raw").receipts
    try scratch.pipe("init", "--max-items", "100").expect("")
    try scratch.sh(
      """
      while test ! -e done; do pipe retry --all > retried 2>&1; done &
      pipe change --priority high \(ids.joined(separator: " ")) > changed
      touch done; wait
      """
    ).expect("", errors: nil)
    try scratch.sh("pipe consume | sort -n").expect((1...100).map { "\($0)\n" }.joined())
    try scratch.pipe("dead").expect("")
    try scratch.pipe("fsck").expect(nil)
  }

  @Test("a move that died after its commit leaves no letters once it is repeated", .needsStrace)
  func phantoms() throws {
    for call in 1...9 {
      let scratch = try Scratch()
      let ids = try scratch.store("1", "2").joined(separator: " ")
      let inject = "inject=renameat2:signal=KILL:when=\(call)"
      let line = "pipe change --priority high \(ids)"
      let strace = "strace -o /dev/null -e trace=renameat2 -e"
      _ = try scratch.sh("\(strace) \(inject) \(line) > killed 2>&1")
      try scratch.sh(line).expect()
      try scratch.pipe("dead").expect("")
      try scratch.pipe("consume").expect("1\n2\n")
      try scratch.pipe("dead").expect("")
    }
  }

  @Test(
    "a retry waits for a writer before it decides whether an entry was stored again", .needsStrace)
  func unpublished() throws {
    for call in 1...9 {
      let scratch = try Scratch()
      let id = try scratch.store("1")[0]
      let inject = "inject=renameat2:signal=KILL:when=\(call)"
      _ = try scratch.sh(
        "strace -o /dev/null -e trace=renameat2 -e \(inject) pipe change --priority high \(id) 2>&1"
      )
      let writer = DirectoryLock(scratch, "queue/end")
      let retry = try scratch.start("retry", "--all")
      try retry.waitUntilLockedOrEnded()
      writer.release()
      retry.finish().expect(nil, errors: nil)
      try scratch.pipe("consume").expect("1\n")
      try scratch.pipe("consume").expect("")
    }
  }

  @Test("a copy is stored after the letters of a process that died are on disk", .needsStrace)
  func lettersOfAnother() throws {
    let id = try scratch.store("1")[0]
    // It has read the entry when it stops: the first early letter of a queue changes the settings.
    let second = try scratch.startStopped(
      at: "renameat2", time: 2, tracing: ["fsync", "pwrite64"], "change", "--priority", "high", id)
    let directory = scratch.path("queue/dead/MEDIUM/0")
    let kill = "-e trace=fsync -e inject=fsync:signal=KILL:when=1"
    let first = try scratch.sh(
      "strace -o /dev/null -P \(directory) \(kill) pipe change --priority high \(id)")
    #expect(first.ending != .exited(0), "\(first)")
    second.signal(SIGCONT)
    second.finish().expect("{\"changed\":1,\"entries\":1}\n")
    let lines = try scratch.sh("cat calls").lines
    let store = lines.firstIndex { $0.hasPrefix("pwrite64(") && $0.contains("/segments/HIGH/") }
    for path in ["<\(directory)>", "<\(directory)/0."] {
      let flush = lines.firstIndex { $0.hasPrefix("fsync(") && $0.contains(path) }
      #expect(try #require(flush, "\(path)") < #require(store))
    }
    try scratch.pipe("consume").expect("1\n")
  }
}
