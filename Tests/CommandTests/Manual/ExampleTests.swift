import Foundation
import Testing

@Suite("the examples of the manual")
struct ExampleTests {
  @Test("run as they stand, and print what is printed there", arguments: Page.all)
  func run(page: Page) throws {
    try page.check(in: Scratch())
  }

  @Test("are where people look for them: each page but the README has a section for them")
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
