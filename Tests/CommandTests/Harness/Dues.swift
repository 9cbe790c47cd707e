import Foundation

/// Renames all waiting items as due long ago; no process may have the queue open.
func makeDue(_ scratch: Scratch, in directories: String = "now later") throws {
  for directory in directories.split(separator: " ") {
    let root = "\(scratch.path)/queue/\(directory)"
    for path in try FileManager.default.subpathsOfDirectory(atPath: root) {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      guard let due = dueName(name, marks: directories.contains("later")) else { continue }
      let target = path.dropLast(name.count) + due
      try FileManager.default.moveItem(atPath: "\(root)/\(path)", toPath: "\(root)/\(target)")
    }
  }
}

private func dueName(_ name: String, marks: Bool) -> String? {
  let pieces = name.split(separator: ".").map(String.init)
  if pieces[0] == "later", pieces.count == 5 {
    let mark = "later.1.\(pieces[2]).\(pieces[3])"
    return marks ? "\(mark).\(checksum(mark))" : nil
  }
  guard let (range, state) = parts(of: name), state.hasPrefix("again.") else { return nil }
  return checked(range, state.split(separator: ".").dropLast(2).joined(separator: ".") + ".1.0")
}
