extension Scratch {
  /// A command in this directory. A variable set to the empty string is unset.
  package func command(
    _ program: [String], _ environment: [String: String] = [:]
  ) -> Command {
    var command = Command(program)
    command.scratch = self
    command.environment = self.environment.merging(environment) { $1 }.filter { !$0.value.isEmpty }
    command.input = .held
    // A test may leave a server behind.
    command.waitsForDescendants = false
    return command
  }

  package func start(
    _ program: [String], _ environment: [String: String] = [:]
  ) throws -> Child {
    try command(program, environment).start()
  }

  /// Starts `pipe` with these arguments.
  package func start(_ arguments: String...) throws -> Child {
    try start([binary] + arguments)
  }

  /// Starts a command line; its command replaces the shell.
  package func start(line: String, _ environment: [String: String] = [:]) throws -> Child {
    try start(["bash", "-c", "exec \(line)"], environment)
  }

  /// Runs a program with this stdin to its end.
  package func run(
    _ program: [String], input: [UInt8] = [], _ environment: [String: String] = [:]
  ) throws -> Run {
    let child = try start(program, environment)
    child.feed(input)
    return child.finish()
  }

  /// Runs `pipe` with these arguments and this stdin to its end.
  package func pipe(_ arguments: String..., input: String = "") throws -> Run {
    try run([binary] + arguments, input: Array(input.utf8))
  }

  /// Runs a bash command line to its end.
  package func sh(
    _ line: String, input: String = "", _ environment: [String: String] = [:]
  ) throws -> Run {
    try run(["bash", "-c", line], input: Array(input.utf8), environment)
  }

  /// Runs `pipe` with these arguments, as preparation for a test about something else.
  package func prepare(_ arguments: String..., input: String = "") throws {
    try run([binary] + arguments, input: Array(input.utf8)).mustSucceed()
  }
}
