import TestSupport
import Testing

@Suite("Items as arguments")
struct ArgumentTests {
  private let scratch: Scratch
  /// A program that prints each of its arguments between angle brackets.
  private let show = #"sh -c 'for a; do printf "<%s>" "$a"; done; echo' sh"#

  init() throws {
    scratch = try Scratch()
    try scratch.retriesAtOnce()
  }

  private func consume(_ words: String, _ options: String = "") throws -> Run {
    try scratch.sh("pipe consume --args \(options) -- \(show) \(words)")
  }

  @Test(
    "an item takes the place of {} anywhere, or comes last",
    arguments: [
      ("", "<it>"), ("{}", "<it>"), ("a {} b", "<a><it><b>"), ("x{}y {}", "<xity><it>"),
      ("'{ }' '${}' '{\"a\"}'", "<{ }><${}><{\"a\"}><it>"),
    ])
  func places(words: String, shown: String) throws {
    try scratch.pipe("enqueue", "--text", "--quiet", input: "it\n").expect("")
    try consume(words).expect(shown + "\n")
  }

  @Test("a member takes the place of its name: strings bare, other values as JSON")
  func members() throws {
    try scratch.store(#"{"name":"a b","n":{"x":[1, 2],"k":null},"d.t":true}"#)
    try consume(#"'{name}' 'v={n.x}' '{n.k}' '{d\.t}' '{}'"#).expect(
      #"<a b><v=[1, 2]><null><true><{"name":"a b","n":{"x":[1, 2],"k":null},"d.t":true}>"# + "\n")
  }

  @Test("an item without the member, or with a NUL, is a dead letter with the reason; others run")
  func unfit() throws {
    try scratch.store(#"{"a":"1"}"#, #"{"b":"2"}"#, #""text""#, #"{"a":"3\u00004"}"#, #"{"a":"5"}"#)
    let run = try consume("{a}")
    run.expect("<1>\n<5>\n", errors: nil, status: 1)
    #expect(run.errors.contains("it has no member a; buried (dead letter)"), run.story)
    try scratch.sh("pipe dead | jq -r .reason").expect(
      "it has no member a\nit has no member a\nan argument cannot hold a NUL\n")
  }

  @Test("with --size, {} becomes one argument an item, and bad items alone are buried")
  func several() throws {
    try scratch.run(
      [Binary.path, "enqueue", "--text", "-0", "--quiet"],
      input: Array("a b\0c\nd\0".utf8)
    ).expect("")
    try scratch.store(#""e\u0000""#, "6")
    let run = try consume("-- {} end", "--size 9")
    run.expect("<--><a b><c\nd><6><end>\n", errors: nil, status: 1)
  }

  @Test("as many items as the system passes go into one command, and none is lost")
  func limit() throws {
    let run = try scratch.sh(
      """
      seq -f '%099g' 100000 | pipe enqueue --text --quiet
      pipe consume --args --size 1000000 -- sh -c 'echo $#' sh {} > counts
      awk '{ n += $1 } END { print n, (NR > 1) }' counts
      """)
    run.expect("100000 1\n")
  }

  @Test("an argument longer than the system passes is buried")
  func tooLong() throws {
    try scratch.sh("head -c 131072 /dev/zero | tr '\\0' x | pipe enqueue --text --quiet").expect("")
    try consume("{}").expect(errors: nil, status: 1)
    try scratch.sh("pipe dead | jq -r .reason").expect("an argument has at most 131071 bytes\n")
  }

  @Test("the command reads an empty stdin, and an item never becomes its name")
  func surroundings() throws {
    try scratch.pipe("enqueue", "--text", "--quiet", input: "ls\n").expect("")
    try scratch.sh("pipe consume --args -- sh -c 'wc -c; echo $1' sh").expect("0\nls\n")
    try scratch.pipe("enqueue", "--text", "--quiet", input: "ls\n").expect("")
    try scratch.sh("pipe consume --args -- '{}'").expect(errors: nil, status: 69)
  }

  @Test(
    "an item inside the script of a shell is a usage error that shows the safe form",
    arguments: ["sh -c 'gzip {}'", "/bin/bash -ec 'echo {name}'", "zsh -c '{}'"])
  func script(command: String) throws {
    let run = try scratch.sh("pipe consume --args -- \(command)")
    run.expect(errors: nil, status: 64)
    #expect(run.errors.contains(#"-c '… "$1" …'"#), run.story)
  }

  @Test("an item after the host of ssh is a usage error that shows the safe form")
  func ssh() throws {
    try scratch.sh("pipe consume --args -- ssh host echo {}").expect(
      errors: "pipe consume: an item after the host of ssh would run as code there; leave out"
        + " --args: the command on the host then reads the item from stdin (see pipe consume --help)\n",
      status: 64)
  }

  @Test("hostile items reach the command as they are, and none runs as code")
  func hostile() throws {
    let items = ["$(touch hit)", "`touch hit`", ";touch hit", "-rf", "a\nb", "'\"", "\u{1b}[31m"]
    var text: [UInt8] = []
    for item in items { text += Array(item.utf8) + [0] }
    try scratch.run([Binary.path, "enqueue", "--text", "-0", "--quiet"], input: text).expect("")
    let run = try scratch.sh("pipe consume --args -- printf '%s\\0' -- {}")
    var expected: [UInt8] = []
    for item in items { expected += Array("--\0\(item)\0".utf8) }
    #expect(run.bytes == expected, run.story)
    try scratch.sh("test ! -e hit").expect("")
  }

  @Test("PIPE_KEY is the entry's id, with the number from the second item on")
  func key() throws {
    let id = try scratch.store(#"{"ids":[7,8]}"#)[0]
    try scratch.sh("pipe consume --size 1 -- sh -c 'echo $PIPE_KEY'").expect("\(id)\n\(id)-2\n")
    let other = try scratch.store(#"{"ids":[7,8]}"#)[0]
    let lines = try scratch.sh("pipe batch -n 1 | tee line; pipe ack < line | cat")
    #expect(lines.output.contains(#""item":1,"key":"\#(other)""#), lines.story)
    #expect(lines.output.contains(#""item":2,"key":"\#(other)-2""#), lines.story)
  }
}
