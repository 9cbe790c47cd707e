internal import NIOCore
internal import NIOHTTP1

/// A request whose answer has not been sent: answers go out in the order in which requests came.
struct Turn {
  /// Counts the requests of a connection.
  let number: Int
  /// nil: it could not be read.
  let head: HTTPRequestHead?
  let began: NIODeadline
  /// Bytes of its body.
  let held: Int
  /// What its answer has besides its own headers.
  var headers = Answer.guards
  /// Whether it was given to who answers it.
  var isWorkedOn = false
  /// Nothing is taken behind it.
  let isLast: Bool
  var answer: Answer?
  /// nil: the answer ends.
  var viewer: Viewer?
}
