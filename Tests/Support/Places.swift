import Foundation

package enum Binary {
  /// $PIPE_BINARY, or the binary that the build left beside the tests.
  package static let path: String = {
    if let given = ProcessInfo.processInfo.environment["PIPE_BINARY"], !given.isEmpty {
      return URL(fileURLWithPath: given).standardizedFileURL.path
    }
    return besideTests
  }()

  /// The binary that the build left beside the tests. It is linked dynamically, so that a preloaded library
  /// can set its clock.
  package static let besideTests: String = {
    let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
    var directory = URL(fileURLWithPath: bundle)
    while directory.path.contains(".xctest") { directory.deleteLastPathComponent() }
    return directory.appendingPathComponent("pipe").path
  }()
}

package enum Repository {
  package static let path = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3)
    .joined(separator: "/").replacingOccurrences(of: "//", with: "/")
}

/// Where a program of this name is, as a shell would find it.
package func location(of program: String, in path: String) -> String? {
  if program.contains("/") { return program }
  return path.split(separator: ":").map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
}
