import Foundation
import Testing

enum Ending: Equatable {
  case exited(Int32)
  case killed(Int32)
  /// Nothing happened for a minute, so the test killed it.
  case hung

  init(status: Int32) {
    let signal = status & 0x7f
    self = signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
  }
}

/// A program that has ended, with all that is needed to run it again.
struct Run: CustomStringConvertible {
  let program: [String]
  let directory: String
  let input: [UInt8]
  let ending: Ending
  let bytes: [UInt8]
  let errors: String

  var output: String { String(decoding: bytes, as: UTF8.self) }

  /// Lines of stdout without their newlines.
  var lines: [String] {
    output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).dropLast(1)
  }

  var receipts: [String] {
    lines.compactMap {
      $0.hasPrefix(#"{"ingestion_id":""#) ? String($0.dropFirst(17).prefix(26)) : nil
    }
  }

  /// Each line of stdout as a JSON object; throws if one is not.
  func objects() throws -> [[String: Any]] {
    try lines.map { line in
      let value = try JSONSerialization.jsonObject(with: Data(line.utf8))
      guard let object = value as? [String: Any] else {
        throw Failure("no object: \(line)\n\(self)")
      }
      return object
    }
  }

  var description: String {
    """

    cwd:    \(directory)
    argv:   \(program.map(Run.quoted).joined(separator: " "))
    stdin:  \(Run.excerpt(input))
    status: \(ending)
    stdout: \(Run.excerpt(bytes))
    stderr: \(Run.excerpt(Array(errors.utf8)))
    """
  }

  var story: Comment { Comment(rawValue: description) }

  private static func quoted(_ argument: String) -> String {
    argument.contains { " '\"\n|&;<>$*".contains($0) } ? "'\(argument)'" : argument
  }

  private static func excerpt(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix(2000), as: UTF8.self)
      + (bytes.count > 2000 ? "… (\(bytes.count) bytes)" : "")
  }

  /// Compares with what a user would see; nil is not compared. stderr must be empty by default.
  @discardableResult
  func expect(
    _ output: String? = nil, errors: String? = "", status: Int32 = 0, _ why: String = "",
    at location: SourceLocation = #_sourceLocation
  ) -> Run {
    expect(output, errors: errors, ending: .exited(status), why, at: location)
  }

  @discardableResult
  func expect(
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
