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
