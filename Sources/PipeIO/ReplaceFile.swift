internal import CPipeIO
internal import Glibc

/// Gives the file at `path` other contents: who reads it sees the old ones or the new ones, whole. Not
/// flushed. A new one is readable as the umask allows, another keeps its mode. What a link leads to is
/// replaced; and what is no file of its own, as a terminal or /dev/null, is written to: it must stay what it
/// is, for others use it too.
package func replaceFile(_ path: String, _ bytes: [UInt8]) throws(Fault) {
  var status = stat()
  let isThere = path.withSystemText { stat($0, &status) } == 0
  if isThere, status.st_mode & S_IFMT != S_IFREG {
    let number = openFile(path, O_WRONLY)
    if number < 0 { throw Fault("open", path) }
    return try Descriptor(owning: number, path: path).append(bytes)
  }
  let target = absolutePath(path) ?? path
  // Beside it: a rename does not leave the file system. One that is there was left by a killed process.
  let draft = "\(target).\(getpid())"
  remove(draft)
  let number = openFile(draft, O_WRONLY | O_CREAT | O_EXCL, mode: 0o666)
  if number < 0 { throw Fault("create", path) }
  do throws(Fault) {
    let file = Descriptor(owning: number, path: path)
    if isThere, fchmod(number, status.st_mode & 0o777) != 0 { throw Fault("set the mode of", path) }
    try file.append(bytes)
    let code = draft.withSystemText { draft in target.withSystemText { rename(draft, $0) } }
    if code != 0 { throw Fault("replace", path) }
  } catch {
    remove(draft)
    throw error
  }
}

private func remove(_ path: String) { _ = path.withSystemText { unlink($0) } }
