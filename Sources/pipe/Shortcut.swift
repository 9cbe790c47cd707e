internal import PipeIntake
internal import PipeQueue
internal import PipeRender

/// Reads one form of command line, which shell loops run by the thousand, without the argument
/// parser: the parser takes a millisecond, as long as the rest of a durable `enqueue` of one line.
/// Everything else, including mistakes, is left to the parser.
enum Shortcut {
  /// `arguments`: with the program's name first.
  static func enqueue(_ arguments: [String]) -> EnqueueJob? {
    guard arguments.count > 1, arguments[1] == "enqueue" else { return nil }
    var job = EnqueueJob()
    var index = 2
    var isNull = false
    while index < arguments.count {
      switch arguments[index] {
      case "--raw": job.raw = true
      case "--text": job.text = job.text ?? .newline
      case "-0": isNull = true
      case "--quiet": job.quiet = true
      case "-q", "--queue":
        index += 1
        guard index < arguments.count, !arguments[index].isEmpty, !arguments[index].hasPrefix("-")
        else { return nil }
        job.queue.path = arguments[index]
      case "--dedup":
        index += 1
        guard index < arguments.count, let window = SpanArgument(argument: arguments[index]) else {
          return nil
        }
        job.dedup = window.span
      default: return nil
      }
      index += 1
    }
    if isNull || job.text != nil {
      // Mistakes are left to the parser.
      guard job.text != nil, !job.raw else { return nil }
      job.text = isNull ? .null : .newline
    }
    return job
  }
}
