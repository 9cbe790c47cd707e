import Foundation
import Testing

@Suite("what is no queue, or not ours")
struct WrongQueueTests {
  @Test(
    "is not there", arguments: [["consume"], ["list"], ["status", "01M7YFR55BHYP5BSPG0DPTADCJ"]])
  func missing(arguments: [String]) throws {
    let scratch = try Scratch()
    let why = "no such queue; pipe init or pipe enqueue creates one"
    try scratch.run([Scratch.binary] + arguments).expect(
      "", errors: "pipe \(arguments[0]): \(scratch.path)/queue: \(why)\n", status: 66)
  }

  @Test("is a file")
  func file() throws {
    let scratch = try Scratch()
    try scratch.write("", to: "queue")
    let name = "\(scratch.path)/queue"
    try scratch.pipe("consume").expect(
      "", errors: "pipe consume: \(name): is not a directory, so not a queue\n", status: 66)
    for command in ["enqueue", "init"] {
      try scratch.pipe(command).expect(
        "", errors: "pipe \(command): \(name): is a file, so cannot become a queue\n", status: 73)
    }
    try scratch.pipe("enqueue", "-q", "queue/below").expect(
      "", errors: "pipe enqueue: queue/below: a file is in the way\n", status: 73)
  }

  @Test("is a directory with something else in it, which stays as it was")
  func foreign() throws {
    let scratch = try Scratch()
    try scratch.sh("mkdir queue; echo mine > queue/letter").expect()
    let name = "\(scratch.path)/queue"
    for command in ["enqueue", "init"] {
      try scratch.pipe(command).expect(
        "", errors: "pipe \(command): \(name): is not empty (letter) and not a queue\n", status: 73)
    }
    try scratch.pipe("consume").expect(
      "", errors: "pipe consume: \(name): is a directory but not a queue\n", status: 66)
    #expect(try scratch.names(in: "queue") == ["letter"])
  }

  @Test("is an empty directory, or one whose creation was cut short: then it is completed")
  func incomplete() throws {
    let scratch = try Scratch()
    try scratch.sh("mkdir queue").expect()
    try scratch.store("1")
    try scratch.sh("mv queue/format queue/format.new; rm queue/format.copy queue/owners/*").expect()
    try scratch.pipe("list").expect("", errors: nil, status: 66)
    try scratch.store("2")
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test(
    "may not be looked into", .needsPermissions, arguments: ["enqueue", "consume", "list", "init"])
  func unreadable(command: String) throws {
    let scratch = try Scratch()
    try scratch.store("1")
    try scratch.sh("chmod 0 queue").expect()
    let run = try scratch.run(Unprivileged.prefix + [Scratch.binary, command])
    run.expect("", errors: nil, status: 77)
    let refusal =
      "pipe \(command): \(scratch.path)/queue: cannot open: Permission denied: it belongs to"
    #expect(run.errors.hasPrefix(refusal) && run.errors.contains("mode 00 (chmod u+rwx"), run.story)
  }

  @Test("has a newer format, or a damaged one")
  func newerFormat() throws {
    let scratch = try Scratch()
    try scratch.store("1")
    let name = "\(scratch.path)/queue/format"
    let newer = "pipe-queue 4\nslice 3\n"
    for file in ["queue/format", "queue/format.copy"] { try scratch.write(newer, to: file) }
    for command in ["enqueue", "consume", "list", "init"] {
      try scratch.pipe(command).expect(
        "",
        errors: "pipe \(command): \(name): format 4 is newer than this pipe, which knows up to 3\n",
        status: 78)
    }
    for text in ["", "pipe-queue x\n", "pipe-queue 1\nslice\n", "pipe-queue 1\nslice -1\n", "\n"] {
      for file in ["queue/format", "queue/format.copy"] { try scratch.write(text, to: file) }
      try scratch.pipe("consume").expect(
        "",
        errors: "pipe consume: \(name): is not the format file of a queue, or is damaged, and so is"
          + " format.copy; put back one of them from a backup\n",
        status: 78, "format \(text):")
    }
  }

  @Test("is nowhere: neither -q nor PIPE_QUEUE nor HOME says which")
  func nowhere() throws {
    let scratch = try Scratch()
    try scratch.sh("pipe consume", ["PIPE_QUEUE": "", "HOME": ""]).expect(
      "", errors: "pipe consume: which queue? Give -q DIR, or set PIPE_QUEUE or HOME\n", status: 78)
  }
}

@Suite("the queue is")
struct QueueChoiceTests {
  @Test("what -q says, else PIPE_QUEUE, else the user's own")
  func choice() throws {
    let scratch = try Scratch()
    let steps: [(String, [String: String], String)] = [
      ("-q one/", [:], "one"), ("--queue=two", ["PIPE_QUEUE": "x"], "two"),
      ("", ["PIPE_QUEUE": "three"], "three"),
      ("", ["PIPE_QUEUE": "", "XDG_STATE_HOME": scratch.path("state")], "state/pipe/queue"),
      ("", ["PIPE_QUEUE": "", "XDG_STATE_HOME": "relative"], ".local/state/pipe/queue"),
      ("", ["PIPE_QUEUE": ""], ".local/state/pipe/queue"),
    ]
    for (number, (option, variables, place)) in steps.enumerated() {
      try scratch.sh("pipe enqueue --raw --quiet \(option)", input: "\(number)\n", variables)
        .expect("")
      #expect(scratch.mode(place + "/format") == 0o600, "\(option) \(variables)")
      try scratch.sh("pipe list \(option) | wc -l", variables).expect(number == 5 ? "2\n" : "1\n")
    }
  }

  @Test("for nobody else: directories 0700, files 0600, whatever the umask")
  func permissions() throws {
    let scratch = try Scratch()
    try scratch.sh(
      """
      umask 000
      echo '{"ids":[1,2,3]}' | pipe enqueue --raw --quiet -q a/b/queue
      echo '{"id":"01M7YFR55BHYP5BSPG0DPTADCJ","data":1}' | pipe enqueue --quiet -q a/b/queue
      pipe consume -q a/b/queue -n 1 > out
      pipe consume -q a/b/queue -- false 2> /dev/null
      pipe init -q a/b/queue --slice 5
      echo x | pipe ingest -q a/b/queue --reject bad 2> /dev/null
      find a bad -type d ! -perm 0700
      find a bad -type f ! -perm 0600
      find a -type f | wc -l | grep -c ...*
      """
    ).expect("1\n")
  }
}
