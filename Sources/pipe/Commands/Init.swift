internal import ArgumentParser
internal import PipeIO
internal import PipeQueue
internal import PipeTime

struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Create a queue, or change the settings of one.")

  @OptionGroup var queue: QueueOptions

  @Option(help: ArgumentHelp("Items per slice of entries stored from now on (3).", valueName: "n"))
  var slice: Count?

  @Option(
    help: ArgumentHelp("Times an item is retried before it is buried (5).", valueName: "n"))
  var retries: Bound?

  @Option(
    help: ArgumentHelp(
      "How long a failed batch waits: the first and the longest wait, doubling (1s..5m).",
      valueName: "duration..duration"))
  var backoff: BackoffArgument?

  @Option(help: ArgumentHelp("The most items stored and not done; 0: no limit.", valueName: "n"))
  var maxItems: Bound?

  @Option(help: ArgumentHelp("The most bytes stored and not done; 0: no limit.", valueName: "size"))
  var maxBytes: ByteSize?

  @Option(
    help: ArgumentHelp(
      "Keep a segment this long after all its items are done (7d).", valueName: "duration"))
  var retain: SpanArgument?

  @Option(
    help: ArgumentHelp(
      "Take an item that has waited this long next, whatever its priority; 0s: never.",
      valueName: "duration"))
  var promoteAfter: SpanArgument?

  @Option(help: ArgumentHelp("Leave this much of the file system free (64MiB).", valueName: "size"))
  var minFree: ByteSize?

  @Option(
    help: ArgumentHelp("Share the queue with this group: a name or a number.", valueName: "group"))
  var share: GroupArgument?

  @Flag(name: .customLong("private"), help: "Make the queue private to its owner again.")
  var isPrivate = false

  func validate() throws {
    if share != nil, isPrivate { throw ValidationError("--share and --private exclude each other") }
  }

  private var access: Access? { isPrivate ? .owner : share.map { .group($0.number) } }

  func run() {
    Exit.perform("init") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "init")
      _ = try Queue.create(
        path: try queue.location.noted(), force: queue.force, report: diagnostics.say,
        access: access, change: apply)
      return Exit.fine
    }
  }

  private func apply(to settings: inout Settings) {
    if let slice { settings.slice = slice.value }
    if let retries { settings.retries = retries.value ?? 0 }
    if let backoff { settings.backoff = backoff.backoff }
    if let maxItems { settings.maxItems = maxItems.value }
    if let maxBytes { settings.maxBytes = maxBytes.bytes > 0 ? maxBytes.bytes : nil }
    if let retain { settings.retain = retain.span }
    if let promoteAfter {
      settings.promoteAfter = promoteAfter.span > .zero ? promoteAfter.span : nil
    }
    if let minFree { settings.minFree = minFree.bytes }
  }
}
