import Foundation
import TestSupport
import Testing

@Suite("stats --field")
struct StatsFieldTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  /// Count, p50, max and skipped of `n`.
  private func measured(
    _ input: String, of name: String = "n", errors: String? = "", status: Int32 = 0,
    at location: SourceLocation = #_sourceLocation
  ) throws -> [Double?] {
    let run = try scratch.pipe("stats", "--field", name, "--json", input: input)
    run.expect(nil, errors: errors, status: status, at: location)
    let line = Figures(root: run.lines.first?.object ?? [:])
    return [line["count"], line["p50"], line["max"], line["skipped"]]
  }

  @Test("--field takes whole numbers and decimals of either sign, and needs no queue")
  func numbers() throws {
    try scratch.pipe(
      "stats", "--field", "n", "--json",
      input: "{\"n\":1}\n{\"n\":-2.5}\n{\"n\":-0}\n{\"n\":1e3}\n{\"n\":0.25E1}\n"
    ).expect(
      #"{"count":5,"mean":200.2,"p50":1.0,"p90":1000.0,"p99":1000.0,"p99.9":1000.0,"#
        + #""max":1000.0,"skipped":0}"# + "\n")
    try scratch.pipe("stats", "--field", "n", input: "{\"n\":7}").expect(
      """
      n
      count              1
      mean               7
      p50                7
      p90                7
      p99                7
      p99.9              7
      max                7

      """)
    #expect(try scratch.names(in: ".") == [])
  }

  @Test("--field reaches into objects with dots")
  func nested() throws {
    #expect(try measured(#"{"a":{"b":{"c":4}}}"#, of: "a.b.c") == [1, 4, 4, 0])
    #expect(try measured(#"{"a":{"b":4}}"#, of: "a", errors: nil, status: 1) == [0, nil, nil, 1])
  }

  @Test("--field takes a name with an escaped dot, and suggests that form")
  func dottedName() throws {
    let line = #"{"event.duration":5}"#
    #expect(try measured(line, of: #"event\.duration"#) == [1, 5, 5, 0])
    let errors =
      "pipe stats: no line has a numeric member event.duration; "
      + "a member with dots in its name is written "
      + #"event\.duration"# + "\n"
    #expect(try measured(line, of: "event.duration", errors: errors, status: 1)[0] == 0)
    let both = #"{"event.duration":5,"event":{"duration":6}}"#
    #expect(try measured(both, of: "event.duration") == [1, 6, 6, 0])
  }

  @Test(
    "--field prints each number with all the digits it was read with",
    arguments: [
      "1700000000123456.0", "9007199254740991.0", "9007199254740993.0", "0.1234567890123456",
      "1700000000123456789.0", "-9223372036854775808.0", "1700000000.123457", "1e22",
    ])
  func digits(number: String) throws {
    let text = number.hasSuffix(".0") ? String(number.dropLast(2)) : number
    let run = try scratch.pipe("stats", "--field", "n", "--json", input: "{\"n\":\(text)}\n")
    for name in ["p50", "p99.9", "max"] {
      #expect(run.output.contains("\"\(name)\":\(number),"), run.story)
    }
    let table = try scratch.pipe("stats", "--field", "n", input: "{\"n\":\(text)}\n")
    #expect(table.output.contains(" \(text)\n"), table.story)
  }

  @Test("--field counts lines without such a number and says how many there were")
  func missing() throws {
    let lines = [
      #"{"n":1}"#, #"{"m":2}"#, #"{"n":"3"}"#, #"{"n":null}"#, #"{"n":[4]}"#, "5", "[6]",
      #"{"n":{"n":7}}"#, #"{"n":1e400}"#, #"{"n":-1e400}"#, #"{"n":true}"#,
    ]
    let errors = "pipe stats: 10 of 11 lines have no numeric member n\n"
    #expect(
      try measured(lines.joined(separator: "\n"), errors: errors) == [1, 1, 1, 10])
    let none = "pipe stats: no line has a numeric member n\n"
    #expect(
      try measured("{}\n{}\n", errors: none, status: 1)
        == [0, nil, nil, 2])
    #expect(try measured("", errors: none, status: 1) == [0, nil, nil, 0])
  }

  @Test("--field skips blank lines and a byte-order mark, and takes CRLF and an unended last line")
  func forms() throws {
    #expect(
      try measured("\u{feff}{\"n\":1}\r\n\r\n\n  \t\n{\"n\":2}\r\n{\"n\":3}") == [3, 2, 3, 0])
  }

  @Test("--field reports line and byte of invalid JSON, continues, and exits with 65")
  func rejected() throws {
    let input = "{\"n\":1}\n\n{\"n\":3}{\n{\"n\":5}\nbad\n{\"n\":1,\"n\":2}\n"
    let errors = """
      pipe stats: stdin:3: byte 8: expected nothing after the value
      pipe stats: stdin:5: byte 1: expected a value
      pipe stats: stdin:6: byte 8: duplicate member "n"
      pipe stats: 3 of 5 lines rejected

      """
    #expect(try measured(input, errors: errors, status: 65) == [2, 1, 5, 0])
    #expect(try measured("bad\n", errors: nil, status: 65) == [0, nil, nil, 0])
    try scratch.sh(#"printf '{"n":1}\n{"n":2,"x":"\xff"}\n' | pipe stats --field n | head -n2"#)
      .expect(
        "n\ncount              1\n",
        errors: "pipe stats: stdin:2: byte 13: invalid UTF-8\n"
          + "pipe stats: 1 of 2 lines rejected\n")
  }

  @Test(
    "--field takes a line of many megabytes, and refuses one that is too long in bounded memory")
  func long() throws {
    let pad = { "\"x\":\"" + String(repeating: "x", count: $0 << 20) + "\"" }
    #expect(try measured("{\(pad(20)),\"n\":9}\n{\"n\":8}\n") == [2, 8, 9, 0])
    let run = try scratch.sh(
      #"{ printf '{"x":"'; head -c 80M /dev/zero | tr '\0' x; echo '"}'; echo '{"n":4}'; } | "#
        + "(ulimit -v 1000000; pipe stats --field n --json)")
    run.expect(nil, errors: nil, status: 65)
    #expect(run.errors.contains(": the record is longer than 67108864 bytes\n"), run.story)
    #expect(Figures(root: run.lines.first?.object ?? [:])["max"] == 4, run.story)
  }

  @Test(
    "--field agrees with a sorted list to 5 digits, for many numbers of any kind",
    .needs("python3"))
  func exact() throws {
    let program = """
      import json, math, random, subprocess
      random.seed(7)
      kinds = [
        lambda: random.lognormvariate(0, 3), lambda: random.gauss(0, 1e6), lambda: random.random(),
        lambda: random.randint(-10**18, 10**18), lambda: float("%.2g" % random.expovariate(1)),
        lambda: random.choice([1, -1]) * 10 ** random.uniform(-300, 300),
      ]
      for number, kind in enumerate(kinds):
        values = [kind() for _ in range(100_000 if number == 0 else 20_000)]
        lines = "".join('{"n":%s}\\n' % json.dumps(value) for value in values)
        run = subprocess.run(["pipe", "stats", "--field", "n", "--json"], input=lines.encode(),
          stdout=subprocess.PIPE, check=True)
        found = json.loads(run.stdout)
        values.sort()
        wanted = {"count": len(values), "max": values[-1], "skipped": 0}
        if number < 5: wanted["mean"] = math.fsum(values) / len(values)
        for percent in ["50", "90", "99", "99.9"]:
          rank = math.ceil(len(values) * float(percent) / 100)
          wanted["p" + percent] = values[rank - 1]
        for name, value in wanted.items():
          if not math.isclose(found[name], value, rel_tol=1e-5):
            print(number, name, found[name], value)
      """
    try scratch.run(["python3", "-c", program]).expect("")
  }
}
