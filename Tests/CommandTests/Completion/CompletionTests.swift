import Foundation
import TestSupport
import Testing

@Suite("completion")
struct CompletionTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  private func expect(
    _ rows: [(line: String, words: [String])], _ shell: CompletingShell,
    at location: SourceLocation = #_sourceLocation
  ) throws {
    let found = try shell.completions(of: rows.map(\.line), scratch)
    for (row, words) in zip(rows, found) {
      #expect(words == row.words, "\(shell.rawValue): \(row.line)", sourceLocation: location)
    }
  }

  @Test(
    "commands, options and their values are completed",
    .needsShells, arguments: CompletingShell.allCases)
  func words(shell: CompletingShell) throws {
    try scratch.write("", to: "file.jsonl")
    try expect(
      [
        ("pipe con", ["consume"]),
        ("pipe sta", ["status", "stats"]),
        ("pipe --v", ["--version"]),
        ("pipe help expl", ["explain"]),
        ("pipe nonsense --q", []),
        ("pipe consume --un", ["--until-done"]),
        ("pipe consume --until-done --un", []),
        ("pipe route --to here --t", ["--to"]),
        ("pipe consume --priority ", ["HIGH", "MEDIUM", "LOW"]),
        ("pipe consume --priority HIGH,M", ["HIGH,MEDIUM"]),
        ("pipe change --priority L", ["LOW"]),
        ("pipe cancel --priority=HI", ["--priority=HIGH"]),
        ("pipe list --state d", ["dead", "done"]),
        ("pipe list --state=cl", ["--state=claimed"]),
        ("pipe purge --state ", ["ready", "later"]),
        ("pipe stats --of s", ["service"]),
        ("pipe stats --by ", ["tag"]),
        ("pipe serve --require kind:st", ["kind:string"]),
        ("pipe submit --env PIPE_Q", ["PIPE_QUEUE"]),
        ("pipe init --share roo", ["root"]),
        ("pipe ingest --reject fi", ["file.jsonl"]),
        ("pipe ingest fi", ["file.jsonl"]),
        ("pipe stats --svg=fi", ["--svg=file.jsonl"]),
        ("pipe consume --every ", ["500ms", "5s", "10m", "2h", "7d"]),
        ("pipe consume --keep=6", ["--keep=64KiB"]),
        ("pipe init --backoff ", ["1s..5m"]),
        // No value is known, and an option is not one.
        ("pipe submit --at ", []),
        ("pipe consume --every 5s --envel", ["--envelope"]),
      ], shell)
  }

  @Test(
    "where an option wants a queue, directories are completed, queues first",
    .needsShells, arguments: CompletingShell.allCases)
  func queues(shell: CompletingShell) throws {
    try scratch.sh("mkdir -p place/aaa place/zzz; touch place/file").expect()
    for name in ["jobs", "mail box"] { try scratch.prepare("init", "-q", "place/" + name) }
    let all = ["jobs", "mail box", "aaa", "zzz"]
    try expect(
      [
        ("pipe list -q place/", all.map { "place/" + $0 }),
        ("pipe list -q ~/place/", all.map { "~/place/" + $0 }),
        ("pipe list -q place/m", ["place/mail box"]),
        ("pipe list --queue place/z", ["place/zzz"]),
        ("pipe list --queue=place/j", ["--queue=place/jobs"]),
        ("pipe route --to place/j", ["place/jobs"]),
        ("pipe route --on kind mail=place/j", ["mail=place/jobs"]),
        ("pipe list -q plac", ["place"]),
      ], shell)
  }

  @Test(
    "after -- the command is completed, and then its arguments",
    .needsShells, arguments: CompletingShell.allCases)
  func commands(shell: CompletingShell) throws {
    try scratch.sh("mkdir -p place/deep; touch file.jsonl 'two words'").expect()
    var rows = [
      ("pipe consume -- mkfif", ["mkfifo"]),
      ("pipe consume -j 2 --args -- mkfif", ["mkfifo"]),
      ("pipe consume -- cat fi", ["file.jsonl"]),
      ("pipe consume --tag=a -- cat file.jsonl tw", ["two words"]),
      ("pipe consume -- cat -- place/de", ["place/deep"]),
      ("pipe submit mkfif", ["mkfifo"]),
      ("pipe submit -- mkfif", ["mkfifo"]),
      ("pipe submit --priority LOW cat fi", ["file.jsonl"]),
      ("pipe submit --env PIPE_Q", ["PIPE_QUEUE"]),
      ("pipe work -- mkfif", []),
    ]
    if shell != .plainBash {
      // By the completion of that command.
      rows.append(("pipe consume -- pipe list --state cl", ["claimed"]))
      rows.append(("pipe submit pipe expl", ["explain"]))
    }
    try expect(rows, shell)
  }

  @Test(
    "ids are completed, the newest first, from the queue that the line names",
    .needsShells, arguments: CompletingShell.allCases)
  func ids(shell: CompletingShell) throws {
    try scratch.retriesAtOnce()
    try scratch.prepare("init", "--retries", "0")
    let dead = try scratch.store("1", #"{"a":1,"priority":"HIGH"}"#)
    try scratch.sh("pipe consume -- false").expect(errors: nil, status: 1)
    let done = try scratch.store("3")
    try scratch.sh("pipe consume --keep -- true").expect()
    let ready = try scratch.store("4", #"{"a":5,"priority":"LOW"}"#, #"{"ids":[6,7]}"#)
    let later = try scratch.sh("echo 8 | pipe enqueue --raw --delay 1h").expect().receipts
    let other = try scratch.sh("echo 9 | pipe enqueue --raw -q 'mail box'").expect(errors: nil)
      .receipts
    let newest = { (ids: [String]) in ids.sorted(by: >) }
    let all = newest(dead + done + ready + later)
    let waiting = newest(ready + later)
    try expect(
      [
        ("pipe status ", all),
        ("pipe explain ", all),
        ("pipe log ", newest(dead + done)),
        ("pipe cancel ", waiting),
        ("pipe change --priority LOW ", waiting),
        ("pipe retry ", newest(dead)),
        ("pipe drop ", newest(dead)),
        ("pipe dead ", newest(dead)),
        ("pipe status \(all[0]) ", Array(all.dropFirst())),
        ("pipe status \(done[0].dropLast())", done),
        ("pipe status -q mail\\ box ", other),
        (#"pipe status --wait -q "mail box" "#, other),
        ("pipe status -q $HOME/mail\\ box ", other),
        ("pipe status -q ~/mail\\ box ", other),
        ("pipe status -q nowhere ", []),
      ], shell)
    #expect(try !scratch.names(in: ".").contains("nowhere"))
  }

  @Test(
    "tags are completed from what consumers settled",
    .needsShells, arguments: CompletingShell.allCases)
  func tags(shell: CompletingShell) throws {
    for tag in ["mail", "web:new"] {
      try scratch.store("1", "2")
      try scratch.pipe("consume", "--tag", tag, "--", "true").expect()
    }
    try expect(
      [
        ("pipe consume --tag ", ["web:new", "mail"]),
        ("pipe consume --tag web:", ["web:new"]),
        ("pipe stats --compare mail ", ["web:new", "mail"]),
      ], shell)
  }

  @Test("shellcheck finds nothing in the script for bash", .needs("shellcheck"))
  func lint() throws {
    try scratch.sh("shellcheck \(Repository.path)/completions/pipe.bash").expect("")
  }
}
