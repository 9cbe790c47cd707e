internal import PipeIO
internal import PipeQueue

extension Diagnostics {
  /// Reports an id for which nothing was found; `what` says what is missing if the entry exists.
  func unknown(_ text: String, _ what: String?, _ queue: Queue) {
    guard EntryID(text) != nil else {
      return say(
        "\(printable(text)): not an id; enqueue prints ids: 26 digits and capital letters")
    }
    say("\(text): " + (what ?? "no such id in \(printable(queue.path))"))
  }
}
