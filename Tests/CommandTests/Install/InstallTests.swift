import Foundation
import TestSupport
import Testing

@Suite("examples/install.sh")
struct InstallTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.sh("mkdir examples && cd '\(Repository.path)' && cp -r man completions \"$OLDPWD\"")
      .expect("")
    try scratch.sh("cp '\(Repository.path)/examples/install.sh' examples").expect("")
  }

  private func install(_ options: String, shell: String = "sh", _ more: [String: String] = [:])
    throws -> Run
  {
    try scratch.sh(
      "\(shell) examples/install.sh \(options)",
      ["PIPE": Binary.path].merging(more) { $1 })
  }

  @Test(
    "an installation is complete, may be repeated, and its removal leaves nothing",
    .needs("dash", "man"), arguments: ["dash", "bash"])
  func whole(shell: String) throws {
    let prefix = scratch.path("a prefix/below")
    let all = "find 'a prefix' ! -name installed -printf '%P %M %s\\n' | sort > "
    for file in ["first", "second"] {
      let run = try install("--prefix 'a prefix/below/'", shell: shell).expect(nil)
      #expect(run.lines.first == "Installed pipe \(try version()) in \(prefix)", run.story)
      #expect(run.lines.dropFirst().first?.hasPrefix("\(prefix)/bin is not in PATH") == true)
      try scratch.sh(all + file).expect("")
    }
    try scratch.sh("cmp first second; cmp '\(prefix)/bin/pipe' '\(Binary.path)'").expect("")
    try scratch.sh("cd '\(prefix)' && LC_ALL=C.UTF-8 man -M share/man -w pipe pipe-queue | wc -l")
      .expect("2\n")
    for (file, place) in [
      ("pipe.bash", "bash-completion/completions/pipe"), ("_pipe", "zsh/site-functions/_pipe"),
      ("pipe.fish", "fish/vendor_completions.d/pipe.fish"),
    ] {
      try scratch.sh("cmp completions/\(file) '\(prefix)/share/\(place)'").expect("")
    }
    try install("--uninstall --prefix 'a prefix/below'", shell: shell)
      .expect("Removed pipe from \(prefix); queues stay as they are\n")
    try scratch.sh("find 'a prefix'").expect("a prefix\n")
    try install("--uninstall --prefix 'a prefix/below'", shell: shell)
      .expect("", errors: nothing(in: prefix))
  }

  private func nothing(in place: String) -> String {
    "install.sh: \(place): pipe was not installed here by install.sh "
      + "(--prefix chooses another place)\n"
  }

  private func version() throws -> String { try scratch.pipe("--version").lines.joined() }

  @Test("files and directories of others stay")
  func others() throws {
    try scratch.sh(
      """
      mkdir -p p/bin p/share/man/man1 p/share/zsh && echo other > p/share/man/man1/other.1
      find p -printf '%p %M\\n' | sort > before
      """
    ).expect("")
    try install("--prefix p").expect(nil)
    try scratch.sh("touch p/share/fish/mine").expect("")
    try install("--uninstall --prefix p").expect(nil)
    try scratch.sh("rm -r p/share/fish; find p -printf '%p %M\\n' | sort | cmp - before").expect("")
  }

  @Test("an upgrade removes what the new version lacks, and a running pipe is not in its way")
  func upgrade() throws {
    try scratch.sh("cp man/pipe.1 man/pipe-old.1").expect("")
    try install("--prefix p").expect(nil)
    try scratch.prepare("init")
    let child = try scratch.start([scratch.path("p/bin/pipe"), "consume", "--follow"])
    try scratch.store("1")
    #expect(child.line() == "1")
    try scratch.sh("rm man/pipe-old.1; ls p/share/man/man1/pipe-old.1").expect(nil)
    try install("--prefix p").expect(nil)
    child.signal(SIGTERM)
    child.finish().expect("1\n")
    try scratch.sh("ls p/share/man/man1 | grep old; find p -name '*.new'").expect("")
    try install("--prefix p --uninstall").expect(nil)
    try scratch.sh("test ! -e p").expect("")
  }

  @Test("DESTDIR is put before the prefix, and gives no advice about PATH")
  func staged() throws {
    let stage = ["DESTDIR": scratch.path("stage")]
    try install("--prefix /usr", stage).expect(
      "Installed pipe \(try version()) in \(scratch.path("stage"))/usr\n")
    try scratch.sh("stage/usr/bin/pipe --version && ls stage").expect("\(try version())\nusr\n")
    try install("--prefix /usr --uninstall", stage).expect(nil)
    try scratch.sh("find stage").expect("stage\n")
  }

  @Test("a prefix in PATH needs no advice, unless another pipe comes before it")
  func advice() throws {
    let prefix = scratch.path("p")
    let path = "/usr/sbin:/usr/bin:/sbin:/bin"
    let first = try install("--prefix p", ["PATH": "\(prefix)/bin:\(path)"]).expect(nil)
    #expect(first.lines.dropFirst().first == "Next: man pipe", first.story)
    try scratch.sh("mkdir other && ln -s '\(Binary.path)' other/pipe").expect("")
    let other = scratch.path("other")
    let second = try install("--prefix p", ["PATH": "\(other):\(prefix)/bin:\(path)"]).expect(nil)
    #expect(
      second.lines.dropFirst().first
        == "\(other)/pipe comes before it in PATH (remove one of them)", second.story)
  }

  @Test("the line for ~/.profile works for a prefix that a shell could misread")
  func quoted() throws {
    let name = #"a$(touch ran)`touch ran`"b\c"#
    let run = try install("--prefix '\(name)'").expect(nil)
    let line = run.lines.first { $0.contains("PATH=") } ?? ""
    try scratch.sh("\(line); command -v pipe; ls ran", ["PATH": "/usr/bin:/bin"]).expect(
      scratch.path(name) + "/bin/pipe\n", errors: nil, status: 2)
  }

  @Test("a directory in the place of a file is refused, and nothing is installed")
  func directory() throws {
    try scratch.sh("mkdir -p p/share/man/man1/pipe.1").expect("")
    let run = try install("--prefix p")
    run.expect("", errors: nil, status: 1)
    #expect(run.errors.contains("/p/share/man/man1/pipe.1: is a directory (remove it"), run.story)
    try scratch.sh("find p -type f").expect("")
  }

  @Test("without --prefix, another user than root installs in ~/.local", .needsUsers)
  func home() throws {
    try scratch.sh("mkdir home && chmod 777 home && chmod 711 . ..").expect("")
    let user = Users.prefix(Users.ann)
    for (option, output) in [("", "Installed pipe"), ("--uninstall", "Removed pipe from")] {
      let line = "\(user) env HOME=$PWD/home sh examples/install.sh \(option)"
      let run = try scratch.sh(line, ["PIPE": Binary.path]).expect(nil)
      #expect(run.output.hasPrefix(output) && run.output.contains("/home/.local"), run.story)
    }
    try scratch.sh("ls -A home").expect("")
  }

  @Test("each mistake gets one line with the thing, the place and the way out, and changes nothing")
  func mistakes() throws {
    let here = scratch.path
    let usage = "(usage: examples/install.sh [--prefix DIR] [--uninstall])"
    try scratch.sh("mkdir -p p/bin; echo other > p/bin/pipe; touch file").expect("")
    let mistakes: [(String, [String: String], Int32, String)] = [
      ("--prefix", [:], 64, "--prefix needs a directory \(usage)"),
      ("--uninstal", [:], 64, "--uninstal: unknown argument \(usage)"),
      (
        "--prefix q", ["PIPE": "no/pipe"], 1,
        "no/pipe: no such file (build it as README.md says, or set PIPE to a binary)"
      ),
      (
        "--prefix q", ["PIPE": "file"], 1,
        "./file: cannot be run on this machine (build it here)"
      ),
      (
        "--prefix file", [:], 1,
        "\(here)/file: not a directory (--prefix chooses another place)"
      ),
      (
        "--prefix p", [:], 1,
        "\(here)/p/bin/pipe: another installation has put it there "
          + "(remove it, or choose another --prefix)"
      ),
    ]
    for (options, environment, status, message) in mistakes {
      try install(options, environment)
        .expect("", errors: "install.sh: \(message)\n", status: status)
    }
    try scratch.sh("find p q -type f 2> no; cat p/bin/pipe").expect("p/bin/pipe\nother\n")
  }

  @Test("a prefix without permission is reported before anything is written", .needsPermissions)
  func permission() throws {
    try scratch.sh("mkdir -p p/share/zsh && chmod 555 p/share/zsh").expect("")
    let line = Unprivileged.prefix + ["sh", "examples/install.sh", "--prefix", "p"]
    try scratch.run(line, ["PIPE": Binary.path]).expect(
      "",
      errors: "install.sh: \(scratch.path("p/share/zsh")): permission denied "
        + "(use sudo, or --prefix with a directory of your own)\n", status: 1)
    try scratch.sh("find p -type f").expect("")
  }
}
