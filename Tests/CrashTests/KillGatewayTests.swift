import Foundation
import Glibc
import TestSupport
import Testing

@Suite("serve under kill -9", .serialized)
struct KillGatewayTests {
  @Test("entries that got a 2xx survive a killed gateway with their bytes, and the next one works")
  func killed() throws {
    let scratch = try Scratch(.memory)
    let queue = TestQueue(scratch.path("queue"), scratch)
    let seed = UInt64.random(in: 0...9999)
    var random = SplitMix(seed: seed)
    print("KILL_SEED=\(seed)")
    var ledger = Ledger()
    var (last, unknown) = (0, 0)
    for round in 1...12 {
      let gateway = try LoadedGateway(queue, clients: 64, after: last)
      gateway.size = [0, 300, 5000][round % 3]
      let enough = random.number(20...419)
      try gateway.load { gateway.accepted.count >= enough }
      #expect(gateway.end(by: SIGKILL) == .killed(SIGKILL))
      #expect(gateway.refused.isEmpty, "seed \(seed): \(gateway.refused.first?.head ?? "")")
      last = gateway.last
      unknown += gateway.unknown.count
      ledger.feed(gateway)
    }
    try ledger.settle(queue, after: "seed \(seed)")
    print("12 kills: \(ledger.promised.count) accepted, \(unknown) not answered")
  }

  @Test(
    "a failed flush is not a 2xx, and entries accepted before and after it are stored",
    .needsStrace)
  func flush() throws {
    let scratch = try Scratch(.memory)
    for (number, when) in ["3", "20+3", "8..9"].enumerated() {
      let queue = TestQueue(scratch.path("queue\(number)"), scratch)
      let strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e"]
      let failing = strace + ["inject=fdatasync:error=EIO:when=\(when)", "--"]
      let gateway = try LoadedGateway(queue, clients: 8, after: 0, under: failing)
      try gateway.load { gateway.accepted.count >= 200 && !gateway.refused.isEmpty }
      _ = gateway.end(by: SIGTERM)
      #expect(!gateway.refused.isEmpty)
      for (head, _) in gateway.refused {
        #expect(head.hasPrefix("HTTP/1.1 503") && head.contains("\r\nretry-after: "), "\(head)")
      }
      var ledger = Ledger()
      ledger.feed(gateway)
      // Whether an entry that could not be flushed is stored is unknown.
      ledger.feed(gateway.refused.map(\.entry), receipts: [])
      try ledger.settle(queue, after: gateway.errors)
    }
  }
}
