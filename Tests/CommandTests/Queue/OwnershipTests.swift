import Foundation
import TestSupport
import Testing

@Suite("Queue ownership")
struct OwnershipTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.sh("chmod 711 . && mkdir -m 755 home && chown \(Users.ann):\(Users.ann) home")
      .expect()
  }

  private let home = ["PIPE_QUEUE": "home/q"]
  private let ann = Users.prefix(Users.ann)
  private let bob = Users.prefix(Users.bob)

  /// Everything that makes names: new segments, dead letters, parked items, strays, the index,
  /// settings, statistics.
  private static let everything = """
    seq 0 299 | pipe enqueue --raw --quiet --dedup 1h
    pipe ingest <<< 7 | sed 's/"id":"01/"id":"00/' | pipe enqueue --quiet
    for round in 1 2; do
      head -c 9000000 /dev/zero | tr '\\0' x | fold -w 900000 | sed 's/.*/"&"/' | pipe enqueue --raw --quiet
    done
    pipe consume --size 1 -n 5 -- sh -c 'exit 65' 2> /dev/null || [ $? = 1 ]
    pipe batch --size 1 -n 250 --hold 1h | pipe ack --retry
    pipe batch --size 1 -n 1 --hold 0s > /dev/null; pipe consume -n 1 > /dev/null
    pipe retry --all > /dev/null; pipe consume --every 1ms > /dev/null; pipe init --retries 4
    pipe stats > /dev/null; pipe dead; pipe list > /dev/null; pipe prune > /dev/null
    """

  /// Runs all of it as `user`; fails if one command fails.
  private func runEverything(_ user: String, mask: String = "022") throws {
    try scratch.write("set -e; umask \(mask)\n\(Self.everything)\n", to: "script")
    try scratch.sh("\(user) bash script", home).expect("")
  }

  /// Names in `queue` that match this test of `find`.
  private func find(_ queue: String, _ test: String) throws -> [String] {
    try scratch.sh("find \(queue) \(test)").expect().lines
  }

  private func expectPrivate(_ queue: String, _ user: Int) throws {
    #expect(try find(queue, #"! -user \#(user) -o ! -group \#(user)"#) == [])
    #expect(try find(queue, "-type d ! -perm 700 -o -type f ! -perm 600") == [])
    #expect(try find(queue, "-type f").count > 10)
  }

  @Test(
    "files that root makes belong to the queue's owner, and modes do not depend on the umask",
    .needsUsers, arguments: ["0", "027", "077", "0777"])
  func root(mask: String) throws {
    try scratch.sh("umask \(mask); echo 1 | \(ann) pipe enqueue --raw --quiet", home).expect("")
    try runEverything("", mask: mask)
    try expectPrivate("home/q", Users.ann)
    try scratch.sh(
      "echo 2 | \(ann) pipe enqueue --raw --quiet; \(ann) pipe consume --every 1ms > out", home
    )
    .expect(nil)
    try scratch.sh("\(ann) pipe init --retries 3; \(ann) pipe stats", home).expect(nil)
  }

  @Test(
    "a queue that root creates is root's; one that root completes belongs to the directory's owner",
    .needsUsers)
  func rootsOwn() throws {
    try scratch.pipe("init").expect("")
    #expect(try find("queue", "! -user 0") == [])
    try scratch.sh("\(ann) mkdir -m 700 home/q && pipe init && \(ann) pipe list", home).expect("")
    try expectPrivate("home/q", Users.ann)
  }

  @Test("a stranger is refused at once, with the owner, the mode and the remedy", .needsUsers)
  func stranger() throws {
    try scratch.sh("\(ann) pipe init", home).expect("")
    for command in ["enqueue --raw", "consume", "list", "init", "stats", "prune", "ack x", "dead"] {
      let run = try scratch.sh("echo 1 | \(bob) pipe \(command)", home)
      run.expect("", errors: nil, status: 77)
      let owner = "user \(Users.ann), group \(Users.ann), mode 0700"
      #expect(
        run.errors.hasSuffix(
          "home/q: cannot open: Permission denied: it belongs to \(owner)"
            + " (ask '#\(Users.ann)' to run pipe init --share GROUP,"
            + " or use sudo -u '#\(Users.ann)')\n"
        ),
        run.story)
    }
    try scratch.sh("chmod 700 home").expect()
    let hidden = try scratch.sh("\(bob) pipe list", home)
    #expect(
      hidden.ending == .exited(77) && hidden.errors.contains("denied: home belongs to user"),
      hidden.story)
  }

  @Test(
    "init --share gives a queue to a group for good, whichever member adds files under any umask",
    .needsUsers, arguments: ["0", "027", "077", "0777"])
  func shared(mask: String) throws {
    let (one, other) = (
      Users.prefix(Users.ann, group: Users.group), Users.prefix(Users.bob, group: Users.group)
    )
    try scratch.sh("chmod 777 home; umask \(mask); \(one) pipe init --share \(Users.group)", home)
      .expect("")
    for user in [other, one, "", other] {
      try runEverything(user, mask: mask)
    }
    #expect(try find("home/q", "! -group \(Users.group)") == [])
    #expect(try find("home/q", "-type d ! -perm 2770 -o -type f ! -perm 660") == [])
    let eve = try scratch.sh("\(Users.prefix(Users.eve)) pipe list", home)
    eve.expect("", errors: nil, status: 77)
    #expect(
      eve.errors.contains("mode 02770 (join group \(Users.group), or use sudo"), eve.story)
  }

  @Test(
    "init --share converts a queue with all its contents, and init --private reverts that",
    .needsUsers)
  func converted() throws {
    let owner = Users.prefix(Users.ann, group: Users.group)
    let other = Users.prefix(Users.bob, group: Users.group)
    try runEverything(ann)
    try scratch.sh("echo 1 | \(ann) pipe enqueue --raw --quiet", home).expect(
      nil)
    let refused = try scratch.sh("\(ann) pipe init --share \(Users.eve)", home)
    refused.expect("", errors: nil, status: 77)
    #expect(refused.errors.contains("(are you a member?)"), refused.story)
    try expectPrivate("home/q", Users.ann)
    try scratch.sh("\(owner) pipe init --share \(Users.group)", home).expect("")
    try runEverything(other)
    #expect(try find("home/q", "! -group \(Users.group)") == [])
    #expect(try find("home/q", "-type d ! -perm 2770 -o -type f ! -perm 660") == [])
    let notHis = try scratch.sh("\(other) pipe init --private", home)
    #expect(
      notHis.ending == .exited(77) && notHis.errors.contains("only its owner and root"),
      notHis.story)
    try scratch.sh("pipe init --private && chgrp -R \(Users.ann) home/q", home).expect("")
    try expectPrivate("home/q", Users.ann)
    try scratch.sh("\(other) pipe list", home).expect("", errors: nil, status: 77)
  }

  @Test("init --share also applies to running consumers", .needsUsers)
  func running() throws {
    let owner = Users.prefix(Users.ann, group: Users.group)
    try scratch.sh("\(owner) pipe init", home).expect("")
    let line = "\(owner) pipe consume --follow -- sh -c 'exit 65'"
    let child = try scratch.start(line: line, home)
    try child.waitUntilWatching()
    try scratch.sh("\(owner) pipe init --share \(Users.group)", home).expect("")
    try scratch.sh(
      "echo 1 | \(Users.prefix(Users.bob, group: Users.group)) pipe enqueue --raw --quiet", home
    ).expect("")
    try wait(
      until: { try scratch.sh("pipe dead | wc -l", home).output == "1\n" }, "a dead letter")
    child.signal(SIGTERM)
    _ = child.finish()
    #expect(try find("home/q", "! -group \(Users.group)") == [])
    #expect(try find("home/q", "-type d ! -perm 2770 -o -type f ! -perm 660") == [])
  }

  @Test("group members with different umasks may create a queue at once", .needsUsers)
  func together() throws {
    try scratch.sh("install -d -m 2770 -o \(Users.ann) -g \(Users.group) home/d").expect()
    let users = [Users.ann, Users.bob, Users.eve].map { Users.prefix($0, group: Users.group) }
    try scratch.sh(
      "mkdir -m 2770 home/d/q && chown \(Users.ann):\(Users.group) home/d/q && chmod 2770 home/d/q"
    ).expect()
    var line = ""
    for (index, mask) in ["0", "027", "077", "0777", "022", "0707"].enumerated() {
      line +=
        "(umask \(mask); echo \(index) | \(users[index % 3]) pipe enqueue --raw --quiet) & jobs+=\" $!\"\n"
    }
    try scratch.sh(
      "\(line) for job in $jobs; do wait $job || echo \"status $?\"; done",
      ["PIPE_QUEUE": "home/d/q"]
    ).expect("")
    try scratch.sh("\(users[1]) pipe consume | sort", ["PIPE_QUEUE": "home/d/q"]).expect(
      "0\n1\n2\n3\n4\n5\n")
    #expect(try find("home/d/q", "! -group \(Users.group) -o -type f ! -perm 660") == [])
  }

  @Test("init refuses a group that does not exist, and --share with --private")
  func usage() throws {
    try scratch.pipe("init", "--share", "no such group").expect("", errors: nil, status: 64)
    try scratch.pipe("init", "--share", "4294967295").expect("", errors: nil, status: 64)
    try scratch.pipe("init", "--share", "0", "--private").expect("", errors: nil, status: 64)
    #expect(try scratch.names(in: ".") == ["home"])
  }

  @Test("init --share takes the name of a group as well as its number")
  func named() throws {
    try scratch.sh(
      #"pipe init --share "$(id -gn)" && stat -c '%a %G' queue | grep -qx "2770 $(id -gn)""#
    ).expect("")
  }
}
