internal import NIOCore
internal import Synchronization

/// The client of an event stream, until it leaves or the server stops. Usable from any thread.
package final class Subscriber: Sendable {
  private let hasLeft = Atomic(false)
  private let connection: NIOLoopBound<Connection>
  private let loop: any EventLoop

  init(_ connection: NIOLoopBound<Connection>, _ loop: any EventLoop) {
    self.connection = connection
    self.loop = loop
  }

  package var isGone: Bool { hasLeft.load(ordering: .relaxed) }

  func leave() { hasLeft.store(true, ordering: .relaxed) }

  /// Sends the same event to all subscribers: one copy, and one wake-up of the event loop. A
  /// subscriber that has not read earlier events does not get it.
  package static func send(_ event: [UInt8], to subscribers: [Subscriber]) {
    subscribers.first?.loop.execute {
      let buffer = ByteBuffer(bytes: event)
      for subscriber in subscribers { subscriber.connection.value.send(buffer, to: subscriber) }
    }
  }

  /// Ends the event streams.
  package static func end(_ subscribers: [Subscriber]) {
    subscribers.first?.loop.execute {
      for subscriber in subscribers where !subscriber.isGone {
        subscriber.leave()
        subscriber.connection.value.endEventStream()
      }
    }
  }
}
