internal import Glibc
internal import PipeIO
internal import PipeJSON
internal import PipeEngine
internal import PipeRender

/// The words after the command's name, with placeholders for an item: `{}` stands for the item,
/// `{name}` or `{a.b}` for a member of it. Without a placeholder the item comes last.
package struct ArgumentTemplate {
  /// Why an item cannot become arguments.
  struct Unfit: Error {
    let reason: String
  }

  fileprivate enum Piece {
    case text([UInt8])
    case item
    case member(FieldPath, String)
  }

  private let words: [[Piece]]
  /// Why items must not be put into these words; nil if they may.
  package let mistake: String?
  /// Whether every placeholder is a word of its own that any number of items can take the place of.
  package let takesSeveral: Bool

  /// `command`: its name first, which has no placeholders: an item never becomes a command.
  package init(_ command: [[UInt8]]) {
    var words = command.dropFirst().map(ArgumentTemplate.pieces)
    if !words.joined().contains(where: \.isPlaceholder) { words.append([.item]) }
    self.words = words
    takesSeveral = words.allSatisfy { word in
      !word.contains(where: \.isPlaceholder) || word.isItem
    }
    mistake = ArgumentTemplate.mistake(command, words)
  }

  /// The words for these items, of which there is one unless `takesSeveral`. `unfit`: the items, by
  /// index, that cannot become arguments; then the words are not to be used.
  func fit(_ items: [UnsafeRawBufferPointer]) -> (words: SystemWords, unfit: [Int: Unfit]) {
    var result = SystemWords()
    var unfit: [Int: Unfit] = [:]
    for word in words {
      // Only an item that stands for itself may be one of several.
      for (index, item) in items.prefix(word.isItem ? items.count : 1).enumerated() {
        do throws(Unfit) {
          try result.append { (bytes) throws(Unfit) in
            let start = bytes.count
            for piece in word { try piece.append(item, to: &bytes) }
            try ArgumentTemplate.check(bytes[start...])
          }
        } catch { unfit[index] = unfit[index] ?? error }
      }
    }
    return (result, unfit)
  }

  private static func check(_ word: ArraySlice<UInt8>) throws(Unfit) {
    let hasNUL = word.withUnsafeBytes { !$0.isEmpty && memchr($0.baseAddress!, 0, $0.count) != nil }
    if hasNUL { throw Unfit(reason: "an argument cannot hold a NUL") }
    guard word.count <= Command.longestWord else {
      throw Unfit(reason: "an argument has at most \(Command.longestWord) bytes")
    }
  }

  private static func pieces(_ word: [UInt8]) -> [Piece] {
    var pieces: [Piece] = []
    var text: [UInt8] = []
    var at = 0
    while at < word.count {
      let isOpen = word[at] == UInt8(ascii: "{") && text.last != UInt8(ascii: "$")
      guard isOpen, let end = word[at...].firstIndex(of: UInt8(ascii: "}")),
        let piece = placeholder(word[(at + 1)..<end])
      else {
        text.append(word[at])
        at += 1
        continue
      }
      if !text.isEmpty { pieces.append(.text(text)) }
      text = []
      pieces.append(piece)
      at = end + 1
    }
    if !text.isEmpty || pieces.isEmpty { pieces.append(.text(text)) }
    return pieces
  }

  // Letters, digits, `_`, `-`, dots and what escapes a dot: no shell or awk code with a space in it.
  private static func placeholder(_ name: ArraySlice<UInt8>) -> Piece? {
    if name.isEmpty { return .item }
    let isName = name.allSatisfy { byte in
      byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
        || byte &- 0x30 < 10 || byte >= 0x80 || "_-.\\".utf8.contains(byte)
    }
    let text = String(decoding: name, as: UTF8.self)
    guard isName, name.first! &- 0x30 >= 10, name.first != UInt8(ascii: "-"),
      let path = FieldPath(text)
    else { return nil }
    return .member(path, text)
  }

  /// Commands that run the command after their options.
  private static let wrappers: Set<String> = [
    "nice", "ionice", "env", "timeout", "setsid", "nohup", "stdbuf", "chrt", "taskset", "flock",
    "sshpass", "sudo", "doas", "time",
  ]
  /// Options of ssh(1) whose value may be a word of its own.
  private static let sshOptions = Set("BbcDEeFIiJLlmOoPpQRSWw".utf8)

  // ssh joins the words after its host, and a shell on the host reads them. Before the host, an item
  // could be an option that runs a command here.
  private static func sshMistake(_ command: [[UInt8]], _ words: [[Piece]]) -> String? {
    guard let first = command.first,
      let place = wrappers.contains(name(of: first))
        ? command.firstIndex(where: { name(of: $0) == "ssh" })
        : name(of: first) == "ssh" ? 0 : nil
    else { return nil }
    var host = place + 1
    var endsOptions = false
    while host < command.count, command[host].first == UInt8(ascii: "-"), !endsOptions {
      endsOptions = command[host].elementsEqual("--".utf8)
      // `-p 22`, but not `-p22`: the first letter that takes a value takes the rest of its word.
      let letters = command[host].dropFirst()
      let taking = letters.firstIndex(where: sshOptions.contains)
      host += taking != nil && taking == letters.indices.last ? 2 : 1
    }
    guard host < command.count else { return nil }
    // `words` lacks the name of the command.
    let isItem = { (index: Int) in words[index - 1].contains(where: \.isPlaceholder) }
    if (host + 1..<words.count + 1).contains(where: isItem) {
      return "an item after the host of ssh would run as code there;"
        + " leave out --args: the command on the host then reads the item from stdin"
    }
    if (place + 1..<host).contains(where: isItem) || isItem(host) && !endsOptions {
      return "an item before the host of ssh, or in its place, could be an option; write: ssh -- {}"
    }
    return nil
  }

  private static func name(of word: [UInt8]) -> String {
    String(decoding: word, as: UTF8.self).split(separator: "/").last.map(String.init) ?? ""
  }

  private static let shells: Set<String> = ["sh", "bash", "dash", "zsh", "ksh", "fish", "busybox"]

  // Text in the place of `{}` in a shell's script would be run as code.
  private static func mistake(_ command: [[UInt8]], _ words: [[Piece]]) -> String? {
    if let mistake = sshMistake(command, words) { return mistake }
    for (place, word) in command.enumerated() {
      let name = name(of: word)
      // Also behind another command, as nice or env.
      guard shells.contains(name),
        let script = command[(place + 1)...].firstIndex(where: {
          $0.first == UInt8(ascii: "-") && $0.dropFirst().first != UInt8(ascii: "-")
            && $0.last == UInt8(ascii: "c")
        }), script < words.count, words[script].contains(where: \.isPlaceholder)
      else { continue }
      return "an item inside the script of \(name) -c would run as code;"
        + " write: \(name) -c '… \"$1\" …' \(name) {}"
    }
    return nil
  }
}

extension ArgumentTemplate.Piece {
  fileprivate var isPlaceholder: Bool { if case .text = self { false } else { true } }

  fileprivate func append(
    _ item: UnsafeRawBufferPointer, to bytes: inout [UInt8]
  ) throws(ArgumentTemplate.Unfit) {
    switch self {
    case .text(let text): bytes += text
    case .item: TextItem.appendPlain(item, to: &bytes)
    case .member(let path, let name):
      guard let value = try member(path, name, of: item) else {
        throw ArgumentTemplate.Unfit(reason: "it has no member \(name)")
      }
      TextItem.appendPlain(value, to: &bytes)
    }
  }

  private func member(
    _ path: FieldPath, _ name: String, of item: UnsafeRawBufferPointer
  ) throws(ArgumentTemplate.Unfit) -> UnsafeRawBufferPointer? {
    do throws(JSONFault) {
      return try find(path, in: item).map { UnsafeRawBufferPointer(rebasing: item[$0.range]) }
    } catch { throw ArgumentTemplate.Unfit(reason: "member \(name): \(error.reason.text)") }
  }
}

extension [ArgumentTemplate.Piece] {
  fileprivate var isItem: Bool { if count == 1, case .item = self[0] { true } else { false } }
}
