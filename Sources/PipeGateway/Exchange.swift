internal import NIOCore

/// A request that waits for its answer. It can be answered from any thread, once.
package struct Exchange: Sendable {
  package let request: Request
  /// What its answer has besides its own headers.
  private let headers: [(name: String, value: String)]
  private let connection: NIOLoopBound<Connection>
  private let loop: any EventLoop
  private let number: Int

  init(
    _ request: Request, _ headers: [(name: String, value: String)], _ connection: Connection,
    _ loop: any EventLoop, _ number: Int
  ) {
    self.request = request
    self.headers = headers
    self.connection = NIOLoopBound(connection, eventLoop: loop)
    self.loop = loop
    self.number = number
  }

  package func answer(_ answer: Answer) {
    if loop.inEventLoop { send(answer) } else { Exchange.answer([(self, answer)]) }
  }

  /// Many at once wake the event loop once.
  package static func answer(_ answers: [(Exchange, Answer)]) {
    answers.first?.0.loop.execute {
      for (exchange, answer) in answers { exchange.send(answer) }
    }
  }

  /// Answers with this, and goes on with what the viewer is shown.
  package func begin(_ answer: Answer) -> Viewer {
    let viewer = Viewer(connection, loop)
    loop.execute { send(answer, viewer) }
    return viewer
  }

  private func send(_ answer: Answer, _ viewer: Viewer? = nil) {
    connection.value.answer(answer.with(headers), to: number, viewer)
  }
}
