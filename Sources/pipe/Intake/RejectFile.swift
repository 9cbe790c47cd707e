internal import Glibc
internal import PipeIO

/// Where `--reject FILE` keeps the lines that were not accepted, as they came.
struct RejectFile {
  private let output: Output?

  init(_ path: String?) throws(Fault) {
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
