internal import CPipeIO
internal import Glibc

/// Why a command could not be started, and the way out.
struct Refusal {
  private let name: String
  private let path: String?
  private let code: Int32

  /// `name`: as given, found in `path` (directories with colons between them) unless it has a slash.
  /// `directory`: where a relative name begins. `code`: the errno of execve(2).
  init(_ name: String, in path: String?, directory: String = "", code: Int32) {
    self.name = name
    self.code = code
    self.path = Program.places(of: name, in: path, directory: directory).first { place in
      var found = stat()
      return place.withSystemText { stat($0, &found) } == 0
    }
  }

  /// One clause for a message: the name, the reason and what to do.
  var text: String { "\(printable(name)): \(reason)" }

  private var reason: String {
    guard let path else { return name.contains("/") ? usual : "not found in PATH" }
    var found = stat()
    guard path.withSystemText({ stat($0, &found) }) == 0 else { return usual }
    if found.st_mode & S_IFMT == S_IFDIR { return "is a directory, not a command" }
    switch code {
    case EACCES where found.st_mode & 0o111 == 0:
      return "is not executable; run chmod +x \(printable(name))"
    case ENOEXEC where found.st_size == 0: return "is an empty file"
    case ENOEXEC: return "has no #! line; begin the script with #!/bin/sh"
    case ENOENT: return ofInterpreter(path)
    default: return usual
    }
  }

  private var usual: String { String(cString: strerror(code)) }

  // The file is there, so what runs it is missing.
  private func ofInterpreter(_ path: String) -> String {
    let line = Refusal.firstLine(path)
    guard line.starts(with: "#!".utf8) else { return "its loader is missing; file(1) names it" }
    let words = line.dropFirst(2).split { $0 == 0x20 || $0 == 0x09 }
    if line.last == 0x0d {
      return "its first line ends with a carriage return; run sed -i 's/\\r$//' \(printable(name))"
    }
    let interpreter = words.first.map { String(systemBytes: Array($0)) } ?? ""
    return "its interpreter \(printable(interpreter)) does not exist"
  }

  private static func firstLine(_ path: String) -> [UInt8] {
    let fd = openFile(path, O_RDONLY | O_NONBLOCK)
    guard fd >= 0 else { return [] }
    defer { close(fd) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = retryingInterrupts { Glibc.read(fd, &bytes, bytes.count) }
    return Array(bytes.prefix(max(0, count)).prefix { $0 != 0x0a })
  }
}

/// Where a command is looked for, as execvp(3) does.
package enum Program {
  /// `name`: as given, found in `path` (directories with colons between them; nil for the usual ones)
  /// unless it has a slash. `directory`: where relative names begin; empty for the working directory.
  package static func places(
    of name: String, in path: String?, directory: String = ""
  ) -> [String] {
    let base = { (place: String) in
      place.hasPrefix("/") || directory.isEmpty ? place : "\(directory)/\(place)"
    }
    if name.contains("/") { return [base(name)] }
    let parts = (path ?? "/bin:/usr/bin").split(separator: ":", omittingEmptySubsequences: false)
    return parts.map { base($0.isEmpty ? "." : String($0)) + "/" + name }
  }

  package static func isExecutable(_ path: String) -> Bool {
    path.withSystemText { cpipe_is_executable($0) != 0 }
  }
}
