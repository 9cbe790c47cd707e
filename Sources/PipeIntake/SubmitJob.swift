internal import Glibc
package import PipeIO
package import PipeEngine
package import PipeRender
internal import PipeTime

/// `pipe submit`, after its options are parsed.
package struct SubmitJob {
  let queue: QueueLocation
  let priority: Lane
  let schedule: Schedule
  let job: Job

  package init(queue: QueueLocation, priority: Lane, schedule: Schedule, job: Job) {
    self.queue = queue
    self.priority = priority
    self.schedule = schedule
    self.job = job
  }

  package func run() throws(Fault) -> Int32 {
    let queue = try queue.create(Diagnostics(command: "submit"))
    let appender = Appender(queue)
    var generator = ULIDGenerator()
    let now = Clock.now()
    let start = schedule.start(now)
    let options = LineOptions.column(
      key: nil, notBefore: start?.notBefore, delay: start?.delay, isJob: true)
    let entry = NewEntry(id: generator.id(at: now), priority: priority, options: options)
    var batch = WriteBatch()
    job.data.withUnsafeBytes { batch.append(entry, data: $0) }
    try appender.commit(&batch)
    let output = Output()
    output.append(batch.receipts[0].id.text + "\n")
    try output.flush()
    appender.pruneSome()
    return Exit.fine
  }
}

extension Job {
  /// The command of this command line, in this directory, with these variables of the environment;
  /// PATH is always among them. Throws if a variable is not set.
  package static func here(_ words: [[UInt8]], variables: [String]) throws(Fault) -> Job {
    var environment: [[UInt8]] = []
    let own = variables.contains { $0.hasPrefix("PATH=") } ? [] : ["PATH"]
    for name in own + variables.filter({ $0 != "PATH" }) {
      // By bytes: a combining character after the sign would hide it.
      if let equals = name.utf8.firstIndex(of: 0x3d), equals != name.startIndex {
        environment.append(name.systemBytes)
      } else if let value = getenv(name) {
        let bytes = UnsafeRawBufferPointer(start: value, count: strlen(value))
        environment.append(name.systemBytes + [0x3d] + Array(bytes))
      } else if name != "PATH" {
        throw Fault(.usage, "--env \(printable(name)): is not set; give NAME=value or set it")
      }
    }
    guard let directory = getcwd(nil, 0) else { throw Fault("find", "the working directory") }
    defer { free(directory) }
    return Job(
      words: words,
      directory: Array(UnsafeRawBufferPointer(start: directory, count: strlen(directory))),
      environment: environment)
  }
}
