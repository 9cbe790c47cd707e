import Foundation
import Glibc
import TestSupport

/// Many clients that send the same request and read the responses as they come.
final class Crowd {
  private struct Member {
    var number: Int32
    var sent = 0
    var head: [UInt8] = []
  }

  private var members: [Member] = []
  private let request: [UInt8]

  init(_ count: Int, _ port: UInt16, _ request: String) throws {
    self.request = Array(request.utf8)
    for _ in 0..<count { members.append(Member(number: try Connection(port).release())) }
  }

  /// The beginning of each response.
  var heads: [String] { members.map { String(decoding: $0.head, as: UTF8.self) } }

  var statuses: [Int] {
    heads.map { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0 }
  }

  /// Works until every client has a response or was cut off; calls `now` in between.
  func work(_ now: () throws -> Void) throws {
    let start = time(nil)
    while members.contains(where: { $0.number >= 0 }) {
      if time(nil) - start > Patience.seconds { throw Failure("no end of answers") }
      var entries = members.map {
        let events = $0.sent < request.count ? POLLIN | POLLOUT : POLLIN
        return pollfd(fd: $0.number, events: Int16(events), revents: 0)
      }
      poll(&entries, nfds_t(entries.count), 1000)
      for (index, entry) in entries.enumerated() where entry.revents != 0 { step(index, entry) }
      try now()
    }
  }

  private func step(_ index: Int, _ entry: pollfd) {
    if entry.revents & Int16(POLLOUT) != 0 {
      let (number, sent) = (members[index].number, members[index].sent)
      let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
      let count = request.withUnsafeBytes {
        send(number, $0.baseAddress! + sent, min(1 << 16, request.count - sent), flags)
      }
      // A refused client stops sending; its response is read below.
      members[index].sent = count < 0 && errno != EAGAIN ? request.count : sent + max(0, count)
    }
    guard entry.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 else { return }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(members[index].number, &buffer, buffer.count, 0)
    if count > 0 { members[index].head += buffer[..<count] }
    let isWhole = members[index].head.last == UInt8(ascii: "}")
    if count <= 0 || isWhole {
      close(members[index].number)
      members[index].number = -1
    }
  }

  deinit { for member in members where member.number >= 0 { close(member.number) } }
}
