import Foundation
import TestSupport
import Testing

extension Page {
  /// Runs all examples of the page in one shell, and compares their output with the page.
  func check(
    in scratch: Scratch, shell: String = "bash", _ environment: [String: String] = [:]
  ) throws {
    let examples = examples
    #expect(!examples.isEmpty, "\(name) has no example")
    let marker = "=== \(UUID().uuidString)"
    let script = examples.map { "\($0.command)\necho '\(marker)'\n" }.joined()
    // A background job left by an example would keep the test waiting. zsh has no `jobs -p` of this form.
    let start = shell == "zsh" ? "" : "trap 'kill $(jobs -p) 2> rest' EXIT; "
    let run = try scratch.run([shell, "-c", "exec 2>&1; \(start)\(script)"], environment)
    let outputs = run.output.components(separatedBy: marker + "\n")
    #expect(outputs.count == examples.count + 1, run.story)
    for (example, output) in zip(examples, outputs) {
      let expected = example.output.map { $0 + "\n" }.joined()
      #expect(
        normalized(output) == normalized(expected),
        "\(name):\(example.line) in \(shell): \(example.command)\n\(run)")
    }
  }
}
