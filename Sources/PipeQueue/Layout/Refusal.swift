internal import CPipeIO
internal import Glibc
internal import PipeIO

extension Queue {
  /// Why this user may not open the queue at `path`, and what to ask for.
  static func refusal(_ path: String, _ fault: Fault) -> Fault {
    var at = path
    var found = stat()
    // Where a directory on the way is closed, it is that one that matters.
    while stat(at, &found) != 0 {
      guard errno == EACCES, at != "/", at != "." else { return fault }
      at = parent(of: at)
    }
    let ownership = Ownership(found)
    let what = at == path ? "it" : printable(at)
    let mode = "0" + String(ownership.mode, radix: 8)
    let user = userWord(ownership.user)
    let wayOut =
      ownership.isOwn
      ? "chmod u+rwx gives it back"
      : ownership.isShared
        ? "be added to \(groupText(ownership.group)), or use sudo -u \(user)"
        : "ask \(user) for pipe init --share GROUP, or use sudo -u \(user)"
    return Fault(
      .permission,
      "\(fault.text): \(what) belongs to \(userText(ownership.user)), \(groupText(ownership.group)),"
        + " mode \(mode) (\(wayOut))", code: fault.code)
  }
}
