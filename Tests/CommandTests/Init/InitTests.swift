import Foundation
import TestSupport
import Testing

@Suite("init")
struct InitTests {
  @Test("init writes settings as text, changes the given ones and keeps the others")
  func settings() throws {
    let scratch = try Scratch()
    let format = {
      let text = String(decoding: try scratch.read("queue/format"), as: UTF8.self)
      #expect(try scratch.read("queue/format.copy") == scratch.read("queue/format"))
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let settings = lines.dropLast(2).map { $0 + "\n" }.joined()
      #expect(text == settings + "sum \(checksum(settings))\n")
      return settings
    }
    try scratch.pipe("init").expect("")
    let trying = "retries 5\nbackoff 1000000\nbackoff-max 300000000\n"
    let rest = "min-free 67108864\nretain 604800000000\n\(trying)"
    #expect(try format() == "pipe-queue 3\nslice 3\n\(rest)")
    try scratch.pipe("init", "--slice", "5", "--max-items", "10").expect("")
    #expect(try format() == "pipe-queue 3\nslice 5\n\(rest)max-items 10\n")
    try scratch.pipe("init", "--max-bytes", "2GiB", "--min-free", "64KiB", "--retain", "1h").expect(
      "")
    try scratch.pipe("init", "--retries", "0", "--backoff", "20ms..2h").expect("")
    let tried = "retries 0\nbackoff 20000\nbackoff-max 7200000000\n"
    let kept = "pipe-queue 3\nslice 5\nmin-free 65536\nretain 3600000000\n\(tried)"
    let all = kept + "max-items 10\nmax-bytes 2147483648\n"
    #expect(try format() == all)
    try scratch.pipe("init").expect("")
    #expect(try format() == all)
    try scratch.pipe("init", "--max-items", "0", "--max-bytes", "0").expect("")
    #expect(try format() == kept, "0 lifts a bound, says --help")
  }

  @Test("init --slice leaves stored entries as they are and slices later ones")
  func slices() throws {
    let scratch = try Scratch()
    let old = try scratch.store(#"{"ids":[1,2,3,4]}"#)[0]
    try scratch.pipe("init", "--slice", "1").expect("")
    let new = try scratch.store(#"{"ids":[1,2,3,4]}"#)[0]
    let counts = try scratch.pipe("status", old, new).objects()
      .map { ($0["batches"] as? [[String: Any]])?.count }
    #expect(counts == [2, 4])
  }

  @Test(
    "init refuses invalid settings and creates nothing",
    arguments: [
      "--slice 0", "--slice -1", "--slice x", "--slice 99999999999999999999", "--max-items -1",
      "--max-items 1.5", "--max-bytes 5XB", "--max-bytes 1.5MiB", "--max-bytes 9999999999TiB",
      "--min-free", "--min-free=-5", "--retain 5", "--retain -1d", "--retries -1",
      "--retries x", "--backoff 5s", "--backoff 5s..", "--backoff 5s..1s", "--backoff 1s...5s",
      "--backoff 1..5", "more",
    ])
  func invalid(options: String) throws {
    let scratch = try Scratch()
    try scratch.sh("pipe init \(options)").expect("", errors: nil, status: 64)
    #expect(try scratch.names(in: ".") == [])
  }

  @Test("init may run several times at once, beside enqueue")
  func twice() throws {
    let scratch = try Scratch()
    let run = try scratch.sh(
      """
      for n in 1 2 3 4 5 6 7 8; do
        echo $n | pipe enqueue --raw --quiet & jobs+=" $!"
        pipe init --slice $n & jobs+=" $!"
      done
      for job in $jobs; do wait $job || echo "status $?"; done
      """
    ).expect("", errors: nil)
    // Creating a queue on a slow disk takes longer than a process waits in silence.
    #expect(
      run.errors.split(separator: "\n").allSatisfy { $0.contains(": waiting for the lock of ") },
      run.story)
    try scratch.sh("pipe consume | sort").expect("1\n2\n3\n4\n5\n6\n7\n8\n")
    #expect(try scratch.names(in: "queue").contains("format.new") == false)
  }
}
