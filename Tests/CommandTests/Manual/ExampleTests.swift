import Foundation
import Testing

@Suite("the examples of the manual")
struct ExampleTests {
  @Test("run as they stand, and print what is printed there", arguments: Page.all)
  func run(page: Page) throws {
    let scratch = try Scratch()
    let examples = page.examples
    #expect(!examples.isEmpty, "\(page.name) has no example")
    let marker = "=== \(UUID().uuidString)"
    let script = examples.map { "\($0.command)\necho '\(marker)'\n" }.joined()
    let run = try scratch.run(["bash", "-c", "exec 2>&1; \(script)"])
    let outputs = run.output.components(separatedBy: marker + "\n")
    #expect(outputs.count == examples.count + 1, run.story)
    for (example, output) in zip(examples, outputs) {
      let expected = example.output.map { $0 + "\n" }.joined()
      #expect(
        normalized(output) == normalized(expected),
        "\(page.name):\(example.line): \(example.command)\n\(run)")
    }
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
