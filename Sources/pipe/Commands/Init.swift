internal import ArgumentParser
internal import PipeIO
internal import PipeQueue

struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Create a queue, or change the settings of one.")

  @OptionGroup var queue: QueueOptions

  @Option(help: ArgumentHelp("Items a slice of entries stored from now on.", valueName: "n"))
  var slice: Count?

  @Option(help: ArgumentHelp("The most items stored and not done; 0: no bound.", valueName: "n"))
  var maxItems: Int?

  @Option(help: ArgumentHelp("The most bytes stored and not done; 0: no bound.", valueName: "size"))
  var maxBytes: ByteSize?

  @Option(
    help: ArgumentHelp("Keep segments so long after all in them is done.", valueName: "duration"))
  var retain: Duration?

  @Option(help: ArgumentHelp("Leave this much of the file system free.", valueName: "size"))
  var minFree: ByteSize?

  func validate() throws {
    if let maxItems, maxItems < 0 { throw ValidationError("--max-items is not a number of items") }
  }

  func run() {
    Exit.perform("init") { () throws(Fault) in
      _ = try Queue.create(path: try queue.location.resolved(), force: queue.force) { settings in
        if let slice { settings.slice = slice.value }
        if let maxItems { settings.maxItems = maxItems > 0 ? maxItems : nil }
        if let maxBytes { settings.maxBytes = maxBytes.bytes > 0 ? maxBytes.bytes : nil }
        if let retain { settings.retain = retain.microseconds }
        if let minFree { settings.minFree = minFree.bytes }
      }
      return Exit.fine
    }
  }
}
