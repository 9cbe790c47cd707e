import Glibc
import Testing

@Suite("the scripts of examples/sinks and examples/sources", .needs("python3"))
struct ScriptTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test(
    "what is not installed is told in a line, with the package that has it",
    arguments: [
      ("sinks/postgres", "psycopg2", "psycopg2"), ("sinks/rabbitmq", "pika", "pika"),
      ("sinks/kafka", "confluent_kafka", "confluent-kafka"), ("sources/rabbitmq", "pika", "pika"),
      ("sources/kafka", "confluent_kafka", "confluent-kafka"),
    ])
  func missing(script: String, module: String, package: String) throws {
    // -S: of the standard library alone.
    try scratch.run(["python3", "-S", Scratch.example(script), "name"], ["PYTHONPATH": ""]).expect(
      errors: "\(script.split(separator: "/")[1]): No module named '\(module)': "
        + "install python3-\(package)\n", status: 69)
  }

  @Test("Ctrl-C ends them as it ends other filters")
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
