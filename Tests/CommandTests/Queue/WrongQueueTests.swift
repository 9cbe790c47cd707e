import Foundation
import TestSupport
import Testing

@Suite("Wrong queues")
struct WrongQueueTests {
  @Test(
    "a missing queue is reported with 66",
    arguments: [["consume"], ["list"], ["status", "01M7YFR55BHYP5BSPG0DPTADCJ"]])
  func missing(arguments: [String]) throws {
    let scratch = try Scratch()
    let why = "no such queue; pipe init or pipe enqueue creates one"
    try scratch.run([Binary.path] + arguments).expect(
      "", errors: "pipe \(arguments[0]): \(scratch.path)/queue: \(why)\n", status: 66)
  }

  @Test("a file in place of the queue is reported")
  func file() throws {
    let scratch = try Scratch()
    try scratch.write("", to: "queue")
    let name = "\(scratch.path)/queue"
    try scratch.pipe("consume").expect(
      "", errors: "pipe consume: \(name): is not a directory, so it is not a queue\n", status: 66)
    for command in ["enqueue", "init"] {
      try scratch.pipe(command).expect(
        "", errors: "pipe \(command): \(name): is not a directory, so it cannot become a queue\n",
        status: 73)
    }
    try scratch.pipe("enqueue", "-q", "queue/below").expect(
      "", errors: "pipe enqueue: queue/below: a file is in the way\n", status: 73)
  }

  @Test("a directory with other content is not taken for a queue and stays as it was")
  func foreign() throws {
    let scratch = try Scratch()
    try scratch.sh("mkdir queue; echo mine > queue/letter").expect()
    let name = "\(scratch.path)/queue"
    for command in ["enqueue", "init"] {
      try scratch.pipe(command).expect(
        "",
        errors: "pipe \(command): \(name): is not a queue and not empty (it holds letter);"
          + " name a new or an empty directory\n", status: 73)
    }
    try scratch.pipe("consume").expect(
      "",
      errors: "pipe consume: \(name): is a directory but not a queue;"
        + " pipe init makes a queue of an empty one\n", status: 66)
    #expect(try scratch.names(in: "queue") == ["letter"])
  }

  @Test("an empty directory, or a queue whose creation was cut short, is completed")
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
    "a queue that may not be opened is reported with 77 and the remedy",
    .needsPermissions, arguments: ["enqueue", "consume", "list", "init"])
  func unreadable(command: String) throws {
    let scratch = try Scratch()
    try scratch.store("1")
    try scratch.sh("chmod 0 queue").expect()
    let run = try scratch.run(Unprivileged.prefix + [Binary.path, command])
    run.expect("", errors: nil, status: 77)
    let refusal =
      "pipe \(command): \(scratch.path)/queue: cannot open: Permission denied: it belongs to"
    #expect(run.errors.hasPrefix(refusal) && run.errors.contains("mode 00 (chmod u+rwx"), run.story)
  }

  @Test("a newer or damaged format is reported with 78")
  func newerFormat() throws {
    let scratch = try Scratch()
    try scratch.store("1")
    let name = "\(scratch.path)/queue/format"
    let newer = "pipe-queue 6\nslice 3\n"
    for file in ["queue/format", "queue/format.copy"] { try scratch.write(newer, to: file) }
    for command in ["enqueue", "consume", "list", "init"] {
      try scratch.pipe(command).expect(
        "",
        errors: "pipe \(command): \(name): format 6 is newer than this pipe supports (up to 5);"
          + " upgrade pipe\n",
        status: 78)
    }
    for text in ["", "pipe-queue x\n", "pipe-queue 1\nslice\n", "pipe-queue 1\nslice -1\n", "\n"] {
      for file in ["queue/format", "queue/format.copy"] { try scratch.write(text, to: file) }
      try scratch.pipe("consume").expect(
        "",
        errors: "pipe consume: \(name): is damaged or not the format file of a queue, and so is"
          + " format.copy; restore one of them from a backup, or run pipe fsck --repair\n",
        status: 78, "format \(text):")
    }
  }

  @Test("a command without -q, PIPE_QUEUE and HOME asks which queue it should use")
  func nowhere() throws {
    let scratch = try Scratch()
    try scratch.sh("pipe consume", ["PIPE_QUEUE": "", "HOME": ""]).expect(
      "", errors: "pipe consume: no queue named: give -q DIR, or set PIPE_QUEUE or HOME\n",
      status: 78)
  }
}

@Suite("Choice of the queue")
struct QueueChoiceTests {
  @Test("the queue is that of -q, else of PIPE_QUEUE, else the user's own")
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

  @Test("a new queue is private: directories 0700, files 0600, whatever the umask")
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
