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
  /// index, that cannot become arguments; then there are no words.
  func fit(_ items: [UnsafeRawBufferPointer]) -> (words: [[UInt8]], unfit: [Int: Unfit]) {
    var unfit: [Int: Unfit] = [:]
    var whole: [[UInt8]] = []
    for (index, item) in items.enumerated() where takesSeveral {
      do throws(Unfit) { whole.append(try checked(plain(item))) } catch { unfit[index] = error }
    }
    guard unfit.isEmpty else { return ([], unfit) }
    var result: [[UInt8]] = []
    for word in words {
      if word.isItem, takesSeveral {
        result += whole
      } else {
        do throws(Unfit) { result.append(try text(of: word, items[0])) } catch {
          return ([], [0: error])
        }
      }
    }
    return (result, [:])
  }

  private func text(
    of word: [Piece], _ item: UnsafeRawBufferPointer
  ) throws(Unfit) -> [UInt8] {
    var text: [UInt8] = []
    for piece in word {
      switch piece {
      case .text(let bytes): text += bytes
      case .item: text += plain(item)
      case .member(let path, let name): text += try member(path, name, of: item)
      }
    }
    return try checked(text)
  }

  private func plain(_ item: UnsafeRawBufferPointer) -> [UInt8] {
    var text: [UInt8] = []
    TextItem.appendPlain(item, to: &text)
    return text
  }

  private func member(
    _ path: FieldPath, _ name: String, of item: UnsafeRawBufferPointer
  ) throws(Unfit) -> [UInt8] {
    do throws(JSONFault) {
      if let found = try find(path, in: item) {
        return plain(UnsafeRawBufferPointer(rebasing: item[found.range]))
      }
    } catch { throw Unfit(reason: "member \(name): \(error.reason.text)") }
    throw Unfit(reason: "it has no member \(name)")
  }

  private func checked(_ word: [UInt8]) throws(Unfit) -> [UInt8] {
    let hasNUL = word.withUnsafeBytes { !$0.isEmpty && memchr($0.baseAddress!, 0, $0.count) != nil }
    if hasNUL { throw Unfit(reason: "an argument cannot hold a NUL") }
    guard word.count <= Command.longestWord else {
      throw Unfit(reason: "an argument has at most \(Command.longestWord) bytes")
    }
    return word
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

  private static let shells: Set<String> = ["sh", "bash", "dash", "zsh", "ksh", "fish", "busybox"]

  // Text in the place of `{}` in a shell's script would be run as code.
  private static func mistake(_ command: [[UInt8]], _ words: [[Piece]]) -> String? {
    for (place, word) in command.enumerated() {
      let name =
        String(decoding: word, as: UTF8.self).split(separator: "/").last.map(String.init) ?? ""
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
}

extension [ArgumentTemplate.Piece] {
  fileprivate var isItem: Bool { if count == 1, case .item = self[0] { true } else { false } }
}
