import Foundation
import FoundationXML
import PipeStats
import Testing

struct SVGTests {
  @Test func `every report is well-formed XML`() throws {
    for report in [Report.hour, .busy, .huge, .empty] {
      for stage in Stage.allCases { _ = try Document(SVGPicture(report, stage).text) }
    }
  }

  @Test func `a title reads back, except for characters that XML cannot contain`() throws {
    let title = #"<&"'>]]> é 📬 "#
    let svg = SVGPicture(.empty, .wait, title: title + "\u{0}\u{1B}\u{FFFF}").text
    #expect(try Document(svg).texts.first == title + "\u{FFFD}\u{FFFD}\u{FFFD}")
  }

  @Test func `the SVG document contains every label as text`() throws {
    let texts = try Document(SVGPicture(.hour, .wait, title: "mailer").text).texts
    #expect(
      texts == [
        "mailer", "2026-11-20 08:15:02 UTC",
        "1,210 ready · 6 claimed · 12 later · 1 dead · 12,345,678 done",
        "wait of 1,000 items", "in the last 10 min", "0", "25 %", "50 %", "75 %", "100 %",
        "500 us", "20 s", "1 ms", "10 ms", "100 ms", "1 s", "10 s",
        "2 ms", "5 ms", "20 ms", "50 ms", "200 ms", "500 ms", "2 s", "5 s",
        "p50 812 us", "p90 812 us", "p99 95.0 ms", "p99.9 95.0 ms", "max 12.1 s",
        "items/s in and out", "0", "0.5", "1", "1.5", "2",
        "07:15", "07:30", "07:45", "08:00", "UTC", "in: 5,400 items", "out: 5,310 items",
      ])
  }

  @Test func `an empty queue has a title and two empty charts`() throws {
    let texts = try Document(SVGPicture(.empty, .service).text).texts
    #expect(
      texts == [
        "pipe", "2026-11-20 08:15:02 UTC", "0 ready · 0 claimed · 0 later · 0 dead · 0 done",
        "service of 0 items", "ever", "not measured yet", "items in and out", "not measured yet",
      ])
  }

  @Test func `the title of a long path is the end of the path`() throws {
    let path = String(repeating: "/a", count: 100) + "/queue"
    let text = try #require(try Document(SVGPicture(.empty, .wait, title: path).text).texts.first)
    #expect(text.hasPrefix("…") && text.hasSuffix("/a/queue") && text.count == 64)
  }

  @Test func `the SVG document fetches nothing and runs nothing`() {
    let svg = SVGPicture(.hour, .wait).text
    for word in ["<script", "href", "url(", "@import", "<image", "<foreignObject"] {
      #expect(!svg.contains(word))
    }
  }
}

/// The content of the text elements, as an XML parser reads it.
private final class Document: NSObject, XMLParserDelegate {
  private(set) var texts: [String] = []
  private var current: String?

  struct Malformed: Error { let line: Int }

  init(_ svg: String) throws {
    super.init()
    let parser = XMLParser(data: Data(svg.utf8))
    parser.delegate = self
    guard parser.parse() else { throw Malformed(line: parser.lineNumber) }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    if name == "text" { current = "" }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { current? += string }

  func parser(
    _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
  ) {
    if let text = current { texts.append(text) }
    current = nil
  }
}
