import Foundation

/// Results of SciPy, stored beside the script that computed them: rows of fields.
func reference(_ name: String) throws -> [[String]] {
  let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "Reference/\(name).tsv")
  return try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
}

/// Whether two numbers agree, relative to the expected one or at least to 10⁻¹⁵.
func close(_ found: Double?, _ expected: Double, within part: Double = 1e-9) -> Bool {
  guard let found else { return false }
  return abs(found - expected) <= max(abs(expected) * part, 1e-15)
}
