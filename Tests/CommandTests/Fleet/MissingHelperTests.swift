import TestSupport
import Testing

@Suite("An address without pipe-postgres")
struct MissingHelperTests {
  @Test("the static pipe says what it needs", .needsStaticPipe)
  func missing() throws {
    try Scratch().sh("pipe list -q postgres://h/d/q").expect(
      "",
      errors:
        "pipe list: postgres://h/d/q: queues in PostgreSQL need pipe-postgres, which is not installed\n",
      status: 69)
  }

  @Test("an address runs the pipe-postgres beside pipe, with the same words", .needsStaticPipe)
  func runs() throws {
    let scratch = try Scratch()
    try scratch.sh(
      """
      mkdir bin; cp "$(command -v pipe)" bin/pipe; printf '#!/bin/sh\\necho "$0" "$@"\\n' > bin/pipe-postgres
      chmod +x bin/pipe-postgres
      """
    ).expect("")
    try scratch.sh("bin/pipe list -q postgres://h/d/q | sed 's|.*/||'").expect("q\n")
    try scratch.sh("PIPE_QUEUE=postgres://h/d/q bin/pipe status X").expect(
      "\(scratch.path)/bin/pipe-postgres status X\n")
    try scratch.sh("bin/pipe route -q a --to=postgres://h/d/q").expect(nil)
  }
}

extension Trait where Self == Needs {
  /// Requires that the `pipe` under test was built without the trait Postgres.
  static var needsStaticPipe: Needs {
    Needs {
      let run = try? Scratch().sh("pipe list -q postgres://127.0.0.1:1/d/q 2>&1")
      return run?.output.contains("pipe-postgres") == true
        ? nil : "this pipe was built with --traits Postgres"
    }
  }
}
