import Foundation
import Glibc
import TestSupport
import Testing

@Suite("enqueue")
struct EnqueueTests {
  @Test("enqueue prints a receipt for each line, in input order, whatever the priorities")
  func receipts() throws {
    let scratch = try Scratch()
    let words = ["LOW", "HIGH", "MEDIUM", "HIGH", "LOW"]
    let input = words.enumerated().map { #"{"n":\#($0),"priority":"\#($1)"}"# }
    let run = try scratch.pipe("enqueue", "--raw", input: input.joined(separator: "\n"))
    run.expect(run.receipts.map { #"{"ingestion_id":"\#($0)"}"# + "\n" }.joined())
    let stored = try scratch.pipe("list").objects()
      .map { [$0["id"] as? String, ($0["data"] as? [String: Any])?["n"].map { "\($0)" }] }
    let expected = [1, 3, 2, 0, 4].map { [run.receipts[$0], "\($0)"] }
    #expect(stored == expected, run.story)
  }

  @Test("enqueue stores a line typed by hand while its input stays open")
  func typed() throws {
    let scratch = try Scratch()
    let child = try scratch.start("enqueue", "--raw")
    child.feed("\"typed\"\n")
    #expect(child.line()?.hasPrefix(#"{"ingestion_id":""#) == true)
    try scratch.pipe("consume").expect("\"typed\"\n")
    child.feed("\"again\"\n")
    #expect(child.line() != nil)
    child.finish().expect()
  }

  @Test("enqueue stores lines of a mebibyte, and longer ones up to --max-record-bytes")
  func longest() throws {
    let scratch = try Scratch()
    let line = "\"" + String(repeating: "x", count: (1 << 20) - 2) + "\""
    try scratch.store(line)
    try scratch.sh("pipe ingest | pipe enqueue --quiet", input: line).expect("")
    try scratch.pipe("consume").expect("\(line)\n\(line)\n")
    let more = "\"" + line.dropFirst() + " "
    try scratch.pipe(
      "enqueue", "--raw", "--quiet", "--max-record-bytes", "2MiB", input: "[\(line)]"
    )
    .expect("")
    try scratch.pipe("enqueue", "--raw", "--quiet", input: "[\(more)]")
      .expect("", errors: nil, status: 65)
    try scratch.pipe("consume").expect("[\(line)]\n")
  }

  @Test("enqueue --quiet prints no receipts")
  func quiet() throws {
    let scratch = try Scratch()
    try scratch.pipe("enqueue", "--raw", "--quiet", input: "1\n").expect("")
    try scratch.sh("pipe ingest | pipe enqueue --quiet", input: "2\n").expect("")
    try scratch.pipe("consume").expect("1\n2\n")
  }

  @Test("enqueue creates the queue even for empty input")
  func emptyInput() throws {
    let scratch = try Scratch()
    try scratch.pipe("enqueue").expect("")
    try scratch.pipe("list").expect("")
    try scratch.pipe("consume").expect("")
  }

  @Test("data is stored and delivered byte for byte, whichever path it takes")
  func bytesAreSacred() throws {
    let scratch = try Scratch()
    let lines = [
      #"{ "z":1.0,  "a" : 1.00 , "z2":[ ] }"#, "1.0", "1.00", "100000000000000000000001", "1e-7",
      #""\u00e9\/\ud83d\ude00""#, "\"\u{e9}\u{1f600}\u{200d}\"", #"{"b":1,"a":2,"b":3}"#, "-0.0",
      #"{"id":"01M7YFR55BHYP5BSPG0DPTADCJ","data":"no entry line"}"#, "\"\u{7f}\"", #""\\n""#,
    ]
    let input = lines.map { " \($0)\t\r\n" }.joined()
    let expected = lines.map { $0 + "\n" }.joined()
    try scratch.pipe("enqueue", "--raw", "--quiet", input: input).expect("")
    try scratch.sh("pipe list --state ready | pipe enqueue -q other --quiet").expect("")
    try scratch.pipe("consume").expect(expected)
    try scratch.sh("pipe consume -q other -- cat").expect(expected)
    try scratch.sh("pipe ingest | pipe enqueue --quiet", input: input).expect("")
    try scratch.sh("pipe consume --size 100 > file; cat file").expect(expected)
  }

  @Test("ids are kept byte for byte, except for the white space between them")
  func ids() throws {
    let scratch = try Scratch()
    try scratch.store(#"{"ids": [ 10000000000000000007 ,9007199254740993,1 ]}"#)
    try scratch.sh("pipe list | cut -d , -f 5-").expect(
      "\"ids\":[10000000000000000007,9007199254740993,1]}\n")
    try scratch.pipe("consume").expect("10000000000000000007\n9007199254740993\n1\n")
  }

  @Test("enqueue reports a new queue on a terminal, once, unless it is quiet", .needs("python3"))
  func announced() throws {
    let scratch = try Scratch()
    let commands =
      "for option in '' '' '-q other --quiet'; do pipe enqueue $option < /dev/null; done"
    let run = try Terminal.run(scratch, ["sh", "-c", commands], typing: [])
    #expect(
      run.output == "pipe enqueue: created the queue \(scratch.path)/queue\nstatus 0\n", run.story)
  }

  @Test("enqueue dies of SIGPIPE when the reader of its receipts is gone, after storing the entry")
  func readerGone() throws {
    let scratch = try Scratch()
    let child = try scratch.start("enqueue", "--raw")
    child.closeOutput()
    child.feed("1\n")
    child.finish().expect("", ending: .killed(SIGPIPE))
    try scratch.pipe("consume").expect("1\n")
  }

  @Test("enqueue reports that it cannot write receipts, and has stored the entry")
  func noStdout() throws {
    let scratch = try Scratch()
    try scratch.sh("pipe enqueue --raw >&-", input: "1\n").expect(
      errors: "pipe enqueue: stdout: cannot write: Bad file descriptor\n", status: 74)
    try scratch.sh("pipe enqueue --raw > /dev/full", input: "2\n").expect(
      errors: "pipe enqueue: stdout: cannot write: No space left on device\n", status: 75)
    try scratch.sh("pipe enqueue --raw --quiet >&- 2>&-", input: "3\n").expect()
    try scratch.pipe("consume").expect("1\n2\n3\n")
  }

  @Test("enqueue reports a closed stdin as an error")
  func noStdin() throws {
    let scratch = try Scratch()
    try scratch.prepare("init")
    try scratch.sh("pipe enqueue --raw <&-").expect(
      "", errors: "pipe enqueue: stdin: cannot read: Bad file descriptor\n", status: 74)
  }
}
