import Glibc
import TestSupport
import Testing

@Suite("Jobs and their output")
struct JobTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
  }

  private func submit(_ line: String) throws -> String {
    let run = try scratch.sh("pipe submit \(line)")
    run.expect(nil)
    #expect(run.lines.first?.count == 26, run.story)
    return run.lines.first ?? ""
  }

  @Test("a job runs with its words, its directory and its variables, and its output is kept")
  func surroundings() throws {
    try scratch.sh("mkdir -p 'some dir'").expect("")
    let id = try scratch.sh(
      #"cd 'some dir' && A=1 B='x y' pipe submit --env B --env C=3 -- sh -c 'pwd; echo "$1" $A $B $C $PIPE_KEY' sh 'a  b'"#
    ).lines[0]
    let text = "\(scratch.path)/some dir\na  b x y 3 \(id)\n"
    try scratch.sh("cd / && pipe work").expect(text)
    let log = try scratch.pipe("log", id)
    log.expect(text, errors: nil)
    #expect(log.errors.contains("\(id), attempt 1: exit 0 after "), log.story)
  }

  @Test("a stored variable replaces one of its name that work has or sets")
  func storedVariable() throws {
    // Not the environment of tr, which has each name once.
    let script =
      "tr '\\0' '\\n' < /proc/$$/environ | grep -E '^(PIPE_QUEUE|PIPE_ATTEMPT|A)=' | sort"
    let line = #"A=1 pipe submit --env PIPE_QUEUE=mine --env A=2 --env A=3 -- sh -c "$SCRIPT""#
    try scratch.sh(line, ["SCRIPT": script]).expect(nil)
    try scratch.sh("A=4 pipe work").expect("A=3\nPIPE_ATTEMPT=1\nPIPE_QUEUE=mine\n")
  }

  @Test(
    "a job in a directory that may not be entered fails, and the reason names the directory",
    .needsAnotherUser)
  func closedDirectory() throws {
    let other = "setpriv --reuid 54321 --regid 54321 --clear-groups ../p"
    let line = """
      chmod 755 . ..; cp $(command -v pipe) p; mkdir -m 700 closed; mkdir -m 777 theirs
      cd theirs; \(other) init -q q --retries 0
      cd ../closed; ../p submit -q ../theirs/q -- ls
      cd ../theirs; \(other) work -q q
      """
    let work = try scratch.sh(line)
    let reason = "cannot start: directory \(scratch.path)/closed: Permission denied"
    #expect(work.errors.contains(reason), work.story)
  }

  @Test("words of any bytes reach the job unchanged")
  func bytes() throws {
    _ = try submit(#"-- printf '<%s>' 'a b' $'n\nl' "q\"'" $'\xff' ''"#)
    let run = try scratch.pipe("work")
    #expect(run.bytes == Array("<a b><n\nl><q\"'><".utf8) + [0xff] + Array("><>".utf8), run.story)
  }

  @Test("work follows the exit statuses of consume, but no job stops the others")
  func statuses() throws {
    let ids = try ["true", "exit 65", "exit 1", "exit 127"].map { try submit("-- sh -c '\($0)'") }
    let missing = try submit("-- no-such-command")
    try scratch.pipe("init", "--retries", "1").expect("")
    try scratch.pipe("work", "--until-done", "-j", "3").expect(nil, errors: nil, status: 1)
    for (id, attempts) in zip(ids.dropFirst() + [missing], [1, 2, 2, 2]) {
      try scratch.sh("pipe dead \(id) | jq '.history | length'").expect("\(attempts)\n")
    }
    try scratch.sh("pipe status \(ids[0]) | jq -r .status").expect("completed\n")
  }

  @Test("only submit makes jobs: nothing that ingest, enqueue or HTTP stores ever runs")
  func onlySubmitted() throws {
    let marker = scratch.path("hit")
    let job = #"{"argv":["touch","\#(marker)"],"cwd":"/","env":["PATH=/bin:/usr/bin"]}"#
    try scratch.store(job, #"{"job":true,"argv":["touch","\#(marker)"],"cwd":"/","env":[]}"#)
    try scratch.pipe("enqueue", "--text", "--quiet", input: "touch \(marker)\n").expect("")
    let entry =
      #"{"id":"01M7YFR55BHYP5BSPG0DPTADCJ","priority":"HIGH","time":"2026-11-21T05:00:00Z","#
      + #""job":true,"data":\#(job)}"#
    _ = try scratch.pipe("enqueue", input: entry + "\n")
    try scratch.pipe("work").expect("", errors: nil, status: 1)
    try scratch.sh("test ! -e hit; pipe dead | jq -r .reason | sort -u").expect(
      "not a command that pipe submit stored\n")
  }

  @Test("consume hands a job out as data, does not run it, and says so once")
  func asData() throws {
    _ = try submit("-- touch hit")
    try scratch.sh("pipe submit touch hit > ids").expect()
    try scratch.sh("pipe consume --size 1 | jq -c .argv; test ! -e hit").expect(
      "[\"touch\",\"hit\"]\n[\"touch\",\"hit\"]\n",
      errors: "pipe consume: \(scratch.path("queue")): submitted commands are handed out as data;"
        + " pipe work runs them\n")
  }

  @Test("a job may wait for a time, and has a priority")
  func schedule() throws {
    let late = try submit("--delay 1h -- echo late")
    _ = try submit("--priority low -- echo low")
    _ = try submit("--priority high -- echo high")
    try scratch.pipe("work").expect("high\nlow\n")
    try scratch.pipe("change", "--now", late).expect(nil)
    try scratch.pipe("work").expect("late\n")
  }

  @Test("the worker may be killed: the job runs again, and its output is there afterwards")
  func killed() throws {
    let begun = try Gate(scratch, "begun")
    let id = try submit("-- sh -c 'mkdir once && { echo $$ > begun; exec sleep 600; }; echo out'")
    let child = try scratch.start("work")
    let command = try begun.line()
    child.signal(SIGKILL)
    _ = child.finish()
    // The command, which still runs, holds its claim.
    try scratch.sh("kill -9 \(command); pipe work --until-done").expect("out\n", errors: nil)
    try scratch.pipe("log", "--stdout", id).expect("out\n")
  }

  @Test("consume --keep keeps both streams of each attempt, cut in the middle where they are long")
  func keep() throws {
    let id = try scratch.store("1")[0]
    try scratch.sh("pipe consume --keep=40KiB -- sh -c 'seq 100000; echo E >&2; exit 7'").expect(
      nil, errors: nil, status: 1)
    try scratch.sh("pipe consume --keep -- sh -c 'echo second'").expect("second\n")
    try scratch.pipe("log", "--stdout", id).expect("second\n")
    let first = try scratch.sh("pipe log --stdout --attempt 1 \(id)")
    #expect(first.output.hasPrefix("1\n2\n3\n") && first.output.hasSuffix("\n99999\n100000\n"))
    #expect(first.output.contains("bytes cut …\n") && first.bytes.count < 41_100)
    try scratch.sh(
      "pipe log --json \(id) | jq -c '[.attempt, .exit_status, .stderr, .stdout_bytes]'"
    )
    .expect("[1,7,\"E\\n\",588895]\n[2,0,\"\",7]\n")
  }

  @Test("--group writes each command's output in one piece, however long it is")
  func group() throws {
    try scratch.sh("seq 20 | pipe enqueue --raw --quiet").expect("")
    let run = try scratch.sh(
      "pipe consume --args --group -j 4 -- sh -c 'yes $1 | head -n 100000' sh {} | uniq -c | wc -l")
    run.expect("20\n")
  }

  @Test("grouped output is not given up, however long the reader takes nothing")
  func slowReader() throws {
    let id = try scratch.store("1")[0]
    try scratch.sh("mkfifo go").expect("")
    let line =
      "pipe consume --args --group -- sh -c 'yes | head -n 1000000' | { read _ < go; wc -l; }"
    let child = try scratch.start(line: "env PIPE_TEST_PATIENCE=1 " + line + " > lines")
    try scratch.sh("pipe status --wait \(id) > status; echo > go").expect("")
    child.finish().expect("")
    #expect(try scratch.sh("cat lines").output == "1000000\n")
  }

  @Test("without --keep nothing is kept, and log says so")
  func nothing() throws {
    let id = try scratch.store("1")[0]
    try scratch.pipe("consume").expect("1\n")
    try scratch.pipe("log", id).expect(
      "", errors: "pipe log: \(id): nothing is kept of it; consume --keep and work keep output\n",
      status: 1)
    try scratch.sh("test ! -e queue/output").expect("")
  }

  @Test("log says of a waiting job that it has not run, and of a failed one when output is kept")
  func early() throws {
    try scratch.pipe("init", "--retries", "1", "--backoff", "1h..1h").expect("")
    try scratch.store("1")
    let id = try scratch.sh("pipe list | jq -r .id").output.dropLast()
    let log = { try scratch.pipe("log", String(id)) }
    try log().expect(
      "", errors: "pipe log: \(id): it has not run yet; see pipe explain\n", status: 1)
    try scratch.sh("pipe consume -- false 2> errors").expect("", status: 1)
    try log().expect(
      "", errors: "pipe log: \(id): its output is kept when an attempt ends; see pipe explain\n",
      status: 1)
  }

  @Test("pruning an entry removes its output")
  func pruned() throws {
    try scratch.pipe("init", "--retain", "0s").expect("")
    _ = try submit("-- echo x")
    try scratch.pipe("work").expect("x\n")
    try scratch.sh(
      "find queue/output -type f | wc -l; pipe prune > /dev/null; find queue/output -type f | wc -l"
    )
    .expect("1\n0\n")
  }

  @Test("a damaged record of output costs only itself")
  func damaged() throws {
    let ids = try (1...3).map { try submit("-- echo \($0)") }
    try scratch.pipe("work").expect("1\n2\n3\n")
    try scratch.sh(
      "f=$(find queue/output -type f); printf X | dd of=$f bs=1 seek=12 conv=notrunc status=none"
    )
    .expect("")
    try scratch.pipe("log", "--stdout", ids[0]).expect("", errors: nil, status: 1)
    try scratch.pipe("log", "--stdout", ids[1], ids[2]).expect("2\n3\n")
  }

  @Test("an answer of ack or --stream may carry an output, which status shows")
  func values() throws {
    let id = try scratch.store(#"{"ids":[1,2]}"#)[0]
    try scratch.sh("pipe batch -n 1 | jq -c '.output=[.items[].data]' | pipe ack").expect("")
    try scratch.sh("pipe status --output \(id) | jq -c '.output[] | [.item, .value]'").expect(
      "[1,[1,2]]\n[2,[1,2]]\n")
    let other = try scratch.store("7")[0]
    try scratch.sh("pipe consume --stream -- jq -c --unbuffered '.output={sum: 3}'").expect("")
    try scratch.sh("pipe status --output \(other) | jq -c .output[0].value").expect("{\"sum\":3}\n")
  }
}
