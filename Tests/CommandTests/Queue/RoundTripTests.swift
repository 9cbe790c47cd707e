import Foundation
import TestSupport
import Testing

@Suite("Round trips")
struct RoundTripTests {
  @Test(
    "four consumers deliver each line of a real log exactly once, and every status is completed")
  func fourConsumers() throws {
    let scratch = try Scratch()
    let lines = try Sample.lines()
    try scratch.write(lines.joined(separator: "\n") + "\n", to: "sample")
    let stored = try scratch.sh("pipe ingest sample | pipe enqueue | tee receipts | wc -l")
    stored.expect("\(lines.count)\n")
    let run = try scratch.sh(
      """
      for n in 1 2 3 4; do pipe consume --size 100 -- cat > out.$n & jobs+=" $!"; done
      for job in $jobs; do wait $job || echo "status $?"; done
      """)
    run.expect("")
    #expect(try taken(scratch, 4) == lines.sorted(), run.story)
    let words = try scratch.sh(
      #"cut -d '"' -f 4 receipts | xargs -n 500 pipe status | cut -d , -f 2 | sort | uniq -c"#)
    words.expect(
      "\(String(repeating: " ", count: 7 - "\(lines.count)".count))\(lines.count) "
        + "\"status\":\"completed\"\n")
    try scratch.pipe("list").expect("")
  }

  @Test("four consumers that write to pipes deliver each line exactly once")
  func fourFilters() throws {
    let scratch = try Scratch()
    let lines = try Sample.lines()
    try scratch.write(lines.joined(separator: "\n") + "\n", to: "sample")
    try scratch.sh("pipe enqueue --raw --quiet < sample").expect("")
    let run = try scratch.sh(
      """
      for n in 1 2 3 4; do { pipe consume || echo "status $?"; } | cat > out.$n & done
      wait
      """)
    run.expect("")
    #expect(try taken(scratch, 4) == lines.sorted(), run.story)
  }

  private func taken(_ scratch: Scratch, _ count: Int) throws -> [String] {
    var all: [String] = []
    for number in 1...count {
      all += String(decoding: try scratch.read("out.\(number)"), as: UTF8.self)
        .split(separator: "\n").map(String.init)
    }
    return all.sorted()
  }

  @Test("the quickstart succeeds")
  func quickstart() throws {
    let scratch = try Scratch()
    let run = try scratch.run(
      ["sh", Repository.path + "/examples/quickstart.sh"], ["PIPE": Binary.path])
    run.expect(errors: nil)
    #expect(run.output.contains("each of 305 items came out exactly once"), run.story)
  }
}

/// Lines as real servers write them.
enum Sample {
  /// The lines in $PIPE_REAL_DATA, or 2,000 similar lines of 5 KB.
  static func lines() throws -> [String] {
    guard let directory = ProcessInfo.processInfo.environment["PIPE_REAL_DATA"], !directory.isEmpty
    else { return generated }
    return try real(directory)
  }

  private static func real(_ directory: String) throws -> [String] {
    let status = try String(contentsOfFile: directory + "/nginx-status.jsonl", encoding: .utf8)
    let access = try String(contentsOfFile: directory + "/apache-access.log", encoding: .utf8)
    return status.split(separator: "\n").map(String.init)
      + access.split(separator: "\n").map { #"{"log":\#(quoted($0))}"# }
  }

  private static func quoted(_ text: Substring) -> String {
    let data = try? JSONSerialization.data(withJSONObject: [String(text)])
    return String(decoding: data ?? Data("[\"\"]".utf8), as: UTF8.self).dropFirst().dropLast()
      .description
  }

  private static let generated: [String] = (0..<2000).map { number in
    let visits = (0..<60).map { visit in
      #"{"path":"/é/\#(number * 7919 % 9973)/\#(visit)","ms":\#(visit).50,"ua":"Mozilla\/5.0 \u00e9"}"#
    }
    let word = ["HIGH", "MEDIUM", "LOW"][number % 3]
    return
      #"{"n": \#(number),"priority":"\#(word)",  "visits":[\#(visits.joined(separator: ", "))]}"#
  }
}
