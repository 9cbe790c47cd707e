internal import PipeIO
internal import PipeQueue

/// One commit of a group of requests.
struct Commit {
  private let appender: Appender
  var draft = Draft()
  /// Why nothing of it was stored.
  private(set) var fault: Fault?

  init(_ appender: Appender) { self.appender = appender }

  mutating func begin() {
    draft.removeAll()
    fault = nil
  }

  mutating func store() {
    if draft.isEmpty { return }
    do throws(Fault) { try appender.commit(&draft) } catch { fault = error }
  }

  func rest() { appender.pruneSome() }
}
