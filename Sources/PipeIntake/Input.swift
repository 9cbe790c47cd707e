internal import Glibc
package import PipeIO

/// The files that a filter reads, one after the other; stdin where none is named or `-` is.
package enum Input {
  /// The name that messages use.
  package typealias Source = (name: String, file: Descriptor)

  static func open(_ names: [String]) throws(Fault) -> [Source] {
    if names.isEmpty { return [standard] }
    var sources: [Source] = []
    for name in names {
      if name == "-" {
        sources.append(standard)
        continue
      }
      let number = openFile(name, O_RDONLY)
      if number < 0 { throw Fault("open", name) }
      sources.append((name, Descriptor(owning: number, path: name)))
    }
    return sources
  }

  package static var standard: Source { ("stdin", Descriptor.standardInput) }

  /// Without its byte-order mark, which may stand at the start of a file; nil for a blank line.
  package static func content(_ line: UnsafeRawBufferPointer, isFirst: Bool)
    -> UnsafeRawBufferPointer?
  {
    var rest = line
    if isFirst, line.count >= 3, line[0] == 0xef, line[1] == 0xbb, line[2] == 0xbf {
      rest = UnsafeRawBufferPointer(rebasing: line[3...])
    }
    let isBlank = rest.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
    return isBlank ? nil : rest
  }
}

/// Where `--reject FILE` keeps the lines that were not accepted, as they came.
package struct RejectFile {
  private let output: Output?

  package init(_ path: String?) throws(Fault) {
    guard let path else {
      output = nil
      return
    }
    let number = openFile(path, O_WRONLY | O_CREAT | O_APPEND)
    if number < 0 { throw Fault("open", path) }
    output = Output(number, name: path)
  }

  var isKeeping: Bool { output != nil }

  func keep(_ line: UnsafeRawBufferPointer, endsLine: Bool = true) throws(Fault) {
    guard let output else { return }
    output.append(line)
    if endsLine { output.append("\n") }
    try output.flush()
  }
}
