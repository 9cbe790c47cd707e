import Glibc
import TestSupport
import Testing

@Suite("Scripts of sinks and sources", .needs("python3"))
struct ScriptTests {
  private let scratch: Scratch

  private static let kafka = "python3-confluent-kafka (Debian) or confluent-kafka (PyPI)"

  init() throws { scratch = try Scratch() }

  @Test(
    "a missing module is reported in one line, with the package that has it",
    arguments: [
      ("sinks/postgres", "psycopg2", "python3-psycopg2 (Debian) or psycopg2-binary (PyPI)"),
      ("sinks/rabbitmq", "pika", "python3-pika (Debian) or pika (PyPI)"),
      ("sinks/kafka", "confluent_kafka", kafka), ("sources/kafka", "confluent_kafka", kafka),
      ("sources/rabbitmq", "pika", "python3-pika (Debian) or pika (PyPI)"),
      ("sinks/http", "requests", "python3-requests (Debian) or requests (PyPI)"),
    ])
  func missing(script: String, module: String, packages: String) throws {
    // -S: the standard library alone.
    try scratch.run(["python3", "-S", Scratch.example(script), "name"], ["PYTHONPATH": ""]).expect(
      errors: "\(script.split(separator: "/")[1]): No module named '\(module)': "
        + "install \(packages)\n", status: 69)
  }

  @Test("the shell scripts pass shellcheck", .needs("shellcheck"))
  func shellcheck() throws {
    let scripts = "grep -d skip -lE '^#!.*sh$' '\(Repository.path)'/examples/{sinks,sources}/*"
    try scratch.sh("\(scripts) > scripts; xargs shellcheck < scripts").expect("")
    #expect(try !scratch.lines(of: "scripts").isEmpty)
  }

  @Test("Ctrl-C ends a script as it ends other filters")
  func interrupted() throws {
    let child = try scratch.start([Scratch.example("sources/csv")])
    child.feed("a\n1\n")
    #expect(child.line() == #"{"a":"1"}"#)
    child.signal(SIGINT)
    let run = child.finish()
    #expect(run.ending == .killed(SIGINT), run.story)
    #expect(run.errors == "", run.story)
  }
}
