internal import PipeIO
internal import PipeJSON
internal import PipeEngine
internal import PipeWork

struct Route: Command {
  static let about = About(
    "route", .takeOut, "Move entries to other queues, chosen by a member's value, or to several.")

  @Group var queue: QueueOptions

  @Option(
    "--on", value: "field",
    "The member whose value selects the queue; dots reach into objects, \\. is a dot in a name.")
  var on: String?

  @Option("--to", value: "dir", "Copy each entry to this queue; may be repeated.")
  var to: [String]

  @Flag("--follow", help: "Wait for more instead of ending when nothing is ready.")
  var follow

  @Group var progress: ProgressOptions

  @Arguments("value=dir", "With --on: a value and its queue; *=DIR is for all other values.")
  var rules: [Rule]

  func validate() throws(Mistake) {
    if on == nil, !rules.isEmpty { throw Mistake("VALUE=DIR needs --on FIELD") }
    if on != nil, rules.isEmpty { throw Mistake("--on needs VALUE=DIR, or '*=DIR'") }
    if (on == nil) == to.isEmpty {
      throw Mistake("give --on FIELD VALUE=DIR …, or --to DIR …")
    }
    if to.contains("") { throw Mistake("--to is empty; name a directory") }
    if let on, FieldPath(on) == nil { throw Mistake("--on: \(on) is not a member name") }
    try requireText(on, "--on")
    let values = rules.map(\.value)
    for value in values { try requireText(value, "the value \(value)") }
    var seen: Set<String> = []
    if let twice = values.first(where: { !seen.insert($0).inserted }) {
      throw Mistake("\(twice) has two queues; use --to to copy to several")
    }
  }

  func run() {
    Exit.perform("route") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "route")
      ignoreBrokenPipes()
      let origin =
        try follow
        ? queue.location.create(diagnostics)
        : queue.location.open(diagnostics)
      let destinations = Destinations(origin, force: queue.force, diagnostics)
      let table = try table(destinations)
      let source = try BatchSource(origin, Limits(size: nil, batches: .max, follow: follow))
      if !progress.quiet { source.showProgress(sharesOutput: true) }
      let job = RouteJob(source, table, destinations.all, diagnostics)
      return try source.conclude(job.run)
    }
  }

  private func table(_ destinations: Destinations) throws(Fault) -> RouteTable {
    guard let on, let path = FieldPath(on) else {
      for name in to { _ = try destinations.named(name) }
      return .toAll(destinations.all)
    }
    var named: [String: Destination] = [:]
    var otherwise: Destination?
    for rule in rules {
      let destination = try destinations.named(rule.queue)
      if rule.value == "*" { otherwise = destination } else { named[rule.value] = destination }
    }
    return .byValue(path, named, otherwise: otherwise)
  }
}

/// `error=/var/spool/errors`: the value is everything before the last equals sign.
struct Rule: OptionValue {
  static let form: String? = "a value and its queue: error=errors"

  let value: String
  let queue: String

  init?(argument: String) {
    // By bytes: a combining character after the sign would hide it.
    let bytes = argument.utf8
    guard let sign = bytes.lastIndex(of: 0x3d), bytes.index(after: sign) < bytes.endIndex
    else { return nil }
    value = String(Substring(bytes[..<sign]))
    queue = String(Substring(bytes[bytes.index(after: sign)...]))
  }
}
