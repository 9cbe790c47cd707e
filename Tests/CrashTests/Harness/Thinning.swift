extension [Call] {
  /// Calls that a queue or a child can notice; of many alike except for names, the first two and
  /// the last.
  var thinned: [Call] {
    var like: [String: [Int]] = [:]
    for (index, call) in enumerated() where call.changesSomething || call.concernsChild {
      let shape = String(call.text.prefix { $0 != "=" }.filter { $0.isLowercase })
      like[shape, default: []].append(index)
    }
    let kept = like.values.flatMap { all -> Set<Int> in
      let last = all.count - 1
      return Set([0, 1, last].filter { (0...last).contains($0) }.map { all[$0] })
    }
    return kept.sorted().map { self[$0] }
  }
}

extension Call {
  var concernsChild: Bool {
    ["clone", "clone3", "vfork"].contains(name)
      || ["openat", "openat2"].contains(name) && text.contains("O_TRUNC")
  }
}
