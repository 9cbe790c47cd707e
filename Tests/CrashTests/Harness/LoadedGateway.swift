import Foundation
import Glibc

/// `pipe serve` on a queue, and clients that keep it busy: each sends an entry, and the next one
/// after the response.
final class LoadedGateway {
  private struct Client {
    var number: Int32
    var entry: Entry?
    var unsent: [UInt8] = []
    var received: [UInt8] = []
  }

  let child: Child
  private let port: UInt16
  private var clients: [Client] = []
  private var isEnded = false
  /// Number of the last entry, across all gateways of a test.
  private(set) var last: Int
  /// Entries that got a 2xx, with their ids.
  private(set) var accepted: [(id: String, entry: Entry)] = []
  /// Entries that got another response, with its head.
  private(set) var refused: [(head: String, entry: Entry)] = []
  /// Bytes of padding in each entry.
  var size = 0

  /// `prefix`: the program that runs it, such as strace.
  init(_ queue: TestQueue, clients count: Int, after last: Int, under prefix: [String] = []) throws
  {
    self.last = last
    let program = prefix + [Binary.path, "serve", "-q", queue.path, "--port", "0"]
    child = try Command(program).start()
    let child = child
    var port: UInt16?
    let start = time(nil)
    while port == nil, time(nil) - start < 60 {
      let line = child.complaint.split(separator: "\n").first { $0.contains("listening on http:") }
      port = line?.split(separator: ":").last.flatMap { UInt16($0) }
      usleep(500)
    }
    guard let port else { throw Failure("no gateway: \(child.complaint)") }
    self.port = port
    for _ in 0..<count { clients.append(Client(number: try connect())) }
  }

  private func connect() throws -> Int32 {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Failure("connect: \(errno)") }
    return number
  }

  /// Entries without a response: whether they are stored is unknown.
  var unknown: [Entry] { clients.compactMap(\.entry) }

  /// Runs until `isEnough`, or until all clients were cut off.
  func load(until isEnough: () throws -> Bool) throws {
    while try !isEnough(), clients.contains(where: { $0.number >= 0 }) {
      for index in clients.indices where clients[index].number >= 0 { ask(index) }
      var entries = clients.map {
        let events = $0.unsent.isEmpty ? POLLIN : POLLIN | POLLOUT
        return pollfd(fd: $0.number, events: Int16(events), revents: 0)
      }
      guard poll(&entries, nfds_t(entries.count), 60_000) > 0 else {
        throw Failure("nothing is answered any more: \(child.complaint)")
      }
      for (index, entry) in entries.enumerated() where entry.revents != 0 { hear(index) }
    }
  }

  /// Ends it and the program that runs it with a signal, and reads the responses before that.
  func end(by signal: Int32) -> Ending {
    // strace does not pass it on.
    kill(-child.process, signal)
    for index in clients.indices { while clients[index].number >= 0 { hear(index) } }
    isEnded = true
    return child.reap()
  }

  private func ask(_ index: Int) {
    if clients[index].entry == nil {
      last += 1
      let entry = last % 8 == 0 ? Entry.ids(last, count: 3, "HIGH") : .record(last, bytes: size)
      let head = "POST /ingest HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
      clients[index].entry = entry
      clients[index].unsent = Array("\(head)\(entry.line.utf8.count)\r\n\r\n\(entry.line)".utf8)
    }
    let unsent = clients[index].unsent
    if unsent.isEmpty { return }
    let count = send(
      clients[index].number, unsent, unsent.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
    if count > 0 { clients[index].unsent.removeFirst(count) }
  }

  private func hear(_ index: Int) {
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    let count = recv(clients[index].number, &buffer, buffer.count, 0)
    if count <= 0 {
      close(clients[index].number)
      clients[index].number = -1
      return
    }
    clients[index].received += buffer[..<count]
    let text = String(decoding: clients[index].received, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n"), text.hasSuffix("}"),
      let entry = clients[index].entry
    else { return }
    if let id = text.firstRange(of: #"{"ingestion_id":""#), text.hasPrefix("HTTP/1.1 20") {
      accepted.append((String(text[id.upperBound...].prefix(26)), entry))
    } else {
      refused.append((String(text[..<end.lowerBound]), entry))
    }
    clients[index].entry = nil
    clients[index].received = []
  }

  deinit {
    if !isEnded { kill(-child.process, SIGKILL) }
    for client in clients where client.number >= 0 { close(client.number) }
  }
}

extension Oracle {
  /// Promises of a gateway: entries without a response may be stored, refused ones must not be.
  mutating func feed(_ gateway: LoadedGateway) {
    for (id, entry) in gateway.accepted { feed([entry], receipts: [id]) }
    feed(gateway.unknown, receipts: [])
  }
}
