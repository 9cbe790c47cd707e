import Testing

@testable import PipeIO
@testable import PipeQueue

private let ulid = "01M7YFR55BHYP5BSPG0DPTADCJ"

@Suite("names on disk")
struct NameTests {
  @Test(
    "in now/ are read and written alike",
    arguments: [
      "HIGH.800.17.4711-960.17.5022.done", "LOW.0.1.0-0.1.0.done",
      "MEDIUM.0.1.0-999999999999999999.2.5.claim.\(ulid).1.3",
      "HIGH.1.1.101-3.1.101.again.\(ulid).12.0.0",
      "HIGH.1.1.101-3.1.101.again.7ZZZZZZZZZZZZZZZZZZZZZZZZZ.0.1795244400123456.600000000",
    ])
  func now(text: String) {
    #expect(NowName(text)?.text == text)
  }

  @Test(
    "in now/ that are not exactly so are not ours",
    arguments: [
      "", "spare.0", "HIGH", "HIGH.0.1.0-1.1.9", "HIGH.0.1.0-1.1.9.", "HIGH.0.1.0-1.1.9.done.",
      "HIGH.0.1.0-1.1.9.done.1", "HIGH.0.1.0-1.1.9.dead", "high.0.1.0-1.1.9.done",
      "URGENT.0.1.0-1.1.9.done", "HIGH.00.1.0-1.1.9.done", "HIGH.0.01.0-1.1.9.done",
      "HIGH.0.1.0-1.1.09.done", "HIGH.+0.1.0-1.1.9.done", "HIGH.-1.1.0-1.1.9.done",
      "HIGH.0.1.0-1.1.done", "HIGH.0.1-1.1.9.done", "HIGH.0.1.0.1.1.9.done",
      "HIGH.5.1.0-4.1.9.done", "HIGH.0.1.0-1000000000000000000.1.9.done",
      "HIGH.0.1.0-1.1.9.claim", "HIGH.0.1.0-1.1.9.claim.\(ulid).1",
      "HIGH.0.1.0-1.1.9.claim.\(ulid).01.3", "HIGH.0.1.0-1.1.9.claim.\(ulid).1.3.4",
      "HIGH.0.1.0-1.1.9.claim.\(ulid.lowercased()).1.3",
      "HIGH.0.1.0-1.1.9.claim.8\(ulid.dropFirst()).1.3",
      "HIGH.0.1.0-1.1.9.claim.\(ulid)X.1.3", "HIGH.0.1.0-1.1.9.again.\(ulid).1.-1",
      "HIGH.0.1.0-1.1.9.done\n", " HIGH.0.1.0-1.1.9.done", "HIGH.0.1.0-1.1.9.done~",
      "HIGH.0 .1.0-1.1.9.done", "HIGH.\u{0660}.1.0-1.1.9.done",
    ])
  func foreign(text: String) {
    #expect(NowName(text) == nil)
  }

  @Test("in end/ are read and written alike, and no others are")
  func end() {
    for text in ["HIGH.0.0.1.0.0", "LOW.960.12.17.5022.1795244400123456"] {
      #expect(EndMark(text)?.text == text)
    }
    let foreign = [
      "", "HIGH", "HIGH.0.0.1.0", "HIGH.0.0.1.0.0.0", "HIGH.0.0.01.0.0", "high.0.0.1.0.0",
      "HIGH.0.0.1.-1.0", "HIGH.0.0.1.0.0.", "HIGH.0.0.1.0.x",
    ]
    for text in foreign { #expect(EndMark(text) == nil, "\(text)") }
  }
}

@Suite("the ends of the lanes")
struct EndTests {
  private let scratch: Scratch
  private var directory: Directory { scratch.queue.end }

  init() throws { scratch = try Scratch() }

  private func add(_ name: String) throws {
    _ = try Descriptor.open(name, in: directory, 0o101)
  }

  @Test("are the further ones where a listing shows both names")
  func bothNames() throws {
    try add("HIGH.7.2.1.900.5")
    try add("HIGH.5.1.1.1000.4")
    #expect(try Ends.read(directory)[.high].text == "HIGH.5.1.1.1000.4", "by segment and byte")
    try add("HIGH.5.1.2.0.4")
    try add("HIGH.x")
    try add("notes")
    let ends = try Ends.read(directory)
    #expect(ends[.high].text == "HIGH.5.1.2.0.4")
    #expect(ends[.low].text == "LOW.0.0.1.0.0")
  }

  @Test("are an I/O error where one is missing")
  func missing() throws {
    try directory.remove("LOW.0.0.1.0.0")
    let fault = #expect(throws: Fault.self) { try Ends.read(directory) }
    #expect(fault?.kind == .inputOutput)
    #expect(fault?.text.hasSuffix("the end of a lane is missing") == true)
  }
}
