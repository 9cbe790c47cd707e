internal import CPipeIO
package import PipeIO
package import PipeTime

/// What one fact about a place means for the promises of pipe(1).
package struct Diagnosis {
  package enum Level: String {
    case ok
    /// A promise costs more, or may end soon.
    case warn
    /// A promise does not hold, or nothing can be stored or taken.
    case bad
  }

  package let level: Level
  /// `flush`, `inotify`, …: one word.
  package let subject: String
  package let found: String
  /// What it means, and the way out; nil unless something is wrong.
  package let advice: (meaning: String, remedy: String)?

  fileprivate init(_ subject: String, _ found: String) {
    (self.subject, self.found) = (subject, found)
    (level, advice) = (.ok, nil)
  }

  fileprivate init(
    _ level: Level, _ subject: String, _ found: String, _ meaning: String, _ remedy: String
  ) {
    (self.level, self.subject, self.found) = (level, subject, found)
    advice = (meaning, remedy)
  }
}

/// Examines a directory that holds a queue, or is to hold one. It changes nothing there, except that it
/// writes and flushes a file without a name.
package struct Examination {
  private let directory: Directory
  private let system: statfs
  /// nil without /proc.
  private let mount: Mount?
  /// nil: the directory is no queue, or one that cannot be opened.
  private let queue: Queue?
  /// Why the queue cannot be opened.
  private let fault: Fault?
  private let settings: Settings
  private let hasProc = bytesOfFile("/proc/self/stat") != nil

  /// The path, or the nearest directory above it that exists.
  package let path: String

  package init(_ path: String) throws(Fault) {
    var place = path
    var found = try Queue.directory(place)
    while found == nil, place != "/", place != "." {
      let end = place.utf8.lastIndex(of: 0x2f)
      place = end.map { $0 == place.startIndex ? "/" : String(place[..<$0]) } ?? "."
      found = try Queue.directory(place)
    }
    guard let found else { throw Fault(.notFound, "\(printable(path)): no such directory") }
    self.path = place
    directory = found
    system = try found.fileSystem()
    mount = Mount(of: found)
    var (queue, fault): (Queue?, Fault?) = (nil, nil)
    do throws(Fault) { queue = try Queue(lookingAt: place) } catch { fault = error }
    (self.queue, self.fault) = (queue, fault)
    settings = queue?.settings ?? Settings()
  }

  /// Each returns nil if there is nothing to say. One after the other, so that the first lines appear while
  /// a disk is measured.
  package func checks(at now: Instant) -> [() -> Diagnosis?] {
    [
      { place }, { checked("owner", owner) }, { fileSystem }, { options }, { space }, { inodes },
      { files }, { fileSize }, { checked("flush", flush) }, { checked("locks", locks) }, { kernel },
      { proc }, { inotify }, { tasks },
      { checked("clock") { () throws(Fault) in try clock(now) } }, { stdout },
    ]
  }

  private func checked(_ subject: String, _ check: () throws(Fault) -> Diagnosis) -> Diagnosis {
    do throws(Fault) { return try check() } catch {
      return Diagnosis(
        .bad, subject, error.text, "this could not be examined",
        "see the other lines, and the log of the kernel (dmesg)")
    }
  }

  private var place: Diagnosis {
    let text = printable(path)
    if let fault {
      return Diagnosis(
        .bad, "queue", fault.text, "no command can use this queue",
        "pipe fsck --repair, if it is damaged")
    }
    guard queue == nil else {
      if Settings.isDamaged(Settings.fileName, directory) {
        return Diagnosis(
          .warn, "queue", "\(text)/\(Settings.fileName) is damaged",
          "commands use its copy, until that is damaged too", "pipe fsck --repair restores it")
      }
      return Diagnosis("queue", text + " holds a queue")
    }
    let parts = [Settings.fileName, Settings.copyName, "segments"]
    guard !parts.allSatisfy(directory.lacks) else {
      return Diagnosis("queue", text + " holds no queue")
    }
    return Diagnosis(
      .bad, "queue", text + " holds a queue that lacks parts",
      "items that are done may be delivered again", "pipe fsck --repair, before any other command")
  }

  private func owner() throws(Fault) -> Diagnosis {
    let ownership = try directory.currentOwnership()
    let mode = "mode 0" + String(ownership.mode & 0o7777, radix: 8)
    let text = "\(userText(ownership.user)), \(groupText(ownership.group)), \(mode)"
    if !directory.isWritable {
      return Diagnosis(
        .bad, "owner", text, "this user can neither store nor take here",
        "run as \(userWord(ownership.user)), or share the queue: pipe init --share GROUP")
    }
    if queue != nil, ownership.mode & 0o002 != 0 {
      return Diagnosis(
        .bad, "owner", text, "any user can take, change and remove what the queue holds",
        "pipe init --private")
    }
    return Diagnosis("owner", text)
  }

  private var fileSystem: Diagnosis {
    let found =
      (mount?.type ?? "type 0x" + String(system.type, radix: 16))
      + (mount.map { " at \(printable($0.place))" } ?? "")
    if let name = FileSystemType.remoteName(system.type) {
      return Diagnosis(
        .bad, "filesystem", found,
        "locks and flushes of \(name) are not reliable: no promise holds",
        "use a local disk, and pipe serve or ssh from other hosts")
    }
    switch system.type {
    case _ where isMemory:
      return Diagnosis(
        .bad, "filesystem", found, "it is memory: a receipt does not survive a reboot (promise 1)",
        "use a directory on a disk")
    // As the kernel shows the option before and since Linux 6.18.
    case FileSystemType.overlay
    where mount?.options.isDisjoint(with: ["volatile", "fsync=volatile"]) == false:
      return Diagnosis(
        .bad, "filesystem", found + ", volatile",
        "its flushes do nothing: a receipt does not survive a power cut (promise 1)",
        "mount a volume for the queue")
    case FileSystemType.overlay:
      return Diagnosis(
        .warn, "filesystem", found, "the queue is removed with its container",
        "mount a volume for the queue")
    case FileSystemType.ext, FileSystemType.xfs, FileSystemType.btrfs:
      return Diagnosis("filesystem", found)
    default:
      return Diagnosis(
        .warn, "filesystem", found, "no promise was tested on it", "prefer ext4, xfs or btrfs")
    }
  }

  private var options: Diagnosis {
    guard let options = mount?.options else {
      return Diagnosis("mount", "options unknown without /proc")
    }
    if options.contains("ro") {
      return Diagnosis(
        .bad, "mount", "ro", "nothing can be stored, and nothing can be acknowledged",
        "remount it with -o remount,rw")
    }
    if let option = ["nobarrier", "barrier=0"].first(where: options.contains) {
      return Diagnosis(
        .bad, "mount", option,
        "a flush does not reach the disk: a receipt may not survive a power cut (promise 1)",
        "remove this option, unless the disk's cache has a battery")
    }
    let quotas = ["quota", "usrquota", "grpquota", "prjquota", "uquota", "gquota", "pquota"]
    if let option = quotas.first(where: options.contains) {
      return Diagnosis(
        .warn, "mount", option, "a quota may end before the disk is full",
        "quota -s shows it; pipe init --max-bytes bounds the queue below it")
    }
    return Diagnosis("mount", printable(options.sorted().joined(separator: ",")))
  }

  private var space: Diagnosis {
    if system.totalBytes == 0 { return Diagnosis("space", "has no bound") }
    let free = system.freeBytes
    let kept = settings.bytesToLeave(of: system.totalBytes)
    let found = "\(free >> 20) MiB free, of which writers leave \(kept >> 20) MiB"
    if free <= kept {
      return Diagnosis(
        .bad, "space", found, "enqueue refuses entries with status 75; consume goes on",
        "free space, run pipe prune, or lower pipe init --min-free")
    }
    if free < 4 * kept {
      return Diagnosis(
        .warn, "space", found, "enqueue soon refuses entries", "free space, or run pipe prune")
    }
    return Diagnosis("space", found)
  }

  private var inodes: Diagnosis? {
    guard let free = system.freeInodes else { return nil }
    let found = "\(free) free"
    if free < 1000 {
      return Diagnosis(
        free < 64 ? .bad : .warn, "inodes", found,
        "a new segment, a dead letter or the first claims of a consumer may find none",
        "remove files from this file system")
    }
    return Diagnosis("inodes", found)
  }

  private func flush() throws(Fault) -> Diagnosis {
    guard let times = try FlushTimes(in: directory) else {
      return Diagnosis("flush", "not measured: this file system has no files without a name")
    }
    let rate = 1_000_000 / max(1, times.median.microseconds)
    let found =
      "\(rate) a second: median \(times.median.microseconds) µs,"
      + " longest \(times.longest.microseconds) µs"
    if times.median < .microseconds(30), !isMemory {
      return Diagnosis(
        .warn, "flush", found,
        "no disk is this fast: a cache that a power cut may empty seems to answer (promise 1)",
        "check the write cache of the disk, or the cache mode of the virtual machine")
    }
    if times.median > .milliseconds(50) {
      return Diagnosis(
        .warn, "flush", found, "an enqueue of one line takes this long",
        "store many lines with one enqueue, or use a faster disk")
    }
    return Diagnosis("flush", found)
  }

  private var isMemory: Bool {
    [FileSystemType.tmpfs, FileSystemType.ramfs].contains(system.type)
  }

  private func locks() throws(Fault) -> Diagnosis {
    switch try directory.excludes() {
    case false?:
      Diagnosis(
        .bad, "locks", "two processes get the same lock",
        "two consumers may take the same item (promise 4)", "use a local file system")
    case true?: Diagnosis("locks", "exclude each other")
    case nil: Diagnosis("locks", "in use now")
    }
  }

  private var kernel: Diagnosis {
    let release = kernelRelease()
    let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    if numbers.count == 2, (numbers[0], numbers[1]) < (5, 6) {
      return Diagnosis(
        .bad, "kernel", printable(release), "it lacks openat2, which every command needs",
        "Linux 5.6 or newer")
    }
    return Diagnosis("kernel", printable(release))
  }

  private var proc: Diagnosis {
    if hasProc { return Diagnosis("proc", "is mounted") }
    return Diagnosis(
      .warn, "proc", "is missing",
      "a consumer checks every 200 ms what its reader has read; no message names a holder",
      "mount /proc")
  }

  private var inotify: Diagnosis? {
    guard let (used, most) = inotifyInstances() else { return nil }
    let found = "up to \(used) of \(most) instances of this user are in use"
    if most - used < 4 {
      return Diagnosis(
        .warn, "inotify", found, "a consumer that finds none checks every 200 ms for entries",
        "sysctl fs.inotify.max_user_instances=\(max(1024, 2 * most))")
    }
    return Diagnosis("inotify", found)
  }

  private var files: Diagnosis {
    guard let most = limit(.files) else { return Diagnosis("files", "no limit") }
    let found = "\(most) may be open"
    if most < 256 {
      return Diagnosis(
        most < 64 ? .bad : .warn, "files", found,
        "a consumer needs 20, and some for each command that runs at the same time",
        "ulimit -n 1024")
    }
    return Diagnosis("files", found)
  }

  private var fileSize: Diagnosis {
    guard let most = limit(.fileSize) else { return Diagnosis("filesize", "no limit") }
    let found = "\(most) bytes for a file"
    if most < 2 * Segment.rollSize {
      return Diagnosis(
        .bad, "filesize", found, "segments have \(Segment.rollSize >> 20) MiB and a line more",
        "ulimit -f unlimited")
    }
    return Diagnosis("filesize", found)
  }

  private var tasks: Diagnosis? {
    let key = "0::"
    guard
      let line = bytesOfFile("/proc/self/cgroup")?.split(separator: 0x0a).last(where: {
        $0.starts(with: key.utf8)
      })
    else { return nil }
    let place = "/sys/fs/cgroup" + String(systemBytes: Array(line.dropFirst(key.utf8.count)))
    let value = { (name: String) in bytesOfFile("\(place)/\(name)").flatMap(number) }
    guard let most = value("pids.max"), let used = value("pids.current") else { return nil }
    let found = "\(used) of \(most) tasks of this control group are in use"
    if most - used < 16 {
      return Diagnosis(
        .warn, "tasks", found, "consume cannot start its commands",
        "raise TasksMax= of the unit, or --pids-limit of the container")
    }
    return Diagnosis("tasks", found)
  }

  private func clock(_ now: Instant) throws(Fault) -> Diagnosis {
    var newest: Instant?
    if let ends = try queue?.ends() {
      newest = Lane.allCases.map { ends[$0].time }.max()
    }
    if let newest, newest > now + .seconds(60) {
      let ahead = newest - now
      return Diagnosis(
        .warn, "clock", "is \(ahead.microseconds / 1_000_000) s behind the newest entry",
        "new entries get the time of that entry; delays and --retain end late",
        "check timedatectl; pipe needs no other repair")
    }
    if now < Examination.firstRelease {
      return Diagnosis(
        .warn, "clock", "is before the first release of pipe",
        "entries get wrong times, and delays end late", "check timedatectl")
    }
    return Diagnosis("clock", "is not behind the newest entry")
  }

  /// 2026-01-01, in UTC.
  private static let firstRelease = Instant(microseconds: 1_767_225_600_000_000)

  private var stdout: Diagnosis {
    guard stdoutIsPipe() else { return Diagnosis("stdout", "is no pipe") }
    if hasProc { return Diagnosis("stdout", "is a pipe that can be watched") }
    return Diagnosis(
      .warn, "stdout", "is a pipe that cannot be watched",
      "consume checks every 200 ms what its reader has read", "mount /proc")
  }
}
