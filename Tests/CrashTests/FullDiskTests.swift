import Foundation
import Glibc
import Testing

/// A small file system that can be filled.
private enum SmallDisk: String, CaseIterable, CustomTestStringConvertible {
  case ext4, btrfs, tmpfs
  var testDescription: String { rawValue }

  /// About what min-free keeps of it at the most: a sixteenth.
  var reserve: Int {
    switch self {
    case .ext4: 1 << 20
    case .btrfs: 9 << 20
    case .tmpfs: 1 << 18
    }
  }

  func with(_ scratch: Scratch, _ body: (String) throws -> Void) throws {
    if self != .tmpfs {
      let disk = try Disk(
        self == .ext4 ? .ext4 : .btrfs, in: scratch, megabytes: self == .ext4 ? 16 : nil)
      return try disk.mounted { try body(disk.path) }
    }
    let path = scratch.path("memory")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try Command("mount", "-t", "tmpfs", "-o", "size=4M,nr_inodes=200", "tmpfs", path).mustRun()
    defer { _ = try? Command("umount", path).run() }
    try body(path)
  }
}

/// Files that take up room.
private struct Ballast {
  let directory: String

  /// Writes until there is no more room but `spare` bytes.
  func fill(leaving spare: Int = 0) throws {
    let name = "\(directory)/ballast"
    let file = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    defer { close(file) }
    for size in [1 << 16, 1 << 12, 1] {
      let block = [UInt8](repeating: 7, count: size)
      while write(file, block, size) == size {}
    }
    guard spare > 0 else { return }
    guard ftruncate(file, lseek(file, 0, SEEK_END) - spare) == 0 else { throw Failure("ftruncate") }
    fsync(file)
  }

  /// Makes files until there can be no more.
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
    // btrfs has the room back only now.
    try Command("sync", "-f", directory).mustRun()
  }
}

@Suite("a full disk", .serialized)
struct FullDiskTests {
  /// Stores entries until a commit is refused, of which nothing is left.
  private func store(_ queue: TestQueue, _ oracle: inout Oracle) throws -> Finished {
    for batch in 0..<200 {
      let entries = (0..<50).map { Entry.record(batch * 50 + $0, bytes: 4000) }
      let result = try queue.enqueue(entries)
      oracle.feed(entries, receipts: result.receipts)
      if result.ending == .exited(0), result.receipts.count == 50 { continue }
      #expect(result.errors.hasPrefix("pipe enqueue: ") && result.receipts.count < 50, "\(result)")
      let size = try FileManager.default.attributesOfItem(atPath: queue.segment())[.size] as? Int
      let end = try queue.names(in: "end").first { $0.hasPrefix("MEDIUM.") }
      #expect("\(size ?? 0)" == end?.split(separator: ".")[4] ?? "", "bytes behind the end")
      return result
    }
    throw Failure("the disk is never full")
  }

  @Test(
    "refuses a commit as a whole, can be drained, and takes entries again when there is room",
    .needsDisks(.ext4, .btrfs), arguments: SmallDisk.allCases, ["0", "64MiB"])
  fileprivate func full(kind: SmallDisk, reserve: String) throws {
    let scratch = try Scratch()
    try kind.with(scratch) { directory in
      let queue = TestQueue("\(directory)/queue", scratch)
      try Command.pipe("init", "-q", queue.path, "--min-free", reserve).mustRun()
      let ballast = Ballast(directory: directory)
      try ballast.fill(leaving: 2 << 20 + (reserve == "0" ? 0 : kind.reserve))
      var oracle = Oracle()
      let refused = try store(queue, &oracle)
      #expect(refused.ending == .exited(75), "\(refused)")
      try ballast.fill()
      let drained = try queue.drain()
      #expect(drained.result.ending == .exited(0), "\(drained.result)")
      oracle.deliver(drained.delivered)
      #expect(drained.delivered.count == oracle.promised.count, "stored without a receipt")
      try ballast.remove()
      try oracle.settle(queue, after: "\(drained.result)")
      #expect(oracle.again == 0)
    }
  }

  @Test(
    "lets what was handed out be acknowledged and retried, and keeps what should be buried",
    .needsDisks(.ext4, .btrfs), arguments: SmallDisk.allCases)
  fileprivate func settling(kind: SmallDisk) throws {
    let scratch = try Scratch()
    try kind.with(scratch) { directory in
      let queue = TestQueue("\(directory)/queue", scratch)
      let options = ["--min-free", "0", "--slice", "1", "--backoff", "0s..0s"]
      try Command([Binary.path, "init", "-q", queue.path] + options).mustRun()
      var ledger = Ledger()
      try ledger.store((1...6).map { .record($0) }, in: queue)
      let ballast = Ballast(directory: directory)
      try ballast.fill()
      // btrfs has then no room for a rename either.
      if kind != .btrfs { ballast.exhaustNames() }
      let held = scratch.path("held")
      let handOut = Command.pipe("batch", "-q", queue.path, "--hold", "1h", "-n", "4")
      let batch = try handOut.writing(to: held).run()
      let claims = try queue.lines(of: held).map { try BatchLine($0).claim }
      #expect(batch.ending == .exited(0) && claims.count == 4, "\(batch)")
      for (claim, way) in zip(claims, [[], ["--retry"], ["--bury"]]) {
        let ack = try Command([Binary.path, "ack", "-q", queue.path] + way + [claim]).run()
        // Where there is no room for the dead letter, the item is kept, and the status says so.
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
      // There was room in the last block, or it is kept.
      ledger.allow([.dead, .ready], 2)
      try ledger.settle(queue, after: "\(failed)")
    }
  }

  @Test(
    "under load from many connections is answered 503, and when there is room entries are taken again",
    .needsDisks(.ext4, .btrfs), arguments: SmallDisk.allCases)
  fileprivate func gateway(kind: SmallDisk) throws {
    let scratch = try Scratch()
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
      var oracle = Oracle()
      oracle.feed(gateway)
      try oracle.settle(queue, after: gateway.child.complaint)
      let lines = gateway.child.complaint.split(separator: "\n")
      #expect(lines.count < 20, "said once, and not for each request: \(lines.prefix(5))")
    }
  }

  @Test("without free inodes enqueue goes on, and all can be drained", .needsDisks(.ext4))
  func inodes() throws {
    let scratch = try Scratch()
    try SmallDisk.tmpfs.with(scratch) { directory in
      let queue = TestQueue("\(directory)/queue", scratch)
      var oracle = Oracle()
      let first = [Entry.record(1), .record(2, "LOW")]
      oracle.feed(first, receipts: try queue.enqueue(first).receipts)
      Ballast(directory: directory).exhaustNames()
      let second = EnqueueForm.mixed.dropFirst(2) + [.record(9, "HIGH")]
      let result = try queue.enqueue(Array(second))
      #expect(result.ending == .exited(0), "\(result)")
      oracle.feed(Array(second), receipts: result.receipts)
      try oracle.settle(queue, after: "\(result)")
    }
  }
}
