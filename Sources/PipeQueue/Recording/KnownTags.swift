/// The tags that are told apart: the first that come. A tag for each run would take memory without bound.
package struct KnownTags {
  private var known: Set<String> = [others]

  package static let most = 32
  /// What comes later is under this one, which is no tag that can be given.
  package static let others = "*"

  package init() {}

  package mutating func shown(_ tag: String?) -> String? {
    guard let tag, !known.contains(tag) else { return tag }
    // One of them is that of the others.
    if known.count > KnownTags.most { return KnownTags.others }
    known.insert(tag)
    return tag
  }
}
