/// What can be told of a request by its head, before its body is taken.
package struct Reception: Sendable {
  /// What its answer has besides its own headers, whatever that is.
  let headers: [(name: String, value: String)]
  /// Its answer, if it goes no further.
  let refusal: Answer?

  package init(
    headers: [(name: String, value: String)] = Answer.guards, refusal: Answer? = nil
  ) {
    self.headers = headers
    self.refusal = refusal
  }
}
