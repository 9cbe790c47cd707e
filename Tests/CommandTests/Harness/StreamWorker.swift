import Foundation
import Testing

extension Scratch {
  /// A program in Python that gets batch lines: `burst()` gives all that are there as objects, none at the
  /// end of stdin; `say(…)` writes objects and flushes.
  func worker(_ body: String, name: String = "worker") throws {
    let program = """
      #!/usr/bin/env python3
      import json, os, signal, sys, time
      rest = b""
      def burst():
        global rest
        while True:
          chunk = os.read(0, 1 << 20)
          *lines, rest = (rest + chunk).split(b"\\n")
          if lines or not chunk: return [json.loads(line) for line in lines]
      def say(*answers):
        sys.stdout.write("".join(json.dumps(answer) + "\\n" for answer in answers))
        sys.stdout.flush()
      def ok(batch): return {"claim": batch["claim"]}
      def log(batch):
        with open("log", "a") as file:
          for item in batch["items"]: file.write(json.dumps(item["data"]) + "\\n")
      \(body)

      """
    // Not written from here: a test that starts a program meanwhile would hold it open for writing.
    try sh("cat > \(name); chmod +x \(name)", input: program).expect()
  }

  /// The items that are ready, each with the attempt that it is on now, by running a command for each.
  func attempts() throws -> [String] {
    try sh("pipe consume -- sh -c 'echo $(cat) $PIPE_ATTEMPT'").expect().lines
  }
}
