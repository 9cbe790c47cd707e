internal import PipeEngine
internal import PipeIO
internal import PipeRender

struct Doctor: Command {
  static let about = About(
    "doctor", .repair, "Say what this machine and disk mean for the promises.")

  @Option("-q", "--queue", value: "dir", "The queue; default $PIPE_QUEUE, or the user's own.")
  var queue: String?

  @Flag("--json", help: "Print lines of JSON.")
  var json

  @Arguments("directory", "Where a queue is or will be.")
  var directory: [String]

  func validate() throws(Mistake) {
    if directory.count > 1 { throw Mistake("give one directory") }
    if directory.contains("") || queue == "" { throw Mistake("the directory is empty; name one") }
    if queue != nil, !directory.isEmpty { throw Mistake("give -q or a directory, not both") }
  }

  func run() {
    Exit.perform("doctor") { () throws(Fault) in
      let named = directory.first ?? queue
      if QueueLocation.isAddress(named ?? variable("PIPE_QUEUE") ?? "") {
        throw Fault(.usage, "doctor examines a directory; for PostgreSQL see pipe-postgres(5)")
      }
      let place = try QueueLocation(path: named).noted()
      let examination = try Examination(place)
      let output = Output()
      var isSound = true
      for check in examination.checks(at: Clock.now()) {
        guard let diagnosis = check() else { continue }
        output.append(json ? DiagnosisText(diagnosis).json : DiagnosisText(diagnosis).line)
        isSound = isSound && diagnosis.level == .ok
        try output.flush()
      }
      return isSound ? Exit.fine : Exit.someFailed
    }
  }
}
