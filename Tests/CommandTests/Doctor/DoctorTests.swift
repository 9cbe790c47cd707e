import TestSupport
import Testing

@Suite("What doctor says of a place")
struct DoctorTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// The line about a subject, without the spaces between its columns.
  private func line(_ run: Run, _ subject: String) -> String {
    let lines = run.lines.map { $0.split(separator: " ").joined(separator: " ") }
    return lines.first { $0.split(separator: " ").dropFirst().first == Substring(subject) } ?? ""
  }

  struct Place: CustomTestStringConvertible {
    /// Makes the directory `place`, as root, with mounts of its own.
    let making: String
    let subject: String
    let line: String

    init(_ making: String, _ subject: String, _ line: String) {
      (self.making, self.subject, self.line) = (making, subject, line)
    }

    var testDescription: String { making }
  }

  @Test(
    "doctor names what is wrong with a disk, what it means and the way out", .needsMounts,
    .needs("mkfs.ext4"),
    arguments: [
      Place(
        "mount -t tmpfs none place", "filesystem",
        "bad filesystem tmpfs at PLACE; it is memory: a receipt does not survive a reboot"
          + " (promise 1); use a directory on a disk"),
      Place(
        "mount -t tmpfs none place; cd place; mkdir low up work over;"
          + " mount -t overlay none -o lowerdir=low,upperdir=up,workdir=work,volatile over;"
          + " cd ..; set -- place/over",
        "filesystem",
        "bad filesystem overlay at PLACE/over, volatile; its flushes do nothing: a receipt does not"
          + " survive a power cut (promise 1); mount a volume for the queue"),
      Place(
        "truncate -s 16M image; mkfs.ext4 -q image; mount -o loop,nobarrier image place", "mount",
        "bad mount nobarrier; a flush does not reach the disk: a receipt may not survive a power cut"
          + " (promise 1); remove this option, unless the disk's cache has a battery"),
      Place(
        "mount -t tmpfs none place; mount -o remount,ro place", "mount",
        "bad mount ro; nothing can be stored, and nothing can be acknowledged;"
          + " remount it with -o remount,rw"),
      Place(
        "mount -t tmpfs -o size=1M none place; head -c 1M /dev/zero > place/full || true", "space",
        "bad space 0 MiB free, of which writers leave 0 MiB; enqueue refuses entries with status 75;"
          + " consume goes on; free space, run pipe prune, or lower pipe init --min-free"),
      Place(
        "mount -t tmpfs -o nr_inodes=4 none place; touch place/{1..9} 2> errors || true", "inodes",
        "bad inodes 0 free; a new segment, a dead letter or the first claims of a consumer may find"
          + " none; remove files from this file system"),
    ])
  func disks(place: Place) throws {
    let script = """
      set -e
      mkdir place
      set -- place
      \(place.making)
      pipe doctor "$1" || echo "status $?"
      """
    let run = try scratch.run(["unshare", "--mount", "bash", "-c", script])
    let found = line(run, place.subject)
    #expect(
      found.replacing("\(scratch.path)/place", with: "PLACE") == place.line, run.story)
    #expect(run.lines.last == "status 1", run.story)
  }

  @Test("doctor says what a full disk answers to a flush", .needsMounts)
  func full() throws {
    let script = """
      mkdir place && mount -t tmpfs -o size=1M none place && head -c 2M /dev/zero > place/full
      pipe doctor place
      """
    let run = try scratch.run(["unshare", "--mount", "bash", "-c", script])
    #expect(
      line(run, "flush").contains("No space left on device; this could not be examined;"), run.story
    )
  }

  @Test("doctor reports limits of the process that are too low")
  func limits() throws {
    let few = try scratch.sh("ulimit -n 20; pipe doctor .")
    #expect(
      line(few, "files") == "bad files 20 may be open; a consumer needs 20, and some for each"
        + " command that runs at the same time; ulimit -n 1024", few.story)
    let short = try scratch.sh("ulimit -f 1024; pipe doctor .")
    #expect(
      line(short, "filesize") == "bad filesize 1048576 bytes for a file; segments have 8 MiB and a"
        + " line more; ulimit -f unlimited", short.story)
  }

  @Test(
    "doctor reports a queue that lacks parts, or of which a copy is damaged",
    arguments: [
      ("rm -r now", "bad queue queue holds a queue that lacks parts;"),
      ("rm format format.copy", "bad queue queue holds a queue that lacks parts;"),
      (": > format", "warn queue queue/format is damaged;"),
      ("echo pipe-queue 99 > format; : > format.copy", "bad queue queue/format: "),
    ])
  func damaged(damage: String, expected: String) throws {
    try scratch.store("1")
    let run = try scratch.sh("(cd queue; \(damage)); pipe doctor -q queue")
    #expect(line(run, "queue").hasPrefix(expected), run.story)
    #expect(run.ending == .exited(1), run.story)
  }

  @Test("doctor compares the clock with the newest entry", .needsFakeTime)
  func clock() throws {
    // A static binary has no library that faketime could replace.
    let scratch = try Scratch(binary: Binary.besideTests)
    try scratch.store("1")
    let run = try scratch.sh("faketime -f -365d pipe doctor")
    #expect(
      line(run, "clock").contains(
        #/^warn clock is 31535\d{3} s behind the newest entry; new entries get the time of that entry;/#
      ), run.story)
    let sound = try scratch.sh("pipe doctor")
    #expect(line(sound, "clock") == "ok clock is not behind the newest entry", sound.story)
    #expect(line(sound, "queue").hasSuffix("holds a queue"), sound.story)
  }

  @Test("doctor says what a missing /proc costs", .needsMounts)
  func noProc() throws {
    let run = try scratch.run(NoProc.prefix + ["bash", "-c", "pipe doctor . | cat"])
    #expect(
      line(run, "proc") == "warn proc is missing; a consumer checks every 200 ms what its reader"
        + " has read; no message names a holder; mount /proc", run.story)
    #expect(
      line(run, "stdout").hasPrefix("warn stdout is a pipe that cannot be watched;"), run.story)
  }

  @Test(
    "doctor refuses a queue of another user, and reports a directory that is not writable",
    .needsAnotherUser)
  func owner() throws {
    try scratch.sh("pipe init -q private; mkdir -m 755 open; install -m 755 $(command -v pipe) p")
      .mustSucceed()
    let other = "chmod 755 . ..; setpriv --reuid 54321 --regid 54321 --clear-groups ./p doctor"
    let closed = try scratch.sh("\(other) -q private")
    #expect(closed.ending == .exited(77), closed.story)
    #expect(
      closed.errors.contains("private: cannot open: Permission denied: it belongs to user"),
      closed.story)
    let foreign = try scratch.sh("\(other) open")
    #expect(
      line(foreign, "owner").contains("mode 0755; this user can neither store nor take here;"),
      foreign.story)
  }

  @Test("--json has the same findings, and a path that does not exist is examined above it")
  func json() throws {
    let run = try scratch.sh("ulimit -n 20; pipe doctor --json not/there")
    #expect(
      run.lines.first == #"{"check":"queue","level":"ok","found":". holds no queue"}"#, run.story)
    #expect(
      run.lines.contains(
        #"{"check":"files","level":"bad","found":"20 may be open","means":"a consumer needs 20, and"#
          + #" some for each command that runs at the same time","remedy":"ulimit -n 1024"}"#),
      run.story)
    try scratch.pipe("doctor", "postgres://h/d/q").expect(
      errors: "pipe doctor: doctor examines a directory; for PostgreSQL see pipe-postgres(5)\n",
      ending: .exited(64))
  }
}
