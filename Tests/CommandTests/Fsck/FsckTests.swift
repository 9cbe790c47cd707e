import Foundation
import TestSupport
import Testing

@Suite("fsck")
struct FsckTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.prepare("init", "--backoff", "1h..1h")
    try scratch.store("1", "2", "3", "4", #"{"n":5,"priority":"HIGH"}"#)
    try scratch.pipe("consume", "-n", "2").expect("{\"n\":5,\"priority\":\"HIGH\"}\n1\n")
    try scratch.sh("pipe consume -n 1 -- sh -c 'exit 65'").expect(errors: nil, status: 1)
    try scratch.sh("pipe consume -n 1 -- false").expect(errors: nil, status: 1)
  }

  @Test("fsck finds nothing in a queue with items in all states")
  func clean() throws {
    try scratch.pipe("fsck").expect("")
  }

  @Test(
    "fsck names each fault and its place",
    arguments: [
      (
        "printf x | dd of=segments/MEDIUM/000/000001 seek=90 bs=1 conv=notrunc",
        "byte 77: 77 damaged"
      ),
      ("rm segments/MEDIUM/000/000001", "segments/MEDIUM/000/000001: is missing"),
      ("truncate -s 100 segments/MEDIUM/000/000001", "ends at byte 100, but the lane ends at 308"),
      ("rm end/LOW*", "the end of LOW is missing"),
      ("mv end/LOW* end/LOW.1.2.3", "end/LOW.1.2.3: the name is damaged"),
      (
        "cd now; mv HIGH*done HIGH.0.1.0-9.1.9.done",
        "now/HIGH.0.1.0-9.1.9.done: the name is damaged"
      ),
      ("rm dead/*/*/*", "register/MEDIUM: 1 item ready again, without a name in later/ or dead/"),
      ("rm format.copy", "format.copy: is missing or damaged"),
      (": > format", "restored from format.copy"),
      ("rm -r later", "later/: is missing"),
    ])
  func finds(damage: String, finding: String) throws {
    try scratch.sh("(cd queue; \(damage)) 2> log").expect()
    let run = try scratch.pipe("fsck")
    #expect(run.ending == .exited(1), run.story)
    #expect(run.output.contains(finding), run.story)
  }

  @Test("an end that a power cut took back is no finding, and nothing is lost by it")
  func olderEnd() throws {
    let line = """
      set -e
      end=$(cd queue/end && echo MEDIUM*)
      pipe enqueue --raw --quiet <<< 6
      pipe consume > delivered
      mv queue/end/MEDIUM* queue/end/$end
      pipe fsck
      pipe enqueue --raw --quiet <<< 7
      pipe consume
      """
    try scratch.sh(line).expect("7\n")
  }

  @Test("--json has the path and the finding of each line, and no path for a repair")
  func json() throws {
    try scratch.sh("rm queue/end/LOW.*; : > queue/format").expect()
    let run = try scratch.sh(
      #"pipe fsck --json | jq -r '[.path, (.finding | split(": ")[-1][:28])] | @csv'"#)
    let expected = [
      #","is damaged or missing; resto""#, #""end/","the end of LOW is missing; i""#,
    ]
    #expect(run.lines.filter { expected.contains($0) } == expected, run.story)
  }

  @Test("--repair gives up what no line holds, keeps the rest, and says both")
  func repair() throws {
    let damage =
      "printf x | dd of=queue/segments/MEDIUM/000/000001 seek=244 bs=1 conv=notrunc 2> log"
    try scratch.sh("\(damage); rm queue/end/LOW.* queue/format.copy; rm -r queue/later").expect()
    let run = try scratch.pipe("fsck", "--repair")
    #expect(run.ending == .exited(1), run.story)
    let segment = "segments/MEDIUM/000/000001: "
    for line in [
      segment + "byte 231: 77 damaged bytes",
      segment + "byte 231: 1 item without an intact line, which will be lost",
      segment + "repaired: byte 231: 1 item lost", "format.copy: repaired: written again",
    ] {
      #expect(run.output.contains(line), run.story)
    }
    try scratch.pipe("fsck").expect(
      segment + "byte 231: 1 item lost (pipe list --state lost)\n", status: 1)
    try scratch.pipe("drop", "--lost").expect(nil)
    try scratch.pipe("fsck", "--repair").expect("")
    try scratch.pipe("consume").expect("")
  }

  @Test("--repair writes settings again if both files are lost, and then nothing is pruned")
  func settings() throws {
    try scratch.sh(": > queue/format; rm queue/format.copy").expect()
    try scratch.pipe("fsck").expect("", errors: nil, status: 78)
    let run = try scratch.pipe("fsck", "--repair")
    #expect(
      run.ending == .exited(1) && run.output.contains("written again with the default"), run.story)
    try scratch.pipe("fsck").expect("")
    try scratch.sh("grep -c 'retain 3153600000000000' queue/format").expect("1\n")
  }

  @Test("--repair neither touches a directory without a queue nor a queue of a newer format")
  func foreign() throws {
    try scratch.sh("mkdir other; pipe fsck --repair -q other").expect("", errors: nil, status: 66)
    try scratch.sh("ls -A other").expect("")
    try scratch.sh("echo 'pipe-queue 99' | tee queue/format > queue/format.copy").expect()
    try scratch.pipe("fsck", "--repair").expect("", errors: nil, status: 78)
    try scratch.sh("cat queue/format").expect("pipe-queue 99\n")
  }

  @Test("--repair moves a name without a meaning to quarantine/, and delivers its items")
  func names() throws {
    try scratch.sh("cd queue/now; mv HIGH*done HIGH.0.1.0-9.1.9.done").expect()
    try scratch.pipe("fsck", "--repair").expect(nil, status: 1)
    try scratch.pipe("fsck").expect("")
    try scratch.sh("ls queue/quarantine").expect("now.HIGH.0.1.0-9.1.9.done.bad\n")
    try scratch.pipe("consume").expect("{\"n\":5,\"priority\":\"HIGH\"}\n4\n")
  }

  @Test(
    "--repair leaves nothing to find of damage that costs no item",
    arguments: [
      ("rm -r register/*", "register/MEDIUM: repaired: its items are listed again"),
      (
        "printf zzz | dd of=register/MEDIUM/0 seek=12 bs=1 conv=notrunc",
        "register/MEDIUM: repaired: its items are listed again"
      ),
      ("rm now/early.*", "now/: repaired: the early name is written again"),
      (
        "rm segments/LOW/*/*; mkfifo segments/LOW/000/000001",
        "segments/LOW/000/000001: repaired: moved to quarantine/segments.LOW.000.000001"
      ),
      ("rm format.copy; mkdir format.copy", "format.copy: repaired: written again"),
      ("rm format; mkdir format", "restored from format.copy"),
      (#": > "now/MEDIUM.$(printf '\377').x""#, "quarantine/now.MEDIUM"),
      ("mkdir -p dead/LOW; : > dead/LOW/0", "dead/LOW/0: repaired: moved to quarantine/dead.LOW.0"),
    ])
  func costless(damage: String, repair: String) throws {
    try scratch.sh("id=$(pipe list --state ready | jq -r .id); pipe cancel $id").expect(nil)
    try scratch.sh("(cd queue; \(damage)) 2> log").expect()
    let run = try scratch.pipe("fsck", "--repair")
    #expect(run.ending == .exited(1) && run.output.contains(repair), run.story)
    try scratch.pipe("fsck").expect("")
    try scratch.pipe("consume").expect("")
    try scratch.pipe("fsck").expect("")
    try scratch.sh("pipe stats --json | jq -c '[.items.done[], .items.dead[], .items.later[]]'")
      .expect("[1,1,0,0,2,0,0,1,0]\n")
  }

  @Test("--repair makes an item lost in the middle of those that wait under one name")
  func middle() throws {
    let queue =
      "pipe init -q other; seq 4 | pipe enqueue -q other --raw --quiet --delay 1h; pipe consume -q other"
    try scratch.sh(queue).expect()
    let damage = "printf x | dd of=segments/MEDIUM/000/000001 seek=190 bs=1 conv=notrunc"
    try scratch.sh("cd other; \(damage) 2> ../log").expect()
    let run = try scratch.pipe("fsck", "-q", "other", "--repair")
    #expect(run.ending == .exited(1) && run.output.contains("1 item lost"), run.story)
    let states = "pipe stats -q other --json | jq -c '[.items.later.MEDIUM, .items.lost.MEDIUM]'"
    try scratch.sh(states).expect("[3,1]\n")
    try scratch.sh("pipe change -q other --now $(pipe list -q other | jq -r .id)").expect(
      nil, errors: nil)
    try scratch.pipe("consume", "-q", "other").expect("1\n3\n4\n", errors: nil)
  }

  @Test("--repair completes a copy in quarantine/ that a dead process began")
  func copy() throws {
    let damage = "printf x | dd of=segments/MEDIUM/000/000001 seek=244 bs=1 conv=notrunc 2> ../log"
    try scratch.sh("cd queue; \(damage); : > quarantine/MEDIUM.1.231-308").expect()
    try scratch.pipe("fsck", "--repair").expect(nil, status: 1)
    try scratch.sh("wc -c < queue/quarantine/MEDIUM.1.231-308").expect("77\n")
  }

  @Test("what was found is printed even if the check then fails")
  func fault() throws {
    try scratch.sh(": > queue/now/HIGH.1.x; rmdir queue/quarantine; : > queue/quarantine").expect()
    let run = try scratch.pipe("fsck", "--repair")
    #expect(run.output.contains("now/HIGH.1.x: the name is damaged"), run.story)
    #expect(run.errors.hasPrefix("pipe fsck: ") && run.lines.count > 0, run.story)
  }

  @Test("fsck reports lost items until they are dropped")
  func lost() throws {
    try scratch.sh(": > queue/segments/MEDIUM/000/000001").expect()
    try scratch.pipe("consume").expect("", errors: nil, status: 74)
    let run = try scratch.pipe("fsck")
    #expect(run.output.contains(" lost (pipe list --state lost)"), run.story)
  }

  @Test(
    "fsck reports zeros where the line of an item should be that is not done",
    arguments: [
      ("true", true), ("pipe consume > log", false), ("pipe cancel --yes --all > log", true),
    ])
  func zeros(settling: String, isFound: Bool) throws {
    let scratch = try Scratch()
    let pad = String(repeating: "x", count: 9000)
    try scratch.store("1", "\"\(pad)\"", "2")
    try scratch.sh(settling).expect()
    try scratch.sh(
      "dd if=/dev/zero of=queue/segments/MEDIUM/000/000001 bs=4096 seek=1 count=1 conv=notrunc 2> log"
    ).expect()
    let run = try scratch.pipe("fsck")
    #expect(run.output.contains("damaged bytes of entry") == isFound, run.story)
    #expect(run.ending == .exited(isFound ? 1 : 0), run.story)
  }

  @Test("fsck reports a wait for a lock as a message, not as a finding")
  func waiting() throws {
    let scratch = try Scratch()
    try scratch.store("1")
    let holder = try scratch.start(line: "flock queue/now sh -c 'echo locked; read go'")
    #expect(holder.line() == "locked")
    let check = try scratch.start("fsck")
    #expect(check.errorLine()?.hasPrefix("pipe fsck: waiting for the lock of ") == true)
    holder.feed("go\n")
    holder.finish().expect()
    check.finish().expect("", errors: nil)
  }

  @Test("fsck reports nothing about items that are cancelled while it reads", .needsStrace)
  func cancelledMeanwhile() throws {
    let scratch = try Scratch()
    let lines = (1...2000).map { "\($0)\n" }.joined()
    let ids = try scratch.pipe("enqueue", "--raw", input: lines).mustSucceed().receipts
    try scratch.pipe("cancel", "--yes", ids[0]).expect()
    // It stops at each of its locks, taken or released, and an item of another hundred is cancelled there.
    let stops = ["-e", "trace=flock", "-e", "inject=flock:signal=STOP"]
    let check = try scratch.start(
      ["strace", "-D", "-o", "/dev/null"] + stops + [Binary.path, "fsck"])
    var cancels: [Child] = []
    while try check.waitUntilStoppedOrEnded() {
      let next = cancels.count + 1
      let cancel = try scratch.start("cancel", "--yes", ids[next * 100 % 2000 + next / 20])
      // It waits while the check has the lock.
      try cancel.waitUntilLockedOrEnded()
      cancels.append(cancel)
      check.signal(SIGCONT)
    }
    // It may report that it waits for a lock.
    check.finish().expect("", errors: nil)
    #expect(cancels.count > 3)
    for cancel in cancels { cancel.finish().expect(nil, errors: nil) }
    try scratch.pipe("fsck").expect("")
  }
}
