internal import Glibc

/// Gives the file at `path` other contents: who reads it sees the old ones or the new ones, whole. Not
/// flushed. Readable as the umask allows.
package func replaceFile(_ path: String, _ bytes: [UInt8]) throws(Fault) {
  // Beside it: a rename does not leave the file system.
  let draft = "\(path).\(getpid())"
  let number = uninterrupted { open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
  if number < 0 { throw Fault("create", draft) }
  do throws(Fault) {
    try Descriptor(owning: number, path: draft).append(bytes)
    if rename(draft, path) != 0 { throw Fault("replace", path) }
  } catch {
    unlink(draft)
    throw error
  }
}
