extension [String] {
  /// The same text whatever ids, times, spans and process numbers a screen shows.
  var steady: [String] {
    map { line in
      line.replacing(#/[0-9A-Z]{26}/#, with: String(repeating: "I", count: 26))
        .replacing(#/[0-9-]{10}[ T][0-9:]{5,8}( UTC|Z)/#, with: "TIME")
        .replacing(#/\(([0-9.]+ (us|ms|s|min) ?)+\)/#, with: "(SPAN)")
        .replacing(#/ +([0-9.]+ (us|ms|s|min|items.s) ?)+/#, with: " SPAN ")
        .replacing(#/process [0-9]+/#, with: "process N")
    }
  }
}
