/// What was settled under each tag.
package struct TagReport {
  private let rows: [(tag: String?, activity: Activity)]

  /// What has no tag is under nil, and stands first.
  package init(_ activities: [String?: Activity]) {
    rows = activities.map { ($0.key, $0.value) }.sorted { ($0.tag ?? "") < ($1.tag ?? "") }
  }

  /// One line of JSON a tag.
  package var line: String {
    rows.map { tag, activity in
      object(
        [("tag", tag.map(quoted) ?? "null"), ("batches", "\(activity.batches.count)")]
          + [("latency", activity.latencyLine), ("success", activity.success.line)]) + "\n"
    }.joined()
  }

  /// Characters of a tag that a line of 80 columns has room for.
  private static let longest = 16

  private func shown(_ tag: String?) -> String {
    guard let tag = tag?.plain else { return "-" }
    return tag.count > TagReport.longest ? tag.prefix(TagReport.longest - 1) + "…" : tag
  }

  /// For people: 80 columns.
  package var text: String {
    guard !rows.isEmpty else { return "nothing was settled yet\n" }
    let widest = min(TagReport.longest, rows.compactMap { $0.tag?.count }.max() ?? 0)
    var grid = Grid(label: max(9, widest + 1), cell: 8, gap: 1)
    grid.row("service", ["batches", "items", "mean", "p50", "p99", "max", "success"])
    for (tag, activity) in rows {
      let service = activity.service
      grid.row(
        shown(tag),
        [
          whole(activity.batches.count), whole(service.count), span(service.mean),
          span(service.percentile(50)), span(service.percentile(99)), span(service.max),
          inPercent(activity.success.ratio),
        ])
    }
    return grid.lines.map { $0 + "\n" }.joined()
  }
}
