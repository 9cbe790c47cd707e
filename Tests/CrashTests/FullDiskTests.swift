import Foundation
import Glibc
import TestSupport
import Testing

/// A small file system that can be filled.
private enum SmallDisk: String, CaseIterable, CustomTestStringConvertible {
  case ext4, btrfs, mixed, xfs, tmpfs
  var testDescription: String { rawValue }

  /// About the most that min-free keeps: a sixteenth.
  var reserve: Int {
    switch self {
    case .ext4: 1 << 20
    case .btrfs, .mixed: 9 << 20
    case .xfs: 16 << 20
    case .tmpfs: 1 << 18
    }
  }

  func with(_ scratch: Scratch, _ body: (String) throws -> Void) throws {
    if self != .tmpfs {
      let disk =
        switch self {
        case .ext4: try Disk(.ext4, in: scratch, megabytes: 16)
        case .xfs: try Disk(.xfs, in: scratch)
        // Where data and metadata share their space, neither has any left.
        default: try Disk(.btrfs, in: scratch, options: self == .mixed ? ["-M"] : [])
        }
      return try disk.mounted { try body(disk.path) }
    }
    let path = scratch.path("memory")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Command("mount", "-t", "tmpfs", "-o", "size=4M,nr_inodes=200", "tmpfs", path).mustRun()
    defer { _ = try? Command("umount", path).run() }
    try body(path)
  }
}

/// Files that take up space.
private struct Ballast {
  let directory: String

  /// Writes until only `spare` bytes are left. These are taken first and given back at the end: a
  /// full btrfs has no space to truncate a file.
  func fill(leaving spare: Int = 0) throws {
    if spare > 0 { write("room", blocks: [1 << 16], upTo: spare) }
    write("ballast", blocks: [1 << 16, 1 << 12, 1], upTo: .max)
    guard spare > 0 else { return }
    guard unlink("\(directory)/room") == 0 else { throw Failure("unlink") }
    try Command("sync", "-f", directory).mustRun()
  }

  private func write(_ name: String, blocks: [Int], upTo size: Int) {
    let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC
    let file = open("\(directory)/\(name)", flags, 0o600)
    defer { close(file) }
    var left = size
    for size in blocks {
      let block = [UInt8](repeating: 7, count: size)
      while left > 0, Glibc.write(file, block, size) == size { left -= size }
    }
    fsync(file)
  }

  /// Creates files until no more can be created.
  func exhaustNames() {
    for number in 0... {
      let file = open("\(directory)/name.\(number)", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
      if file < 0 { return }
      close(file)
    }
  }

  func remove() throws {
    unlink("\(directory)/ballast")
    var number = 0
    while unlink("\(directory)/name.\(number)") == 0 { number += 1 }
    // btrfs has the space back only now.
    try Command("sync", "-f", directory).mustRun()
  }
}

@Suite("A full disk", .serialized)
struct FullDiskTests {
  /// Stores entries until a commit is refused, and expects nothing of it to remain.
  private func store(
    _ queue: TestQueue, _ ledger: inout Ledger, from first: Int = 0
  ) throws -> Run {
    for batch in 0..<200 {
      let entries = (0..<50).map { Entry.record(first + batch * 50 + $0, bytes: 4000) }
      let result = try queue.enqueue(entries)
      ledger.feed(entries, receipts: result.receipts)
      if result.ending == .exited(0), result.receipts.count == 50 { continue }
      #expect(result.errors.hasPrefix("pipe enqueue: ") && result.receipts.count < 50, "\(result)")
      let end = try queue.names(in: "end").first { $0.hasPrefix("MEDIUM.") }
      let parts = end?.split(separator: ".").map(String.init) ?? []
      let segment = queue.segment().dropLast(parts[3].count) + parts[3]
      let size = try FileManager.default.attributesOfItem(atPath: String(segment))[.size] as? Int
      #expect("\(size ?? 0)" == parts[4], "bytes behind the end")
      return result
    }
    throw Failure("the disk is never full")
  }

  @Test(
    "a full disk refuses a commit as a whole, can be drained, and takes entries again with room",
    .needsDisks(.ext4, .btrfs, .xfs), arguments: SmallDisk.allCases, ["0", "64MiB"])
  fileprivate func full(kind: SmallDisk, reserve: String) throws {
    // statfs(2) does not know how much is left of space that data and metadata share.
    if kind == .mixed, reserve == "0" { return }
    let scratch = try Scratch(.memory)
    try kind.with(scratch) { directory in
      let queue = TestQueue("\(directory)/queue", scratch)
      try Command.pipe("init", "-q", queue.path, "--min-free", reserve).mustRun()
      let ballast = Ballast(directory: directory)
      try ballast.fill(leaving: 2 << 20 + (reserve == "0" ? 0 : kind.reserve))
      var ledger = Ledger()
      let refused = try store(queue, &ledger)
      #expect(refused.ending == .exited(75), "\(refused)")
      try ballast.fill()
      let drained = try queue.drain()
      #expect(drained.result.ending == .exited(0), "\(drained.result)")
      ledger.deliver(drained.delivered)
      #expect(drained.delivered.count == ledger.promised.count, "stored without a receipt")
      try ballast.remove()
      try ledger.settle(queue, after: "\(drained.result)")
      #expect(ledger.again == 0)
    }
  }

  @Test(
    "on a full disk claimed items can be acknowledged and retried, and are kept if not buried",
    .needsDisks(.ext4, .btrfs, .xfs), arguments: SmallDisk.allCases)
  fileprivate func settling(kind: SmallDisk) throws {
    let scratch = try Scratch(.memory)
    try kind.with(scratch) { directory in
      let queue = TestQueue("\(directory)/queue", scratch)
      let options = ["--min-free", "0", "--slice", "1", "--backoff", "0s..0s"]
      try Command([Binary.path, "init", "-q", queue.path] + options).mustRun()
      var ledger = Ledger()
      try ledger.store((1...6).map { .record($0) }, in: queue)
      let ballast = Ballast(directory: directory)
      try ballast.fill()
      ballast.exhaustNames()
      let held = scratch.path("held")
      let handOut = Command.pipe("batch", "-q", queue.path, "--hold", "1h", "-n", "4")
      let batch = try handOut.writing(to: held).run()
      let claims = try queue.lines(of: held).map { try BatchLine($0).claim }
      #expect(batch.ending == .exited(0) && claims.count == 4, "\(batch)")
      for (claim, way) in zip(claims, [[], ["--retry"], ["--bury"]]) {
        let ack = try Command([Binary.path, "ack", "-q", queue.path] + way + [claim]).run()
        // If there is no room for the dead letter, the item is kept, and the status says so.
        let isKept = way == ["--bury"] && ack.ending == .exited(75)
        #expect(ack.ending == .exited(0) || isKept, "\(ack)")
      }
      let failing = Command.pipe("consume", "-q", queue.path, "-n", "1", "--", "false")
      let failed = try failing.run()
      #expect(failed.ending == .exited(1), "\(failed)")
      try ballast.remove()
      ledger.plan(0..<6, .ready, attempts: 0...3)
      ledger.plan(0..<1, .done)
      ledger.conclude(isWhole: true)
      // The last block had room for the dead letter, or the item is kept.
      ledger.allow([.dead, .ready], 2)
      try ledger.settle(queue, after: "\(failed)")
    }
  }

  @Test(
    "a loaded gateway responds with 503 on a full disk, and takes entries again with room",
    .needsDisks(.ext4, .btrfs, .xfs), arguments: SmallDisk.allCases)
  fileprivate func gateway(kind: SmallDisk) throws {
    let scratch = try Scratch(.memory)
    try kind.with(scratch) { directory in
      let queue = TestQueue("\(directory)/queue", scratch)
      try Command.pipe("init", "-q", queue.path, "--min-free", "0").mustRun()
      let ballast = Ballast(directory: directory)
      try ballast.fill(leaving: 2 << 20)
      let gateway = try LoadedGateway(queue, clients: 64, after: 0)
      gateway.size = 4000
      try gateway.load { gateway.refused.count >= 500 }
      let before = gateway.accepted.count
      #expect(before > 0)
      try ballast.remove()
      try gateway.load { gateway.accepted.count >= before + 100 }
      #expect(gateway.end(by: SIGTERM) == .exited(0))
      for (head, _) in gateway.refused {
        #expect(head.hasPrefix("HTTP/1.1 503") && head.contains("\r\nretry-after: "), "\(head)")
      }
      var ledger = Ledger()
      ledger.feed(gateway)
      try ledger.settle(queue, after: gateway.errors)
      let lines = gateway.errors.split(separator: "\n")
      #expect(lines.count < 20, "said once, and not for each request: \(lines.prefix(5))")
    }
  }

  @Test(
    "a queue is drained without a free block or inode, even one by one and after failures",
    .needsDisks(.ext4, .btrfs, .xfs), arguments: SmallDisk.allCases)
  fileprivate func drained(kind: SmallDisk) throws {
    let scratch = try Scratch(.memory)
    try kind.with(scratch) { directory in
      let queue = TestQueue("\(directory)/queue", scratch)
      let options = ["--min-free", "0", "--retries", "1", "--backoff", "0s..0s"]
      try Command([Binary.path, "init", "-q", queue.path] + options).mustRun()
      var ledger = Ledger()
      let entries = (0..<600).map { Entry.record($0) }
      ledger.feed(entries, receipts: try queue.enqueue(entries).receipts)
      let ballast = Ballast(directory: directory)
      try ballast.fill()
      // Each failed item needs a file, and here there are 200 in all.
      if kind != .tmpfs { ballast.exhaustNames() }
      try ballast.fill()
      let failing = Command.pipe("consume", "-q", queue.path, "-n", "120", "--", "false")
      let failed = try failing.run()
      #expect(failed.ending == .exited(1), "\(failed)")
      // Where data and metadata share their space, files cannot take all of it.
      if kind != .mixed {
        let refused = try queue.enqueue([.record(900, bytes: 1 << 19)])
        #expect(refused.ending == .exited(75), "\(refused)")
      }
      let drained = try queue.drain()
      #expect(drained.result.ending == .exited(0), "\(drained.result)")
      ledger.deliver(drained.delivered)
      #expect(drained.delivered.count == 600)
      try ballast.remove()
      try ledger.settle(queue, after: "\(drained.result)")
    }
  }

  @Test("a queue that has used up a btrfs quota is drained", .needsDisks(.btrfs))
  func quota() throws {
    let scratch = try Scratch(.memory)
    let disk = try Disk(.btrfs, in: scratch, megabytes: 256)
    try disk.mounted {
      let directory = disk.path + "/limited"
      try Command("btrfs", "quota", "enable", disk.path).mustRun()
      try Command("btrfs", "subvolume", "create", directory).mustRun()
      try Command("btrfs", "qgroup", "limit", "20M", directory).mustRun()
      let queue = TestQueue("\(directory)/queue", scratch)
      try Command.pipe("init", "-q", queue.path, "--min-free", "0").mustRun()
      var ledger = Ledger()
      let entries = (0..<300).map { Entry.record($0) }
      ledger.feed(entries, receipts: try queue.enqueue(entries).receipts)
      let ballast = Ballast(directory: directory)
      try ballast.fill()
      ballast.exhaustNames()
      let refused = try queue.enqueue([.record(900, bytes: 1 << 19)])
      #expect(refused.ending == .exited(75), "\(refused)")
      let drained = try queue.drain()
      #expect(drained.result.ending == .exited(0), "\(drained.result)")
      ledger.deliver(drained.delivered)
      try ballast.remove()
      try ledger.settle(queue, after: "\(drained.result)")
    }
  }

  @Test(
    "a disk has room again once its queue is drained, if nothing has to be retained",
    .needsDisks(.ext4, .xfs))
  func pruned() throws {
    for kind in [SmallDisk.ext4, .xfs, .tmpfs] {
      let scratch = try Scratch(.memory)
      try kind.with(scratch) { directory in
        let queue = TestQueue("\(directory)/queue", scratch)
        let options = ["--min-free", "1MiB", "--retain", "0s"]
        try Command([Binary.path, "init", "-q", queue.path] + options).mustRun()
        let ballast = Ballast(directory: directory)
        try ballast.fill(leaving: (kind == .tmpfs ? 2 : 9) << 20)
        for round in 0..<3 {
          var ledger = Ledger()
          // It fits without pruning, and keeps the last segment from being pruned afterwards.
          let small = [Entry.record(round * 20_000 + 19_999)]
          ledger.feed(small, receipts: try queue.enqueue(small).receipts)
          let full = try store(queue, &ledger, from: round * 20_000)
          #expect(full.ending == .exited(75), "\(full)")
          #expect(ledger.promised.count > 100, "no room in round \(round)")
          let drained = try queue.drain()
          #expect(drained.delivered.count == ledger.promised.count, "\(drained.result)")
        }
      }
    }
  }

  @Test("enqueue works without free inodes, and all entries can be drained", .needsDisks(.ext4))
  func inodes() throws {
    let scratch = try Scratch(.memory)
    try SmallDisk.tmpfs.with(scratch) { directory in
      let queue = TestQueue("\(directory)/queue", scratch)
      var ledger = Ledger()
      let first = [Entry.record(1), .record(2, "LOW")]
      ledger.feed(first, receipts: try queue.enqueue(first).receipts)
      Ballast(directory: directory).exhaustNames()
      let second = EnqueueForm.mixed.dropFirst(2) + [.record(9, "HIGH")]
      let result = try queue.enqueue(Array(second))
      #expect(result.ending == .exited(0), "\(result)")
      ledger.feed(Array(second), receipts: result.receipts)
      try ledger.settle(queue, after: "\(result)")
    }
  }
}
