import Foundation
package import Testing

package enum Ending: Equatable, Sendable {
  case exited(Int32)
  case killed(Int32)
  /// Nothing happened for minutes, so the test killed it.
  case hung

  init(status: Int32) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
  }
}

package struct Failure: Error, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

/// A program that has ended, with all that is needed to run it again.
package struct Run: CustomStringConvertible {
  package let command: Command
  package let input: [UInt8]
  package let ending: Ending
  /// Of its stdout.
  package let bytes: [UInt8]
  package let errors: String

  package var output: String { String(decoding: bytes, as: UTF8.self) }

  /// Complete lines of stdout.
  package var lines: [String] { completeLines(bytes) }

  /// Ids of the receipts that were printed completely.
  package var receipts: [String] {
    lines.compactMap { line in
      guard line.hasPrefix(#"{"ingestion_id":""#), line.hasSuffix("}") else { return nil }
      return String(line.dropFirst(17).prefix(26))
    }
  }

  /// Each line of stdout as a JSON object; throws if one is not.
  package func objects() throws -> [[String: Any]] {
    do { return try lines.map(jsonObject) } catch { throw Failure("\(error)\n\(self)") }
  }

  package var description: String {
    """

    cwd:    \(command.scratch?.path ?? FileManager.default.currentDirectoryPath)
    argv:   \(command.arguments.map(Run.quoted).joined(separator: " "))
    stdin:  \(Run.excerpt(input))
    status: \(ending)
    stdout: \(Run.excerpt(bytes))
    stderr: \(Run.excerpt(Array(errors.utf8)))
    """
  }

  package var story: Comment { Comment(rawValue: description) }

  private static func quoted(_ argument: String) -> String {
    argument.contains { " '\"\n|&;<>$*".contains($0) } ? "'\(argument)'" : argument
  }

  fileprivate static func excerpt(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix(2000), as: UTF8.self)
      + (bytes.count > 2000 ? "… (\(bytes.count) bytes)" : "")
  }
}

extension Run {
  /// For a preparation.
  @discardableResult
  package func mustSucceed() throws -> Run {
    guard ending == .exited(0) else { throw Failure("a preparation failed: \(self)") }
    return self
  }

  /// Compares with what a user would see; nil is not compared. stderr must be empty by default.
  @discardableResult
  package func expect(
    _ output: String? = nil, errors: String? = "", status: Int32 = 0, _ why: String = "",
    at location: SourceLocation = #_sourceLocation
  ) -> Run {
    expect(output, errors: errors, ending: .exited(status), why, at: location)
  }

  @discardableResult
  package func expect(
    _ output: String? = nil, errors: String? = "", ending: Ending, _ why: String = "",
    at location: SourceLocation = #_sourceLocation
  ) -> Run {
    var wrong: [String] = []
    if self.ending != ending { wrong.append("status \(ending)") }
    if let output, output != self.output {
      wrong.append("stdout \(Run.excerpt(Array(output.utf8)))")
    }
    if let errors, errors != self.errors { wrong.append("stderr \(errors)") }
    if !wrong.isEmpty {
      let text = "\(why) expected \(wrong.joined(separator: "\nexpected "))\n\(self)"
      Issue.record(Comment(rawValue: text), sourceLocation: location)
    }
    return self
  }
}
