import Foundation
import TestSupport
import Testing

/// Turns a queue into one of an earlier format, as the program of that time left it.
func makeOlder(_ scratch: Scratch, version: Int) throws {
  let sed = "s/^\\(.*-[0-9]*\\.[0-9]*\\.[0-9]*\\)\\.[0-9a-f]\\{8\\}/\\1/"
  let old = """
    cd queue && rm -r register format.copy &&
    for name in now/*-* later/*/*/* dead/*/*/*; do
      test -e "$name" && mv "$name" "$(dirname "$name")/$(basename "$name" | sed '\(sed)')"
    done
    for name in end/*; do mv "$name" "${name%.*.*}"; done
    for name in now/later.*; do test -e "$name" && mv "$name" "${name%.*}"; done
    sed -i -e '1s/.*/pipe-queue \(version)/' -e '/^sum/d' format
    test \(version) -gt 1 || { rm -r later dead; rm pace
      for name in now/*.again.* now/*.hold.*; do test -e "$name" && mv "$name" "${name%.*}"; done
      sed -i -e '/^retries/d' -e '/^backoff/d' format; }
    true
    """
  try scratch.sh(old).expect("")
}

@Suite("Queues of format 1")
struct UpgradeTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
    try scratch.store("1", "2", "3")
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    try scratch.sh("pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    try makeOlder(scratch, version: 1)
  }

  private var format: String? {
    (try? scratch.read("queue/format")).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(
    "a queue of format 1 is read and upgraded", arguments: ["list", "status", "dead", "consume"])
  func upgraded(command: String) throws {
    let id = try #require(try scratch.sh("pipe list").expect().objects().first?["id"] as? String)
    if command == "status" {
      try scratch.pipe("status", id).expect()
    } else {
      try scratch.pipe(command, "-q", "queue").expect()
    }
    #expect(format?.hasPrefix("pipe-queue 3\nslice 3\n") == true)
    if command != "consume" { try scratch.pipe("consume").expect("2\n3\n") }
  }

  @Test("a queue of format 1 is fully upgraded even if init changes its settings first")
  func changed() throws {
    try scratch.pipe("init", "--slice", "5", "--backoff", "0ms..0ms").expect("")
    #expect(format?.hasPrefix("pipe-queue 3\nslice 5\n") == true)
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try scratch.sh("pipe retry --all | wc -l").expect("1\n")
    try scratch.pipe("consume").expect("2\n3\n")
  }

  @Test("a user who may not write a queue of format 1 can still list it", .needsPermissions)
  func readOnly() throws {
    try scratch.sh("chmod -R a-w queue").expect()
    try scratch.run(Unprivileged.prefix + [Binary.path, "list"]).expect()
    #expect(format?.hasPrefix("pipe-queue 1\n") == true)
    try scratch.sh("chmod -R u+w queue").expect()
  }
}

@Suite("Queues of format 2")
struct UpgradeOfFormat2Tests {
  @Test("a queue of format 2 keeps each of its items in its state")
  func states() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1h..1h")
    try scratch.store("1", "2", "3", "4", "5", "6")
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try scratch.sh("pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    try scratch.pipe("batch", "-n", "1", "--size", "1", "--hold", "1h").expect()
    try scratch.sh("echo 7 | pipe enqueue --raw --quiet --delay 1h; pipe consume -n 1").expect(
      "5\n")
    let states = "pipe list --state ready --state claimed --state later --state dead --state done"
    let before = try scratch.sh(states).expect().output
    try makeOlder(scratch, version: 2)
    #expect(try !scratch.names(in: "queue").contains("register"))
    try scratch.sh(states).expect(before)
    #expect(try scratch.names(in: "queue").contains("register"))
    try scratch.sh(states).expect(before)
    try scratch.pipe("consume").expect("6\n")
    try scratch.pipe("retry", "--all").expect()
    try scratch.pipe("consume").expect("2\n")
  }

  @Test("the next process completes an upgrade that was killed at any call", .needsStrace)
  func killed() throws {
    let scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1h..1h")
    try scratch.store("1", "2", "3", "4")
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try scratch.sh("pipe consume -n 1 -- false").expect(errors: nil, status: 1)
    let states = "pipe list --state ready --state later --state dead --state done"
    let before = try scratch.sh(states).expect().output
    try makeOlder(scratch, version: 2)
    try scratch.sh("mv queue old").expect()
    var visited = 0
    for call in ["renameat2", "fsync", "openat", "mkdirat", "unlinkat", "pwrite64", "fdatasync"] {
      for number in 1... {
        try scratch.sh("rm -rf queue; cp -a old queue").expect()
        let inject = "-e trace=\(call) -e inject=\(call):signal=KILL:when=\(number)"
        let run = try scratch.sh("strace -f -o /dev/null \(inject) pipe list > /dev/null")
        if run.ending == .exited(0) { break }
        visited += 1
        #expect([.exited(137), .killed(9)].contains(run.ending), run.story)
        try scratch.sh(states).expect(before, "killed at \(call) \(number)")
        try scratch.pipe("consume").expect("4\n", "killed at \(call) \(number)")
      }
    }
    #expect(visited > 40)
  }
}
