internal import PipeIO

extension Queue {
  /// Removes what is aside of these ranges, durably.
  func clearAside(_ kind: Aside, _ ranges: [ItemRange]) throws(Fault) {
    try removeAside(try namesAside(kind, of: ranges))
  }

  func removeAside(_ names: [AsideName]) throws(Fault) {
    for group in AsideGroup.split(names) {
      guard let directory = try Directory.open(group.path, in: root) else { continue }
      for name in group.names { try directory.remove(name.text) }
      try directory.flush()
    }
  }
}

/// Names of one directory.
struct AsideGroup {
  let path: String
  let kind: Aside
  let lane: Priority
  let shard: Int
  private(set) var names: [AsideName]

  static func split(_ names: [AsideName]) -> [AsideGroup] {
    var groups: [AsideGroup] = []
    for name in names {
      let (kind, lane, shard) = (name.kind, name.range.lane, name.shard)
      if let at = groups.firstIndex(where: {
        $0.kind == kind && $0.lane == lane && $0.shard == shard
      }) {
        groups[at].names.append(name)
      } else {
        groups.append(
          AsideGroup(
            path: kind.path(lane, shard), kind: kind, lane: lane, shard: shard, names: [name]))
      }
    }
    return groups
  }
}
