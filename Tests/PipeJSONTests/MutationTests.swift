import TestSupport
import Testing

@testable import PipeJSON

@Suite struct MutationTests {
  static let texts = [
    #"{"id":"0000010000000000","source":"sensor-F-009","data":{"temperature":15.8,"message":"p"}}"#,
    #"{"ids":[1,2,3,10000000000000000007],"priority":"HIGH"}"#,
    #" [ null , true , false , -0.5e+10 , 12345678901234567890 , { } , [ ] ] "#,
    #"{"a\u0062\ud83d\udc4d":"é日👍 \"quoted\" \\ \n","":[[[{"x":[]}]]],"z":{"y":{"x":{}}}}"#,
    #""a long plain text of more than sixteen bytes, then é and \uD800\uDC00 and no more""#,
    #"[[1,2],[3,[4,{"five":[6,7.25,8e9]}]],"ten",{"eleven":12,"thirteen":null}]"#,
    "12345678.12345678E-123", "true", #"{"a":{"b":[1,2,3]},"c":"d"}"#,
  ]

  @Test("the scanner and a plain validator agree on every damaged text", arguments: texts.indices)
  func agreement(_ index: Int) {
    var random = SplitMix(seed: UInt64(index))
    let original = Array(MutationTests.texts[index].utf8)
    var accepted = 0
    for _ in 0..<3000 {
      var text = original
      for _ in 0..<Int.random(in: 0...3, using: &random) { MutationTests.mutate(&text, &random) }
      let expected = NaiveValidator.fault(in: text)
      let found = scan(text).fault
      #expect(found == expected, "\(text): \(String(decoding: text, as: UTF8.self))")
      if expected == nil { accepted += 1 }
    }
    #expect(accepted > 300)
  }

  private static let pieces: [[UInt8]] =
    ["\"", "\\", "{", "}", "[", "]", ",", ":", " ", "0", "1", "-", ".", "e", "+", "u", "\r"]
    .map { Array($0.utf8) }
    + [#"\u"#, #"\n"#, #"\uD834"#, #"\uDD1E"#, "é", "日", "👍", "null", "00000000"].map {
      Array($0.utf8)
    }
    + [
      [0], [0x1F], [0x7F], [0x80], [0xBF], [0xC0], [0xE0, 0xA0], [0xED, 0xA0, 0x80], [0xF4, 0x90],
    ]

  static func mutate(_ text: inout [UInt8], _ random: inout SplitMix) {
    guard let place = text.indices.randomElement(using: &random) else { return }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: text[place] = UInt8.random(in: 0...255, using: &random)
    case 1: text.remove(at: place)
    case 2: text.removeLast(min(text.count - place, 3))
    case 3: text.insert(contentsOf: text[place...].prefix(5), at: place)
    default:
      let piece = MutationTests.pieces.randomElement(using: &random) ?? []
      text.insert(contentsOf: piece, at: place)
    }
  }
}
