/// A command of `pipe`. Its stored properties declare what may follow its name, in the order of its
/// `--help`: this one definition gives parsing, `--help` and completions.
protocol Command: OptionGroup {
  static var about: About { get }
  func run()
}

/// What `pipe --help` says about a command.
struct About {
  /// What a command is for; `--help` lists the commands of a group together.
  enum Group: String, CaseIterable {
    case putIn = "Put in"
    case takeOut = "Take out"
    case look = "Look"
    case control = "Control"
    case repair = "Repair"
    case serve = "Serve"
  }

  let name: String
  let group: Group
  let summary: String

  init(_ name: String, _ group: Group, _ summary: String) {
    self.name = name
    self.group = group
    self.summary = summary
  }
}

/// Options that belong together; several commands may have them.
protocol OptionGroup {
  init()
  /// Checks what no option can check alone. Runs after all words are read.
  func validate() throws(Mistake)
}

extension OptionGroup {
  func validate() throws(Mistake) {}
}

/// One option, flag or kind of argument.
struct Declaration {
  /// `-q` and `--queue`; empty for arguments.
  let names: [String]
  /// The name of its value, such as `dir`; nil for a flag.
  let value: String?
  let help: String
  /// nil: a flag.
  private let type: (any OptionValue.Type)?
  /// false: the text is not such a value.
  let take: (String) -> Bool
  /// Not nil: the value may be left out.
  var takeAlone: (() -> Void)?
  var isRepeatable = false
  /// Whether it takes all words up to the next option.
  var takesSeveral = false

  init(
    _ names: [String], _ value: String?, _ help: String, _ type: (any OptionValue.Type)?,
    take: @escaping (String) -> Bool
  ) {
    self.names = names
    self.value = value
    self.help = help
    self.take = take
    self.type = type
  }

  /// What a value looks like.
  var form: String? { type?.form }

  /// Values that a shell offers.
  var words: [String] { type?.words ?? [] }

  /// The name to type: the long one if there is one.
  var name: String { names.last! }

  /// `-n5` is `-n 5`, as in head(1), unless the option has a long name.
  var isJoinable: Bool { value != nil && names.count == 1 && names[0].utf8.count == 2 }

  /// As diagnostics show it: `--queue <dir>`, or `<id>` for arguments.
  func shown(_ name: String) -> String {
    [name, value.map { "<\($0)>" } ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
  }
}

/// What may follow the name of a command.
struct Grammar {
  private(set) var options: [Declaration] = []
  private(set) var arguments: Declaration?
  private(set) var place = ArgumentPlace.anywhere
  private(set) var isRequired = false
  /// Checks what no option can check alone.
  private(set) var check: () throws(Mistake) -> Void = {}

  // A command line is read once, before the process has a second thread.
  nonisolated(unsafe) private static var current = Grammar()

  /// Creates a command, and collects what its properties declare.
  static func of(_ type: any Command.Type) -> (command: any Command, grammar: Grammar) {
    current = Grammar()
    current.options.reserveCapacity(32)
    let command = type.init()
    declare { () throws(Mistake) in try command.validate() }
    declare(Declaration(["--version"], nil, "Show the version.", nil) { _ in true })
    declare(Declaration(["-h", "--help"], nil, "Show help information.", nil) { _ in true })
    return (command, current)
  }

  static func declare(_ option: Declaration) { current.options.append(option) }

  static func declare(_ arguments: Declaration, _ place: ArgumentPlace, isRequired: Bool) {
    current.arguments = arguments
    current.place = place
    current.isRequired = isRequired
  }

  static func declare(check: @escaping () throws(Mistake) -> Void) {
    let others = current.check
    current.check = { () throws(Mistake) in
      try others()
      try check()
    }
  }

  func option(_ name: some StringProtocol) -> Declaration? {
    options.first { $0.names.contains { $0 == name } }
  }
}
