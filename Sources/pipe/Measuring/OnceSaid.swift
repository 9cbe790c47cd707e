/// Lines on stderr, each of them once: what is read twice, or again and again, is wrong each time.
final class OnceSaid {
  private let print: (String) -> Void
  private var said: Set<String> = []

  /// Texts that are remembered; some have the number of a process in them.
  private static let most = 1000

  init(_ print: @escaping (String) -> Void) { self.print = print }

  func say(_ text: String) {
    if said.count >= OnceSaid.most { said.removeAll() }
    if said.insert(text).inserted { print(text) }
  }
}
