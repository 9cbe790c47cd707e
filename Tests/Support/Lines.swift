import Foundation

/// The lines of `bytes`; a rest without a newline is not one.
package func completeLines(_ bytes: [UInt8]) -> [String] {
  bytes.split(separator: 0x0a, omittingEmptySubsequences: false).dropLast()
    .map { String(decoding: $0, as: UTF8.self) }
}

/// Throws if the line is not a JSON object.
package func jsonObject(_ line: String) throws -> [String: Any] {
  guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
  else { throw Failure("no object: \(line)") }
  return object
}
