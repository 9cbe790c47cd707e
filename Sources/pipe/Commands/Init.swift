internal import PipeIO
internal import PipeEngine
internal import PipeTime

struct Init: Command {
  static let about = About("init", .putIn, "Create a queue, or change the settings of one.")

  @Group var queue: QueueOptions

  @Option("--slice", value: "n", "Items per slice of entries stored from now on (3).")
  var slice: Count?

  @Option("--retries", value: "n", "Times an item is retried before it is buried (5).")
  var retries: Bound?

  @Option(
    "--backoff", value: "duration..duration",
    "How long a failed batch waits: the first and the longest wait, doubling (1s..5m).")
  var backoff: BackoffArgument?

  @Option("--max-items", value: "n", "The most items stored and not done; 0: no limit.")
  var maxItems: Bound?

  @Option("--max-bytes", value: "size", "The most bytes stored and not done; 0: no limit.")
  var maxBytes: ByteSize?

  @Option(
    "--retain", value: "duration",
    "Keep a segment until all its items are done, and this long after its last write (7d).")
  var retain: SpanArgument?

  @Option(
    "--promote-after", value: "duration",
    "Take an item that has waited this long next, whatever its priority; 0s: never.")
  var promoteAfter: SpanArgument?

  @Option("--min-free", value: "size", "Leave this much of the file system free (64MiB).")
  var minFree: ByteSize?

  @Option(
    "--lost", value: "duration",
    "In PostgreSQL: the silence after which another host gets the claims of one (40s; 15s or more)."
  )
  var lost: SpanArgument?

  @Option("--share", value: "group", "Share the queue with this group: a name or a number.")
  var share: GroupArgument?

  @Option(
    "--grant", value: "kind=role",
    "In PostgreSQL: let a role use the queue, as a reader, producer or consumer.")
  var grant: GrantArgument?

  @Flag("--private", help: "Make the queue private to its owner again.")
  var isPrivate

  func validate() throws(Mistake) {
    if let lost, lost.span < .seconds(15) {
      throw Mistake(
        "--lost: at least 15s, the time to end commands before their items go to others")
    }
    if share != nil, isPrivate { throw Mistake("--share and --private exclude each other") }
  }

  private var access: Access? { isPrivate ? .owner : share.map { .group($0.number) } }

  func run() {
    Exit.perform("init") { () throws(Fault) in
      let diagnostics = Diagnostics(command: "init")
      let path = try queue.location.noted()
      if grant != nil, !QueueLocation.isAddress(path) { throw QueueLocation.noRoles }
      let queue = try Queue.create(
        path: path, force: queue.force, report: diagnostics.say, access: access, change: apply)
      if let grant { try queue.grant(grant.kind, to: grant.role) }
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
    if let lost { settings.lost = lost.span }
    if let minFree { settings.minFree = minFree.bytes }
  }
}
