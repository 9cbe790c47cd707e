internal import Glibc
package import PipeIO

/// The input files of a filter, in order; stdin if none is named, and for `-`.
package enum Input {
  /// `name`: for messages.
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

  /// The line without a byte-order mark, which may begin a file; nil for a blank line.
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

/// The file of `--reject FILE`, which gets the rejected lines unchanged.
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
