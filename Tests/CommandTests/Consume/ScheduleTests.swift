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

  private let new = "yet_to_start"
  private let runs = "triggered"
  private let done = "completed"

  @Test(
    "batches are dispatched by priority at the instant of each dispatch, and never early",
    arguments: [ScheduleTests.consume, ScheduleTests.batch])
  func example(line: String) throws {
    let (one, lock) = try afterFirstBatch(line)
    try wait(until: { uptime() >= one.start + 4 }, "T4")
    try one.storeHigh()
    #expect(try one.scratch.words(one.high) == [new, new, new])
    #expect(try one.scratch.words(one.medium) == [runs, done, new])
    lock.release()
    try wait(until: { try one.scratch.words(one.high)[1] == done }, "the second batch")
    #expect(try one.scratch.words(one.medium)[1] == done, "never back to yet_to_start")
    // On a slow machine it says that it waited for the lock.
    one.child.finish().expect("", errors: nil)
    #expect(try one.scratch.words(one.medium) == [done, done, done])
    #expect(try one.scratch.words(one.high) == [done, done, done])
    try expectStamps(one)
  }

  /// A course whose first batch is done, and a lock under which the second cannot start. On a
  /// machine so slow that the second batch has started already, the next course is tried.
  private func afterFirstBatch(_ line: String) throws -> (Course, DirectoryLock) {
    for _ in 0..<20 {
      let course = try Course(line)
      try wait(until: { try course.scratch.words(course.medium)[1] == done }, "the first batch")
      let lock = DirectoryLock(course.scratch, isShared: true)
      if try course.scratch.words(course.medium) == [runs, done, new] { return (course, lock) }
      lock.release()
    }
    throw Failure("the second batch started each time before this process could stop it")
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
