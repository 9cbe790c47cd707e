internal import PipeQueue

extension Treated {
  /// `{"id":"01J…","items":3}`
  var line: [UInt8] { Array(#"{"id":"\#(id.text)","items":\#(items)}"#.utf8) }
}
