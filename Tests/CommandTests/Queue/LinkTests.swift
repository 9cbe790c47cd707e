import Foundation
import TestSupport
import Testing

@Suite("Links in a queue")
struct LinkTests {
  private let scratch: Scratch
  private let home = ["PIPE_QUEUE": "home/q"]

  init() throws {
    scratch = try Scratch()
    try scratch.sh(
      """
      chmod 711 . && mkdir -m 755 home && mkdir -p victim/000 victim/0 && chown \(Users.ann) home
      for name in victim/000/000001 victim/0/0 victim/0 victim/file; do
        [ -d $name ] || printf 'precious, and no newline' > $name
      done
      """
    ).expect()
  }

  /// Commands that root may run on another user's queue.
  private static let verbs = [
    "echo 1 | pipe enqueue --raw --quiet --dedup 1h", "echo 2 | pipe enqueue --raw --quiet",
    "pipe ingest <<< 7 | sed 's/\"id\":\"01/\"id\":\"00/' | pipe enqueue --quiet",
    "pipe consume -n 1 -- sh -c 'exit 65'", "pipe consume --every 1ms", "pipe retry --all",
    "pipe drop --all", "pipe list --state done", "pipe stats", "pipe dead", "pipe init --retries 3",
    "pipe prune", "pipe explain 01M7YFR55BHYP5BSPG0DPTADCJ", "pipe init --share 0",
  ]

  private func victims() throws -> String {
    try scratch.sh(
      "find victim -printf '%p %u %m %s %l\\n' | sort; cat victim/000/000001 victim/file"
    )
    .expect().output
  }

  private func prepare() throws {
    let ann = Users.prefix(Users.ann)
    try scratch.sh(
      """
      \(ann) pipe init; seq 9 | \(ann) pipe enqueue --raw --quiet --dedup 1h
      \(ann) pipe consume -n 2 -- sh -c 'exit 65' 2> /dev/null; \(ann) pipe consume -n 1 > /dev/null
      """, home
    ).expect(nil)
  }

  private func runAll(_ environment: [String: String], _ prefix: String = "") throws {
    for verb in Self.verbs {
      let line = prefix.isEmpty ? verb : verb.replacing("pipe ", with: "\(prefix) pipe ")
      let run = try scratch.sh(
        "timeout 600 bash -c '\(line.replacing("'", with: "'\\''"))'", environment)
      #expect(![.exited(124), .exited(137), .hung].contains(run.ending), "\(verb): \(run.story)")
    }
  }

  @Test(
    "root follows no symbolic link in a queue, in the middle of a path or at its end",
    .needsUsers,
    arguments: [
      "segments", "segments/MEDIUM", "segments/MEDIUM/000", "segments/MEDIUM/000/000001", "now",
      "end",
      "owners", "owners/0", "dead", "dead/MEDIUM", "dead/MEDIUM/0", "later", "stats", "stats/log",
      "strays",
      "quarantine", "dedup", "pace", "format", "format.new", "reserve",
    ])
  func symbolic(name: String) throws {
    try prepare()
    let before = try victims()
    let target =
      name.contains("00000")
        || !name.contains("/") && ["pace", "format", "format.new", "reserve"].contains(name)
        || name.hasSuffix("log") || name == "owners/0" ? "victim/file" : "victim"
    try scratch.sh("rm -rf home/q/\(name); ln -s \(scratch.path)/\(target) home/q/\(name)").expect()
    try runAll(home)
    #expect(try victims() == before)
  }

  @Test(
    "a symbolic link is refused even if the kernel has no openat2", .needsUsers, .needsStrace)
  func stepwise() throws {
    let strace = "strace -f -o /dev/null -e trace=openat2 -e inject=openat2:error=ENOSYS"
    try scratch.sh("echo 1 | \(strace) pipe enqueue --raw --quiet; \(strace) pipe consume").expect(
      "1\n")
    try prepare()
    let before = try victims()
    try scratch.sh(
      "rm -rf home/q/segments/MEDIUM; ln -s \(scratch.path)/victim home/q/segments/MEDIUM"
    ).expect()
    try runAll(home, strace)
    #expect(try victims() == before)
  }

  @Test(
    "root neither reads nor writes another user's file that is hard-linked into a queue",
    .needsUsers,
    arguments: [
      "segments/MEDIUM/000/000001", "owners/0", "owners/1", "stats/log", "pace", "format.new",
      "dedup/1",
      "now/spare.0", "reserve",
    ])
  func hard(name: String) throws {
    try prepare()
    let before = try victims()
    try scratch.sh("rm -f home/q/\(name); ln victim/file home/q/\(name)").expect()
    try runAll(home)
    #expect(try victims() == before)
    #expect(
      try scratch.sh("grep -rl precious home/q/quarantine home/q/later home/q/dead").output == "")
  }

  @Test(
    "a group member cannot make another change a file of his own through a hard link", .needsUsers)
  func members() throws {
    let (ann, bob) = (
      Users.prefix(Users.ann, group: Users.group), Users.prefix(Users.bob, group: Users.group)
    )
    try scratch.sh(
      "\(ann) pipe init --share \(Users.group); echo 1 | \(bob) pipe enqueue --raw --quiet", home
    ).expect("")
    try scratch.sh("chown \(Users.ann) victim/file; chmod 600 victim/file").expect()
    let before = try victims()
    try scratch.sh(
      "rm home/q/segments/MEDIUM/000/000001; ln victim/file home/q/segments/MEDIUM/000/000001"
    ).expect()
    let run = try scratch.sh("echo 2 | \(ann) pipe enqueue --raw --quiet", home)
    run.expect("", errors: nil, status: 77)
    #expect(run.errors.contains("it may be a link to a file elsewhere"), run.story)
    #expect(try victims() == before)
    // Sharing the queue again does not give that file to the group either.
    try scratch.sh("\(ann) pipe init --share \(Users.group)", home).expect(
      "", errors: nil, status: 77)
    #expect(try victims() == before)
  }

  @Test("the path of the queue itself may contain symbolic links")
  func outside() throws {
    try scratch.sh("mkdir real && ln -s real link && echo 1 | pipe enqueue --raw --quiet -q link/q")
      .expect("")
    try scratch.sh("ln -s link/q short; pipe consume -q short; cd real && pipe list -q ../short")
      .expect("1\n")
  }
}
