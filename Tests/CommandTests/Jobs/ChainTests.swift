import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Idempotent handlers and chains of queues")
struct ChainTests {
  private let scratch: Scratch
  private static let items = 600
  private static let kills = 200

  init() throws { scratch = try Scratch() }

  private func names(_ directory: String) -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: scratch.path(directory)).count) ?? 0
  }

  @Test("a chain of three queues, killed at random 200 times, has each effect once")
  func chain() throws {
    var numbers = SplitMix(seed: 15)
    try scratch.sh(
      """
      for q in one two three; do pipe init -q $q --backoff 0s..0s --retries 1000; done
      mkdir effects
      seq \(Self.items) | xargs -n 6 | sed 's/ /,/g; s/.*/{"ids":[&]}/' | pipe enqueue -q one --raw --quiet
      """
    ).expect("")
    // The effect is a file that the key names; the next entry has the key.
    try scratch.write(
      Array(
        """
        read -r item
        echo "$item" > "effects/.$$" && mv "effects/.$$" "effects/$PIPE_KEY" || exit 1
        echo "$item" | pipe ingest | sed "s/}$/,\\"key\\":\\"$PIPE_KEY\\"}/" |
          pipe enqueue -q two --quiet --dedup 7d

        """.utf8), to: "handler")
    let steps = [
      "pipe consume -q one -j 2 --size 1 -- bash -o pipefail ./handler",
      "pipe route -q two --to three",
    ]
    for kill in 0..<Self.kills {
      let child = try scratch.start(line: steps[kill % 4 == 3 ? 1 : 0] + " 2>> errors")
      // A random place: after a random number of effects or turns.
      let enough = names("effects") + numbers.number(0...4)
      var turns = numbers.number(0...3000)
      while names("effects") < enough || kill % 4 == 3, turns > 0 { turns -= 1 }
      child.signal(SIGKILL)
      _ = child.finish()
    }
    // Commands of the last worker may still run.
    try scratch.sh("pipe consume -q one --until-done -j 2 --size 1 -- bash -o pipefail ./handler")
      .expect(errors: nil)
    try scratch.sh("pipe route -q two --to three").expect(nil, errors: nil)
    try scratch.sh(
      """
      pipe consume -q three | sort -n > arrived
      seq \(Self.items) | cmp - arrived && cat effects/* | sort -n | cmp - arrived && echo each once
      pipe dead -q one; pipe dead -q two
      """
    ).expect("each once\n")
  }
}
