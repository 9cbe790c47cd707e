internal import PipeIO

/// A name in now/ that is about no range of items: a word, numbers and a checksum, as in
/// `later.DUE.SET.ITEMS.SUM`.
enum KeywordName {
  static func text(_ word: StaticString, _ numbers: Int...) -> String {
    String(name: {
      $0.append(word)
      for number in numbers { $0.append(fields: number) }
      $0.appendChecksum()
      $0.fillChecksum()
    })
  }

  /// What follows the word and its dot; nil if the name begins otherwise. `NameChecksum.ends` checks the
  /// rest after the numbers.
  static func fields(of text: UnsafeRawBufferPointer, _ word: StaticString) -> FieldSplitter? {
    let length = word.utf8CodeUnitCount
    let known = UnsafeRawBufferPointer(start: word.utf8Start, count: length)
    guard text.count > length, cut(text, 0, length).elementsEqual(known), text[length] == dot else {
      return nil
    }
    return FieldSplitter(cut(text, length + 1, text.count))
  }
}
