import Foundation
import TestSupport
import Testing

@Suite("Examples in the manual")
struct ExampleTests {
  @Test("the examples of each page run and print what the page shows", arguments: Page.all)
  func run(page: Page) throws {
    try page.check(in: Scratch())
  }

  @Test("each manual page has the standard sections, EXAMPLES among them")
  func sections() {
    let sections = [
      "NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "EXIT STATUS", "EXAMPLES", "SEE ALSO",
    ]
    for page in Page.all where page.name.hasSuffix(".1") {
      let found = page.text.matches(of: #/(?m)^\.Sh (.*)$/#).map { String($0.1) }
      #expect(found.filter(sections.contains) == sections, "\(page.name)")
    }
  }
}
