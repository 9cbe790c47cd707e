import Foundation

/// Rewrites names as if all that waits had been due long ago; nobody may have the queue open.
func makeDue(_ scratch: Scratch, in directories: String = "now later") throws {
  let script = """
    cd queue && find \(directories) -name '*.again.*' | while read -r path; do
      old=${path##*/}
      mv "$path" "${path%/*}/${old%.*.*}.1.0"
    done
    for mark in \(directories.contains("later") ? "now/later.*" : ""); do
      test -e "$mark" || continue
      IFS=. read -r _ due rest <<< "${mark#now/}"
      mv "$mark" "now/later.1.$rest"
    done
    """
  let run = try scratch.sh(script)
  guard run.ending == .exited(0) else { throw Failure("a preparation failed: \(run)") }
}
