import Foundation
import TestSupport
import Testing

@Suite("Three items every five seconds")
struct ScheduleTests {
  private static let consume =
    "exec pipe consume --follow -n 3 --size 3 --every 5s -- sh -c \"$STAMP\""
  private static let batch =
    "pipe batch --follow -n 3 --size 3 --every 5s | ./handler | pipe ack; exit ${PIPESTATUS[0]}"
  private static let handler = """
    #!/usr/bin/env bash
    while IFS= read -r line; do
      read up rest < /proc/uptime
      echo "$up $(grep -o '"data":[0-9]*' <<< "$line" | cut -d : -f 2 | tr '\\n' ' ')" >> log
      printf '%s\\n' "$line"
    done
    """

  /// One queue and its consumer.
  private final class Course {
    let scratch: Scratch
    let medium: String
    var high = "none"
    let start: Double
    let child: Child

    init(_ line: String) throws {
      scratch = try Scratch()
      try scratch.write(handler, to: "handler")
      try scratch.sh("chmod +x handler").expect("")
      medium = try scratch.store(#"{"ids":[1,2,3,4,5],"priority":"MEDIUM"}"#)[0]
      start = uptime()
      child = try scratch.start(["bash", "-c", line], ["STAMP": stamp])
    }

    func storeHigh() throws {
      high = try scratch.store(#"{"ids":[6,7,8,9],"priority":"HIGH"}"#)[0]
    }
  }

  @Test("batches are dispatched by priority at the instant of each dispatch, and never early")
  func example() throws {
    let (new, runs, done) = ("yet_to_start", "triggered", "completed")
    // Through a command and through a pipeline, both at once to save time.
    let both = [try Course(ScheduleTests.consume), try Course(ScheduleTests.batch)]
    // From here on the next batch has to wait until HIGH is stored.
    let locks = try both.map { one in
      let words = { try one.scratch.words(one.medium) }
      try wait(until: { try words() == [runs, done, new] }, "the first batch")
      return DirectoryLock(one.scratch, isShared: true)
    }
    // Each at its own T4, since they did not start together.
    for one in both {
      try wait(until: { uptime() >= one.start + 4 }, "T4")
      try one.storeHigh()
      #expect(try one.scratch.words(one.high) == [new, new, new])
      #expect(try one.scratch.words(one.medium) == [runs, done, new])
    }
    for lock in locks { lock.release() }
    for one in both {
      let words = { try one.scratch.words(one.high) }
      try wait(until: { try words() == [runs, done, new] }, "the second batch")
      #expect(try one.scratch.words(one.medium) == [runs, done, new], "never back to yet_to_start")
    }
    for one in both {
      // On a slow machine it says that it waited for the lock.
      one.child.finish().expect("", errors: nil)
      #expect(try one.scratch.words(one.medium) == [done, done, done])
      #expect(try one.scratch.words(one.high) == [done, done, done])
      try expectStamps(one)
    }
  }

  private func expectStamps(_ course: Course) throws {
    let stamps = try course.scratch.lines(of: "log").map(Stamp.init)
    #expect(stamps.map(\.data) == ["1 2 3", "6 7 8", "9 4 5"])
    // The first batch did not come before the start, nor another within 5 s of the one before.
    for (turn, stamp) in stamps.enumerated() {
      #expect(stamp.time >= course.start + 5 * Double(turn) - 0.01, "\(stamp)")
    }
  }
}
