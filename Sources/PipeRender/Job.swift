internal import PipeJSON

/// A command that `submit` stored, with its surroundings: `{"argv":["gzip","a b"],"cwd":"/tmp","env":["PATH=/bin"]}`.
/// Its texts are those of `TextItem`.
package struct Job {
  package let words: [[UInt8]]
  package let directory: [UInt8]
  /// `NAME=value`.
  package let environment: [[UInt8]]

  package init(words: [[UInt8]], directory: [UInt8], environment: [[UInt8]]) {
    self.words = words
    self.directory = directory
    self.environment = environment
  }

  /// How its data begin.
  static let start = Array(#"{"argv":"#.utf8)

  package var data: [UInt8] {
    var out = Job.start
    Job.append(words, to: &out)
    JSONWriter.append(#","cwd":"#, to: &out)
    directory.withUnsafeBytes { TextItem.append($0, to: &out) }
    JSONWriter.append(#","env":"#, to: &out)
    Job.append(environment, to: &out)
    out.append(0x7d)
    return out
  }

  private static func append(_ texts: [[UInt8]], to out: inout [UInt8]) {
    out.append(0x5b)
    for (index, text) in texts.enumerated() {
      if index > 0 { out.append(0x2c) }
      text.withUnsafeBytes { TextItem.append($0, to: &out) }
    }
    out.append(0x5d)
  }

  /// nil unless `data` has this form, with at least one word and no NUL in any text.
  package init?(_ data: UnsafeRawBufferPointer) {
    var scanner = LineScanner(watching: ["argv", "cwd", "env"])
    guard let value = try? scanner.scan(data), value.kind == .object,
      let argv = scanner[0], let cwd = scanner[1], let env = scanner[2],
      let words = Job.texts(argv, data), !words.isEmpty, !words[0].isEmpty,
      let environment = Job.texts(env, data)
    else { return nil }
    self.words = words
    directory = Job.text(cwd, data)
    self.environment = environment
    if (words + [directory] + environment).contains(where: { $0.contains(0) }) { return nil }
  }

  private static func texts(_ span: Span, _ data: UnsafeRawBufferPointer) -> [[UInt8]]? {
    guard span.kind == .array else { return nil }
    return Elements(of: span, in: data).map { text($0, data) }
  }

  private static func text(_ span: Span, _ data: UnsafeRawBufferPointer) -> [UInt8] {
    var out: [UInt8] = []
    TextItem.appendPlain(UnsafeRawBufferPointer(rebasing: data[span.range]), to: &out)
    return out
  }
}
