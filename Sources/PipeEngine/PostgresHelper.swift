internal import Glibc
internal import PipeIO

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
        let path = own[...slash] + helper.utf8CString
        path.withUnsafeBufferPointer { _ = execv($0.baseAddress!, CommandLine.unsafeArgv) }
      }
      execvp(helper, CommandLine.unsafeArgv)
    }

    private static func namesAddress(_ word: String) -> Bool {
      isAddress(word) || word.contains("=postgres://") || word.contains("=postgresql://")
    }

    private static let helper = "pipe-postgres"
  #endif
}
