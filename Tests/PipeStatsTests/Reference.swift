import Foundation

/// What SciPy computed, stored beside the script that asked it: rows of fields.
func reference(_ name: String) throws -> [[String]] {
  let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Reference/\(name).tsv")
  return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
}

/// Whether two numbers agree, as a part of the expected one or at the very least to 10⁻¹⁵.
func close(_ found: Double?, _ expected: Double, within part: Double = 1e-9) -> Bool {
  guard let found else { return false }
  return abs(found - expected) <= max(abs(expected) * part, 1e-15)
}
