internal import Glibc

// Names of users and groups, out of the two files alone: a static binary has no other directory service.

/// `user ann (1000)`, or `user 1000` where the number has no name.
package func userText(_ number: UInt32) -> String {
  "user " + (name(number, in: "/etc/passwd").map { "\($0) (\(number))" } ?? "\(number)")
}

package func groupText(_ number: UInt32) -> String {
  "group " + (name(number, in: "/etc/group").map { "\($0) (\(number))" } ?? "\(number)")
}

/// For a command line: the name, or `#1000` as sudo(8) takes it.
package func userWord(_ number: UInt32) -> String {
  name(number, in: "/etc/passwd") ?? "'#\(number)'"
}

package func groupWord(_ number: UInt32) -> String {
  name(number, in: "/etc/group") ?? "\(number)"
}

/// The number of a group that is named or numbered.
package func groupNumber(_ text: String) -> UInt32? {
  for columns in entries("/etc/group") where columns[0] == text { return UInt32(columns[2]) }
  // 4294967295 means "leave it as it is" to chown(2).
  guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
  return UInt32(text).flatMap { $0 == .max ? nil : $0 }
}

private func name(_ number: UInt32, in path: String) -> String? {
  entries(path).first { UInt32($0[2]) == number }.map { printable(String($0[0])) }
}

// name:password:number:…
private func entries(_ path: String) -> [[Substring]] {
  (textOfFile(path) ?? "").split(separator: "\n").map {
    $0.split(separator: ":", omittingEmptySubsequences: false)
  }.filter { $0.count > 2 }
}

/// All of a small file of the system; nil where it cannot be read.
package func textOfFile(_ path: String) -> String? {
  guard let file = fopen(path, "re") else { return nil }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = fread(&buffer, 1, buffer.count, file)
    if count == 0 { return String(decoding: bytes, as: UTF8.self) }
    bytes.append(contentsOf: buffer[..<count])
  }
}
