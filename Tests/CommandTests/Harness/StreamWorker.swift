import Foundation
import TestSupport
import Testing

extension Scratch {
  /// A Python program that reads batch lines: `burst()` returns all that have arrived as objects,
  /// none at the end of stdin; `say(…)` writes objects and flushes.
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
    // Written by a shell: a program that another test starts would hold it open for writing.
    try sh("cat > \(name); chmod +x \(name)", input: program).expect()
  }

  /// Runs a command for each ready item, and returns the item's data and attempt.
  func attempts() throws -> [String] {
    try sh("pipe consume -- sh -c 'echo $(cat) $PIPE_ATTEMPT'").expect().lines
  }
}
