internal import Glibc
#if Postgres
  internal import PipeQueue
#else
  package import PipeQueue
#endif
package import PipeIO

/// The location of a queue that is not yet open.
package struct QueueLocation {
  package var path: String?
  package var force: Bool

  package init(path: String? = nil, force: Bool = false) {
    self.path = path
    self.force = force
  }

  /// The path without redundant slashes, because its parent is found in its text.
  package func resolved() throws(Fault) -> String {
    let path = try chosen()
    if QueueLocation.isAddress(path) {
      #if Postgres
        return path
      #else
        throw Fault(
          .unavailable,
          "\(printable(path)): queues in PostgreSQL need pipe-postgres, which is not installed")
      #endif
    }
    // Not `split` and `joined`: their generic code costs a third of an `enqueue` of one line.
    var bytes: [UInt8] = []
    bytes.reserveCapacity(path.utf8.count)
    for byte in path.utf8 where byte != UInt8(ascii: "/") || bytes.last != byte {
      bytes.append(byte)
    }
    if bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  private func chosen() throws(Fault) -> String {
    if let path { return path }
    if let path = variable("PIPE_QUEUE") { return path }
    if let state = variable("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/pipe/queue" }
    if let home = variable("HOME") { return home + "/.local/state/pipe/queue" }
    throw Fault(.settings, "no queue named: give -q DIR, or set PIPE_QUEUE or HOME")
  }

  package func open(_ diagnostics: Diagnostics) throws(Fault) -> Queue {
    try open(report: diagnostics.say)
  }

  package func open(report: @escaping (String) -> Void) throws(Fault) -> Queue {
    try Queue(path: try noted(), force: force, report: report)
  }

  /// Opens the queue, and creates it if there is none.
  package func create(_ diagnostics: Diagnostics) throws(Fault) -> Queue {
    try create(report: diagnostics.say)
  }

  package func create(report: @escaping (String) -> Void) throws(Fault) -> Queue {
    try Queue.create(path: try noted(), force: force, report: report)
  }

  /// Writes the settings of a queue again if they are lost.
  package func restoreFormat(report: (String) -> Void) throws(Fault) {
    let path = try noted()
    if QueueLocation.isAddress(path) { return }
    try PipeQueue.Queue.restoreFormat(path: path, report: report)
  }

  /// The resolved path, which diagnostics name from now on.
  package func noted() throws(Fault) -> String {
    let path = try resolved()
    Diagnostics.note(queue: path)
    return path
  }
}

extension QueueLocation {
  /// Whether this names a queue in PostgreSQL.
  package static func isAddress(_ text: String) -> Bool {
    text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
  }

  #if !Postgres
    /// Continues as pipe-postgres if a word of the command line or PIPE_QUEUE is the address of such a queue, and
    /// the helper is installed beside this program or in PATH: libpq would make each start of `pipe` slower.
    package static func runHelperIfNeeded() {
      guard isAddress(variable("PIPE_QUEUE") ?? "") || commandLine.contains(where: namesAddress),
        // Built without the trait: it would start itself again and again.
        commandLine.first?.hasSuffix(helper) != true
      else { return }
      var own = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink("/proc/self/exe", &own, own.count)
      if count > 0, let slash = own[..<count].lastIndex(of: 0x2f) {
        continueAs(String(system: Array(own[...slash]) + helper.utf8CString))
      }
      continueAs(helper)
    }

    /// `ADDRESS` or `--queue=ADDRESS`.
    private static func namesAddress(_ word: String) -> Bool {
      if isAddress(word) { return true }
      guard let sign = word.utf8.firstIndex(of: 0x3d) else { return false }
      return isAddress(String(word[word.utf8.index(after: sign)...]))
    }

    private static let helper = "pipe-postgres"
  #endif
}
