/// The one form of command line that shell loops run by the thousand, read without the argument parser:
/// that one takes a millisecond, as much as all the rest of a durable `enqueue` of one line. Anything
/// else, a mistake too, is left to it.
enum Shortcut {
  static func enqueue(_ arguments: [String]) -> EnqueueJob? {
    guard arguments.first == "enqueue" else { return nil }
    var job = EnqueueJob()
    var rest = arguments.dropFirst()
    while let word = rest.popFirst() {
      switch word {
      case "--raw": job.raw = true
      case "--quiet": job.quiet = true
      case "-q", "--queue":
        guard let path = rest.popFirst(), !path.isEmpty, !path.hasPrefix("-") else { return nil }
        job.queue.path = path
      default: return nil
      }
    }
    return job
  }
}
