import Foundation
import TestSupport
import Testing

@Suite("Repeated entry lines")
struct RepeatedLineTests {
  @Test("an entry line is stored once, however often it is repeated and whatever its entry's state")
  func repeated() throws {
    let scratch = try Scratch()
    let (a, b) = ("01M7YFR55BHYP5BSPG0DPTADCJ", "01M7YFR55BHYP5BSPG0DPTADCK")
    let (first, again) = (
      #"{"ingestion_id":"\#(a)"}"#, #"{"ingestion_id":"\#(a)","duplicate":true}"#
    )
    let line = entryLine(a) + "\n"
    try scratch.pipe("enqueue", input: line + line).expect("\(first)\n\(again)\n")
    try scratch.pipe("enqueue", input: line + entryLine(b)).expect(
      "\(again)\n" + #"{"ingestion_id":"\#(b)"}"# + "\n")
    try scratch.pipe("consume").expect("1\n1\n")
    let other = entryLine(a, #""data":2,"priority":"HIGH""#)
    try scratch.pipe("enqueue", input: other).expect("\(again)\n", "with another priority:")
    try scratch.pipe("consume").expect("")
  }

  @Test("an entry line is stored once when two processes store the same lines at once")
  func twoProcesses() throws {
    let scratch = try Scratch()
    try scratch.prepare("init")
    let data = (0..<3000).map { "{\"n\":\($0)}" }
    let lines = try scratch.pipe("ingest", input: data.joined(separator: "\n"))
    try scratch.write(lines.bytes, to: "entries")
    let run = try scratch.sh(
      """
      for n in 1 2; do
        split -l 500 --filter cat entries | pipe enqueue > receipts.$n & jobs+=" $!"
      done
      wait $jobs
      cat receipts.? | grep -vc duplicate
      cat receipts.? | wc -l
      """)
    run.expect("3000\n6000\n")
    try scratch.pipe("consume").expect(data.map { $0 + "\n" }.joined())
  }

  @Test("an entry line is stored once when two processes get it at the same instant")
  func lineByLine() throws {
    let scratch = try Scratch()
    try scratch.prepare("init")
    let children = try [scratch.start("enqueue"), scratch.start("enqueue")]
    let now = Int(Date().timeIntervalSince1970 * 1000)
    for number in 0..<30 {
      for child in children { child.feed(entryLine(id(at: now, number)) + "\n") }
      let receipts = children.map { $0.line() ?? "none" }
      #expect(receipts.filter { $0.hasSuffix(#","duplicate":true}"#) }.count == 1, "\(receipts)")
    }
    for child in children { child.finish().expect() }
    try scratch.sh("pipe consume | wc -l").expect("30\n")
  }

  @Test("an old id is stored once even if a power cut left zeros behind its note")
  func zerosBehind() throws {
    let scratch = try Scratch()
    let old = Int(Date().timeIntervalSince1970 * 1000) - 86_400_000
    let line = entryLine(id(at: old))
    try scratch.pipe("enqueue", "--quiet", input: line).expect("")
    try scratch.sh("head -c 150 /dev/zero >> $(echo queue/strays/*)").expect()
    for other in 1...2 {
      let run = try scratch.pipe("enqueue", input: line)
      #expect(run.output.hasSuffix(#","duplicate":true}"# + "\n"), run.story)
      try scratch.pipe("enqueue", "--quiet", input: entryLine(id(at: old + other))).expect("")
    }
    #expect(try scratch.unsettled() == 3)
  }

  @Test("an entry line whose id is days old or ahead is stored once, and status finds it")
  func strays() throws {
    let scratch = try Scratch()
    let now = Int(Date().timeIntervalSince1970 * 1000)
    let day = 86_400_000
    let ids = [-day, -3 * day, day, -400 * day, -day + 1, 0].map { id(at: now + $0) }
    let input = ids.enumerated().map { entryLine($1, "\"data\":\($0)") }.joined(separator: "\n")
    try scratch.pipe("enqueue", "--quiet", input: input).expect("")
    let again = ids.map { #"{"ingestion_id":"\#($0)","duplicate":true}"# + "\n" }
    try scratch.pipe("enqueue", input: input).expect(again.joined())
    for (id, receipt) in zip(ids, again) {
      try scratch.pipe("enqueue", input: entryLine(id)).expect(receipt)
      try scratch.sh("pipe status \(id) | cut -d , -f 1-2").expect(
        #"{"ingestion_id":"\#(id)","status":"yet_to_start""# + "\n")
    }
    try scratch.pipe("consume").expect("0\n1\n2\n3\n4\n5\n")
  }

  @Test("an entry line that arrives alone, days after its id was generated, is stored once")
  func aloneAndLate() throws {
    let scratch = try Scratch()
    try scratch.store("0")
    let now = Int(Date().timeIntervalSince1970 * 1000)
    let ids = [-86_400_000, -90_000_000, -2000, 5000].map { id(at: now + $0) }
    for (number, id) in ids.enumerated() {
      let line = entryLine(id, "\"data\":\(number + 1)")
      try scratch.pipe("enqueue", input: line).expect(#"{"ingestion_id":"\#(id)"}"# + "\n")
    }
    for id in ids {
      try scratch.pipe("enqueue", input: entryLine(id)).expect(
        #"{"ingestion_id":"\#(id)","duplicate":true}"# + "\n")
    }
    #expect(try scratch.run([Binary.path, "status"] + ids).expect().lines.count == 4)
    try scratch.pipe("consume").expect("0\n1\n2\n3\n4\n")
  }

  @Test("entry lines whose ids are out of order are stored once, in order of arrival")
  func outOfOrder() throws {
    let scratch = try Scratch()
    let now = Int(Date().timeIntervalSince1970 * 1000)
    let numbers = (0..<500).map { $0 * 263 % 500 }
    let input = numbers.map { entryLine(id(at: now, $0), "\"data\":\($0)") + "\n" }
    try scratch.pipe("enqueue", "--quiet", input: input.joined()).expect("")
    let shuffled = input.reversed().joined()
    try scratch.sh("pipe enqueue | grep -c duplicate", input: shuffled).expect("500\n")
    let known = try scratch.run([Binary.path, "status"] + numbers.map { id(at: now, $0) })
    #expect(known.lines.count == 500, known.story)
    try scratch.pipe("consume").expect(numbers.map { "\($0)\n" }.joined())
  }
}
