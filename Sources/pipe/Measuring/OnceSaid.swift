/// Lines on stderr, each of them once: what is read twice, or again and again, is wrong each time.
final class OnceSaid {
  private let diagnostics: Diagnostics
  private var said: Set<String> = []

  init(_ command: String) { diagnostics = Diagnostics(command: command) }

  func say(_ text: String) {
    if said.insert(text).inserted { diagnostics.say(text) }
  }
}
