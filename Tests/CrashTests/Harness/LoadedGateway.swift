import Foundation
import Glibc
import TestSupport

/// `pipe serve` on a queue, and clients that keep it busy: each sends an entry, and the next one
/// after the response.
final class LoadedGateway {
  private struct Client {
    var number: Int32
    var entry: Entry?
    var unsent: [UInt8] = []
    var received: [UInt8] = []
  }

  private let child: Child
  private var clients: [Client] = []
  /// Its stderr, once it has ended.
  private(set) var errors = ""
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
    var line = child.errorLine()
    while let text = line, !text.contains("listening on http:") { line = child.errorLine() }
    guard let port = line?.split(separator: ":").last.flatMap({ UInt16($0) }) else {
      throw Failure("no gateway: \(child.errorText)")
    }
    for _ in 0..<count { clients.append(Client(number: try Loopback.connect(to: port))) }
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
      guard poll(&entries, nfds_t(entries.count), Patience.milliseconds) > 0 else {
        throw Failure("nothing is answered any more: \(child.errorText)")
      }
      for (index, entry) in entries.enumerated() where entry.revents != 0 { hear(index) }
    }
  }

  /// Ends it and the program that runs it with a signal, and reads the responses before that.
  func end(by signal: Int32) -> Ending {
    // strace does not pass it on.
    kill(-child.process, signal)
    for index in clients.indices { while clients[index].number >= 0 { hear(index) } }
    let run = child.finish()
    errors = run.errors
    return run.ending
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
    for client in clients where client.number >= 0 { close(client.number) }
  }
}

extension Ledger {
  /// Promises of a gateway: entries without a response may be stored, refused ones must not be.
  mutating func feed(_ gateway: LoadedGateway) {
    for (id, entry) in gateway.accepted { feed([entry], receipts: [id]) }
    feed(gateway.unknown, receipts: [])
  }
}
