internal import PipeQueue
internal import PipeIntake

/// The one form of command line that shell loops run by the thousand, read without the argument parser:
/// that one takes a millisecond, as much as all the rest of a durable `enqueue` of one line. Anything
/// else, a mistake too, is left to it.
enum Shortcut {
  /// `arguments`: with the program's name in front.
  static func enqueue(_ arguments: [String]) -> EnqueueJob? {
    guard arguments.count > 1, arguments[1] == "enqueue" else { return nil }
    var job = EnqueueJob()
    var index = 2
    while index < arguments.count {
      switch arguments[index] {
      case "--raw": job.raw = true
      case "--quiet": job.quiet = true
      case "-q", "--queue":
        index += 1
        guard index < arguments.count, !arguments[index].isEmpty, !arguments[index].hasPrefix("-")
        else { return nil }
        job.queue.path = arguments[index]
      case "--dedup":
        index += 1
        guard index < arguments.count, let window = Duration(argument: arguments[index]) else {
          return nil
        }
        job.dedup = window.microseconds
      default: return nil
      }
      index += 1
    }
    return job
  }
}
