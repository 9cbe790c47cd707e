import Foundation
import TestSupport
import Testing

@Suite("Pictures of stats")
struct StatsPictureTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  private func measure(queue: String = "queue") throws {
    var notes = StatsLog()
    for index in 0..<50 { notes.add(service: 1000 << (index % 8), items: 3) }
    try notes.write(to: scratch, queue: queue)
  }

  @Test(
    "--plot is as wide as the terminal, from 40 to 200 columns", .needs("script", "stty"),
    arguments: [(20, 40), (40, 40), (61, 61), (132, 132), (400, 200)])
  func widths(columns: Int, shown: Int) throws {
    try measure()
    let run = try scratch.sh(
      "script -qec 'stty cols \(columns) -onlcr; pipe stats --plot' /dev/null < /dev/null")
    run.expect(nil)
    #expect(run.lines.map(\.count).max() == shown, run.story)
    #expect(!run.output.contains("\u{1b}"), run.story)
  }

  @Test("--plot is 80 columns wide in a pipe, and shows the chosen stage")
  func pipe() throws {
    try measure()
    for stage in ["wait", "service", "total"] {
      let run = try scratch.pipe("stats", "--plot", "--of", stage).expect()
      #expect(run.lines.map(\.count).max() == 80, run.story)
      #expect(run.lines[0].hasPrefix("\(stage) of 150 items "), run.story)
    }
    #expect(try scratch.pipe("stats", "--plot").expect().lines[0].hasPrefix("total of 150 items "))
  }

  @Test("--svg writes XML that names the queue, whatever the queue is called", .needs("python3"))
  func svg() throws {
    let name = "q<&\"'>]]>\u{1}\u{1b}[31m\u{fffe}é🚰--"
    try measure(queue: name)
    try scratch.pipe("stats", "-q", name, "--svg", "picture.svg").expect("")
    let program = """
      import sys, xml.etree.ElementTree as tree
      root = tree.parse("picture.svg").getroot()
      text = " ".join(root.itertext())
      print(root.tag)
      print(any(c in text for c in "\\x01\\x1b"), "q<&\\"'>]]>" in text, "é🚰--" in text)
      print({e.tag.split("}")[1] for e in root.iter()} & {"script", "image", "use", "a"})
      """
    try scratch.run(["python3", "-X", "utf8", "-c", program]).expect(
      "{http://www.w3.org/2000/svg}svg\nFalse True True\nset()\n")
    #expect(scratch.mode("picture.svg") & 0o400 != 0)
  }

  @Test("stats prints no terminal escapes, however hostile the names of queues and tags")
  func escapes() throws {
    let name = "d\u{1b}]0;x\u{7}\u{9b}31m/q\u{1b}[2J"
    try scratch.sh(#"mkdir "${Q%/*}""#, ["Q": name]).expect()
    try measure(queue: name)
    var hostile = StatsLog()
    hostile.add(service: 1000, tag: "t\u{1b}[31m\u{9b}2J")
    try hostile.write(to: scratch, queue: name)
    for form in [
      "", "--json", "--prometheus", "--hgrm", "--plot", "--model", "--chart", "--by tag",
    ] {
      let words = ["stats", "-q", name] + form.split(separator: " ").map(String.init)
      check(try scratch.run([Binary.path] + words).expect())
    }
    check(try scratch.pipe("stats", "--by", "tag", "--json", "-q", name).expect())
    check(try scratch.pipe("stats", "-q", name, "--compare", "./\(name)", "-").expect())
    check(try scratch.pipe("stats", "-q", name, "--compare", name, "-", "--json").expect())
    check(try scratch.pipe("stats", "-q", name, "--compare", "\u{1b}[31m", "-"))
    check(try scratch.pipe("stats", "-q", name, "--output", "\u{1b}[31m/x"))
    check(try scratch.pipe("stats", "-q", name + "no"))
    check(try scratch.pipe("stats", "--field", "\u{1b}[31m\u{9b}", input: "{}\n"))
    check(try scratch.pipe("stats", "--field", "\u{1b}[31m", "--json", input: "{\"\u{1b}\":1}\n"))
    check(try scratch.pipe("stats", "--of", "\u{1b}[31m"))
    try scratch.store("1")
    check(try scratch.pipe("consume", "--tag", "\u{1b}[31m").expect("", errors: nil, status: 64))
  }

  // JSON may contain a control character of the upper half as it is.
  private func check(_ run: Run, at location: SourceLocation = #_sourceLocation) {
    let text = run.output + run.errors
    let isJSON = run.command.arguments.contains("--json")
    let isPlain = text.unicodeScalars.allSatisfy {
      $0 == "\n" || $0.value >= 0x20 && (isJSON || !(0x7f...0x9f).contains($0.value))
    }
    #expect(isPlain, run.story, sourceLocation: location)
  }
}
