internal import Glibc
internal import PipeIO
internal import PipeTime
internal import Synchronization

/// `100/s 30/m 5/h`: an average number of requests per period.
package struct Rate {
  let count: Int
  let period: TimeSpan

  package init?(argument: String) {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
    let periods: [Substring: TimeSpan] = ["s": .seconds(1), "m": .minutes(1), "h": .hours(1)]
    guard parts.count == 2, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let count = Int(parts[0]), (1...1_000_000).contains(count), let period = periods[parts[1]]
    else { return nil }
    self.count = count
    self.period = period
  }
}

/// A token bucket for each client: it holds the requests of one period and refills at the average
/// rate.
final class RateLimit: Sendable {
  private let rate: Rate
  /// When each client's bucket is full again (`Clock.steady`).
  private let full = Mutex<[ClientKey: SteadyInstant]>([:])

  /// Clients remembered at most.
  private static let most = 1 << 16

  init(_ rate: Rate) { self.rate = rate }

  /// nil: permitted; otherwise seconds until the client may send a request.
  func refuses(_ client: String, now: SteadyInstant = Clock.steady()) -> Int? {
    let cost = max(.microseconds(1), rate.period / Int64(rate.count))
    return full.withLock { full in
      let key = ClientKey(client)
      let filled = max(now, full[key] ?? now) + cost
      let wait = filled - now - rate.period
      if wait > .zero { return Int((wait.microseconds + 999_999) / 1_000_000) }
      if full.count >= RateLimit.most, full[key] == nil { RateLimit.forget(&full, now) }
      full[key] = filled
      return nil
    }
  }

  // Clients with a full bucket need no record. If more than half of `most` remain, all clients
  // start again with a full bucket.
  private static func forget(_ full: inout [ClientKey: SteadyInstant], _ now: SteadyInstant) {
    full = full.filter { $0.value > now }
    if full.count > most / 2 { full.removeAll() }
  }
}

/// An address; for IPv6 its /64 network, since each client can use any address of a whole network.
private struct ClientKey: Hashable {
  private let text: String
  private let network: UInt64

  init(_ client: String) {
    var address = in6_addr()
    let isMapped = client.hasPrefix("::ffff:")
    guard !isMapped, inet_pton(AF_INET6, client, &address) == 1 else {
      (text, network) = (client, 0)
      return
    }
    (text, network) = ("", withUnsafeBytes(of: address) { $0.load(as: UInt64.self) })
  }
}
