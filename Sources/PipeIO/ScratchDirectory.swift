internal import Glibc

/// A new directory for the files of one run. It exists until `remove`.
package struct ScratchDirectory {
  package let path: String

  /// Creates `PLACE/PREFIX.XXXXXX`, mode 0700.
  package init(in place: String, prefix: String) throws(Fault) {
    // A relative path may begin like an option or an address.
    let template = (place.hasPrefix("/") ? place : "./" + place) + "/" + prefix + ".XXXXXX"
    var bytes = template.systemBytes + [0]
    let isMade = bytes.withUnsafeMutableBytes {
      mkdtemp($0.bindMemory(to: CChar.self).baseAddress!)
    }
    if isMade == nil { throw Fault("create", template) }
    path = String(systemBytes: bytes.dropLast())
  }

  package func remove() throws(Fault) { try removeTree(path) }
}

/// Removes a file, or a directory with everything in it.
package func removeTree(_ path: String) throws(Fault) {
  if unlink(path) == 0 { return }
  guard errno == EISDIR || errno == EPERM else { throw Fault("remove", path) }
  if let directory = try Directory.open(path) {
    for name in try directory.names() { try removeTree(path + "/" + name) }
  }
  if rmdir(path) != 0 { throw Fault("remove", path) }
}
