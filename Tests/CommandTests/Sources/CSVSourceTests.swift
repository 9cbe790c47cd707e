import TestSupport
import Testing

@Suite("examples/sources/csv", .needs("python3"))
struct CSVSourceTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init")
  }

  @Test("a table is stored as records with the names of its header")
  func stores() throws {
    let line = "\(Scratch.example("sources/csv")) people.csv | pipe ingest | pipe enqueue | wc -l"
    try scratch.write("patient_id,age,diagnosis\np1,50,\"a, b\"\np2,,é\n", to: "people.csv")
    try scratch.sh(line).expect("2\n")
    try scratch.pipe("consume").expect(
      #"{"patient_id":"p1","age":"50","diagnosis":"a, b"}"# + "\n"
        + #"{"patient_id":"p2","age":"","diagnosis":"é"}"# + "\n")
  }

  @Test("quoted newlines, a byte-order mark, CRLF and blank rows do not matter")
  func newlines() throws {
    try csv("\u{feff}a,b\r\n\"x\r\ny\",\"say \"\"hi\"\"\"\r\n\r\n1,2").expect(
      #"{"a":"x\r\ny","b":"say \"hi\""}"# + "\n" + #"{"a":"1","b":"2"}"# + "\n")
  }

  @Test("with --numbers a cell that is a JSON number stays one, digit for digit")
  func numbers() throws {
    try csv("a,b,c,d,e,f\n1.50,-0,1e400,007,+1, 1\n", "--numbers").expect(
      #"{"a":1.50,"b":-0,"c":1e400,"d":"007","e":"+1","f":" 1"}"# + "\n")
    try csv("a,b\n1.50,2\n").expect(#"{"a":"1.50","b":"2"}"# + "\n")
  }

  @Test("repeated and missing names are replaced by unique ones and reported")
  func names() throws {
    try csv("a,a,,a_2\n1,2,3,4\n").expect(
      #"{"a":"1","a_3":"2","column_3":"3","a_2":"4"}"# + "\n",
      errors: "csv: line 1: column 2 is named a_3, not \"a\"\n"
        + "csv: line 1: column 3 is named column_3, not \"\"\n")
  }

  @Test("a short row lacks members; bad rows are reported by line and left out")
  func badRows() throws {
    try csv("a,b\n\"1\n\"\n1,2,3\n\"x\"y,2\n4,5\n\"never").expect(
      #"{"a":"1\n"}"# + "\n" + #"{"a":"4","b":"5"}"# + "\n",
      errors: """
        csv: line 4: 3 cells, but 2 names
        csv: line 5: ',' expected after '"'
        csv: line 7: unexpected end of data

        """, status: 65)
    let latin = Array("a\n".utf8) + [0xe9, 0x0a] + Array("b\n".utf8)
    try scratch.run([Scratch.example("sources/csv")], input: latin).expect(
      #"{"a":"b"}"# + "\n", errors: "csv: line 2: not UTF-8\n", status: 65)
  }

  @Test("each row is passed on at once, and the reader may exit")
  func flushes() throws {
    let child = try scratch.start([Scratch.example("sources/csv")])
    child.feed("a\n1\n")
    #expect(child.line() == #"{"a":"1"}"#)
    child.closeOutput()
    child.feed("2\n")
    child.finish().expect("{\"a\":\"1\"}\n")
    try csv("").expect("")
    try csv("", "nothing.csv").expect(
      "", errors: "csv: nothing.csv: No such file or directory\n", status: 66)
    try csv("", "--x").expect(
      "", errors: "csv: unrecognized arguments: --x; see --help\n", status: 64)
  }

  @Test("an open quote is reported with all the lines that it takes along")
  func openQuote() throws {
    try csv("a\n1\n\"2\n3\n4\n").expect(
      #"{"a":"1"}"# + "\n", errors: "csv: lines 3 to 5: unexpected end of data\n", status: 65)
  }

  @Test(
    "a first line that names the delimiter for Excel is not a header",
    arguments: [
      "sep=;\r\nname;age\r\nann;7\r\n", "\u{feff}sep=;\nname;age\nann;7\n",
      "SEP=|\nname|age\nann|7", "\"sep=;\"\r\nname;age\r\nann;7\r\n",
      "sep=\t\r\nname\tage\r\nann\t7",
      "sep=,\nname,age\nann,7\n", "sep=;\n\nname;age\nann;7\n",
    ])
  func separatorLine(table: String) throws {
    try csv(table).expect(#"{"name":"ann","age":"7"}"# + "\n")
  }

  @Test("a delimiter line does not override --delimiter, and line numbers include it")
  func separatorAndOption() throws {
    try csv("sep=;\nname;age\nann;7\n", "--delimiter", ";").expect(
      #"{"name":"ann","age":"7"}"# + "\n")
    try csv("sep=;\nname,age\nann,7\n1,2,3\n", "--delimiter", ",").expect(
      #"{"name":"ann","age":"7"}"# + "\n",
      errors: """
        csv: line 1: says sep=;; read with --delimiter ,
        csv: line 4: 3 cells, but 2 names

        """, status: 65)
    try csv("sep=;;\na\n").expect(#"{"sep=;;":"a"}"# + "\n")
    try csv("a\nsep=;\n").expect(#"{"a":"sep=;"}"# + "\n")
    try csv("sep=;").expect("")
  }

  @Test("a delimiter is one character, or \\t")
  func delimiter() throws {
    try csv("a\tb\n1\t2\n", "--delimiter", "\\t").expect(#"{"a":"1","b":"2"}"# + "\n")
    for wrong in ["", ";;", "\""] {
      let run = try csv("a;b\n1;2\n", "--delimiter", wrong)
      #expect(
        run.ending == .exited(64) && run.errors.hasSuffix("is not a delimiter; see --help\n"),
        run.story)
    }
  }

  @Test("a table with an ids column is stored as records if its header's advice is taken")
  func ids() throws {
    try scratch.write("ids,priority\n7,HIGH\n", to: "jobs.csv")
    let line =
      "\(Scratch.example("sources/csv")) jobs.csv | pipe ingest --records | pipe enqueue --quiet"
    try scratch.sh("set -o pipefail; \(line)").expect("")
    try scratch.pipe(
      "consume", "--envelope", "--", "grep", "-c", #""MEDIUM","data":{"ids":"7","priority":"HIGH"}"#
    )
    .expect("1\n")
    try csv("", "--help").expect(nil)
  }

  @Test("a full disk is reported in one line")
  func fullDisk() throws {
    try scratch.sh("printf 'a\\n1\\n' | \(Scratch.example("sources/csv")) > /dev/full").expect(
      "", errors: "csv: No space left on device\n", status: 74)
  }

  private func csv(_ input: String, _ options: String...) throws -> Run {
    try scratch.run([Scratch.example("sources/csv")] + options, input: Array(input.utf8))
  }
}
