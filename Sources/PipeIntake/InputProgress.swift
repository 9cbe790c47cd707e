internal import Glibc
internal import PipeIO
internal import PipeRender
internal import PipeTime

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
  init?(_ sources: [Input.Source]) {
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
