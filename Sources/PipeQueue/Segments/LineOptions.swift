extension SegmentLine {
  var notBefore: Int64? { nil }
  var delay: Int64? { nil }
}
