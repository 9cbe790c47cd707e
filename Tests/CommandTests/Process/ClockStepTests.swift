import Foundation
import Glibc
import TestSupport
import Testing

/// Runs the clock of `pipe` ahead by the seconds in the file `ahead`; the step is not reported.
private enum AheadClock {
  private static let source = """
    #define _GNU_SOURCE
    #include <fcntl.h>
    #include <stdlib.h>
    #include <sys/syscall.h>
    #include <time.h>
    #include <unistd.h>
    int clock_gettime(clockid_t clock, struct timespec *time) {
      int result = syscall(SYS_clock_gettime, clock, time);
      char text[32] = {0};
      int file = clock == CLOCK_REALTIME ? open(getenv("AHEAD"), O_RDONLY) : -1;
      if (file >= 0 && read(file, text, 31) > 0) time->tv_sec += atol(text);
      if (file >= 0) close(file);
      return result;
    }
    """

  static func environment(_ scratch: Scratch) throws -> [String: String] {
    try scratch.write(source, to: "ahead.c")
    try scratch.write("0", to: "ahead")
    try scratch.sh("gcc -shared -fPIC -o ahead.so ahead.c").expect()
    return ["LD_PRELOAD": scratch.path("ahead.so"), "AHEAD": scratch.path("ahead")]
  }

  static let works: Bool = {
    guard let scratch = try? Scratch(binary: Binary.besideTests),
      (try? scratch.prepare("init")) != nil,
      let environment = try? environment(scratch),
      (try? scratch.write("100000000000", to: "ahead")) != nil,
      let run = try? scratch.run([scratch.binary, "stats"], environment)
    else { return false }
    return !run.output.contains("at 20")
  }()
}

@Suite(
  "A clock that is set forward",
  .needs("gcc"), Needs { AheadClock.works ? nil : "the clock of pipe cannot be set" })
struct ClockStepTests {
  private let scratch: Scratch
  private let environment: [String: String]

  init() throws {
    scratch = try Scratch(binary: Binary.besideTests)
    environment = try AheadClock.environment(scratch)
    try scratch.prepare("init")
  }

  private func ahead(_ seconds: Int) throws {
    try scratch.write("\(seconds)", to: "ahead.new")
    try scratch.sh("mv ahead.new ahead").expect()
  }

  @Test(
    "a clock set past an entry's time wakes a sleeping follower",
    arguments: ["--delay 1h", "--at $(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)"],
    ["consume --follow -n 1", "consume --follow -n 1 -- cat", "batch --follow -n 1 --hold 1m"])
  func follower(when: String, command: String) throws {
    try scratch.sh("echo 1 | pipe enqueue --raw --quiet \(when)").expect()
    let child = try scratch.start(line: "pipe \(command)", environment)
    try child.waitUntilWatching()
    try ahead(3700)
    #expect(child.waitForOutput())
    child.finish().expect(nil)
  }

  @Test("a clock set past the end of a backoff wakes the waiting consumer")
  func backoff() throws {
    try scratch.prepare("init", "--backoff", "1h..1h")
    try scratch.store("1")
    let child = try scratch.start(
      line: "pipe consume --follow -n 2 -- sh -c 'echo $PIPE_ATTEMPT; test $PIPE_ATTEMPT = 2'",
      environment)
    #expect(child.line() == "1")
    #expect(child.errorLine()?.contains("retry in ") == true)
    try ahead(7300)
    #expect(child.line() == "2")
    child.finish().expect(nil, errors: nil, status: 1)
  }
}
