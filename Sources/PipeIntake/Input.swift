internal import Glibc
package import PipeIO
internal import PipeRender
internal import PipeTime

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
      let fd = openFile(name, O_RDONLY)
      if fd < 0 { throw Fault("open", name) }
      sources.append((name, Descriptor(owning: fd, path: name)))
    }
    return sources
  }

  package static var standard: Source { ("stdin", Descriptor.standardInput) }

  /// Tells a person at a terminal that stdin is read; a program that waits looks broken.
  static func announce(
    _ sources: some Collection<Source>, _ diagnostics: Diagnostics, items: String = "lines"
  ) {
    guard sources.contains(where: { $0.file.fd == STDIN_FILENO }), isatty(STDIN_FILENO) != 0,
      isatty(STDERR_FILENO) != 0
    else { return }
    diagnostics.say(
      "reading \(items) from the terminal; ^D at the start of a line ends them", .info)
  }

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
  private let terminator: UInt8

  package init(_ path: String?, terminator: UInt8 = 0x0a) throws(Fault) {
    self.terminator = terminator
    guard let path else {
      output = nil
      return
    }
    let fd = openFile(path, O_WRONLY | O_CREAT | O_APPEND)
    if fd < 0 { throw Fault("open", path) }
    output = Output(fd, name: path)
  }

  var isKeeping: Bool { output != nil }

  func keep(_ line: UnsafeRawBufferPointer, endsLine: Bool = true) throws(Fault) {
    guard let output else { return }
    output.append(line)
    if endsLine { output.bytes.append(terminator) }
    try output.flush()
  }
}

/// The progress line of a filter: how much of its input it has read.
struct InputProgress {
  private let line: ProgressLine
  private let text = ProgressText("line")
  /// Bytes of all sources from where reading began; nil unless all are regular files.
  private let total: Int?
  /// Bytes of the sources before the current one.
  private var before = 0
  private var current: (file: Descriptor, start: Int, size: Int)?

  /// nil if no person can see the line.
  init?(_ sources: some Collection<Input.Source>) {
    guard ProgressLine.isVisible() else { return nil }
    let sizes = sources.map { InputProgress.rest(of: $0.file) }
    total = sizes.contains(where: { $0 == nil }) ? nil : sizes.reduce(0) { $0 + $1!.size }
    guard let line = ProgressLine(interval: .milliseconds(200), isInformed: total != nil) else {
      return nil
    }
    self.line = line
  }

  mutating func begin(_ source: Input.Source) {
    before += current?.size ?? 0
    current = InputProgress.rest(of: source.file).map { (source.file, $0.start, $0.size) }
  }

  /// Not before the first line: by then the filter that sends it has taken its turn.
  func update(lines: Int) {
    if lines > 0 { line.update { text.line(lines, share: share) } }
  }

  private var share: Double? {
    guard let total, total > 0, let current else { return nil }
    let read = Int(lseek(current.file.fd, 0, SEEK_CUR)) - current.start
    return min(1, Double(before + read) / Double(total))
  }

  // nil if it is not a regular file.
  private static func rest(of file: Descriptor) -> (start: Int, size: Int)? {
    let start = Int(lseek(file.fd, 0, SEEK_CUR))
    guard start >= 0, let size = try? file.size() else { return nil }
    return (start, max(0, size - start))
  }
}
