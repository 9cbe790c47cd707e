internal import NIOCore
internal import Synchronization

/// The client of an event stream, until it leaves or the server stops. Usable from any thread.
package final class Subscriber: Sendable {
  private let isOver = Atomic(false)
  private let connection: NIOLoopBound<Connection>
  private let loop: any EventLoop

  init(_ connection: NIOLoopBound<Connection>, _ loop: any EventLoop) {
    self.connection = connection
    self.loop = loop
  }

  package var isGone: Bool { isOver.load(ordering: .relaxed) }

  func leave() { isOver.store(true, ordering: .relaxed) }

  /// Sends the same event to all subscribers: one copy, and one wake-up of the event loop. A
  /// subscriber that has not read earlier events does not get it.
  package static func show(_ bytes: [UInt8], to subscribers: [Subscriber]) {
    subscribers.first?.loop.execute {
      let buffer = ByteBuffer(bytes: bytes)
      for subscriber in subscribers { subscriber.connection.value.show(buffer, to: subscriber) }
    }
  }

  /// Ends the event streams.
  package static func end(_ subscribers: [Subscriber]) {
    subscribers.first?.loop.execute {
      for subscriber in subscribers where !subscriber.isGone {
        subscriber.leave()
        subscriber.connection.value.endView()
      }
    }
  }
}
