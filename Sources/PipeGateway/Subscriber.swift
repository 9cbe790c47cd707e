internal import NIOCore
internal import Synchronization

/// One whose answer goes on until it leaves or the server ends. It can be told from any thread.
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

  /// Shows all of them the same: one copy, and one wake-up of the event loop. Who has not read what came
  /// before does not get it.
  package static func show(_ bytes: [UInt8], to subscribers: [Subscriber]) {
    subscribers.first?.loop.execute {
      let buffer = ByteBuffer(bytes: bytes)
      for subscriber in subscribers { subscriber.connection.value.show(buffer, to: subscriber) }
    }
  }

  /// Ends their answers.
  package static func end(_ subscribers: [Subscriber]) {
    subscribers.first?.loop.execute {
      for subscriber in subscribers where !subscriber.isGone {
        subscriber.leave()
        subscriber.connection.value.endView()
      }
    }
  }
}
