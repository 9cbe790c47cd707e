import Foundation
import TestSupport
import Testing

@Suite("examples/debian", .needs("dpkg-deb"), .needsRelease)
struct PackageTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  /// The path of the package.
  private func build(_ environment: [String: String] = [:]) throws -> String {
    let variables = ["PIPE": ReleaseBuild.path].merging(environment) { $1 }
    let script = "'\(Repository.path)/examples/debian/build.sh' ."
    let run = try scratch.sh(script, variables).expect(nil)
    return scratch.path(run.lines.last ?? "none")
  }

  private func version() throws -> String { try scratch.pipe("--version").lines.joined() }

  @Test("two builds with other clocks, masks and time zones are the same, byte for byte")
  func reproducible() throws {
    let first = try build()
    try scratch.sh("mv '\(first)' first; mkdir later").expect("")
    let second = try scratch.sh(
      "umask 077; TZ=Asia/Tokyo '\(Repository.path)/examples/debian/build.sh' later",
      ["PIPE": ReleaseBuild.path]
    ).expect(nil).lines.joined()
    try scratch.sh("cmp first \(second)").expect("")
  }

  @Test("the package has everything, belongs to root and depends on nothing")
  func contents() throws {
    let package = try build()
    #expect(package.hasPrefix(scratch.path("./pipe_\(try version())-1_")), "\(package)")
    try scratch.sh("dpkg-deb -f '\(package)' Package Version Depends Pre-Depends").expect(
      "Package: pipe\nVersion: \(try version())-1\n")
    try scratch.sh(
      """
      dpkg-deb -c '\(package)' | awk '{ print $2 }' | sort -u
      dpkg-deb -x '\(package)' tree && cd tree
      cmp usr/bin/pipe '\(ReleaseBuild.path)'
      ls usr/share/man/man*/*.gz | sed 's|.*/||; s|.gz$||' | sort | diff - <(ls '\(Repository.path)/man')
      for page in usr/share/man/man*/*; do
        zcat $page | cmp - '\(Repository.path)'/man/$(basename $page .gz)
      done
      cat usr/lib/systemd/system/*.service | grep -c ^ExecStart=/usr/bin/pipe
      ls usr/share/doc/pipe usr/lib/systemd/system usr/share/*/*completions* usr/lib/sysusers.d
      zcat usr/share/doc/pipe/changelog.Debian.gz | head -n 1
      """
    ).expect(
      """
      root/root
      2
      usr/lib/systemd/system:
      pipe-serve.service
      pipe-serve.socket
      pipe-worker@.service

      usr/lib/sysusers.d:
      pipe.conf

      usr/share/bash-completion/completions:
      pipe

      usr/share/doc/pipe:
      changelog.Debian.gz
      copyright

      usr/share/fish/vendor_completions.d:
      pipe.fish

      usr/share/zsh/vendor-completions:
      _pipe
      pipe (\(try version())-1) unstable; urgency=medium

      """)
  }

  @Test("a binary that needs shared libraries, or is of another version, is refused")
  func refusals() throws {
    let script = "'\(Repository.path)/examples/debian/build.sh' ."
    try scratch.sh(script, ["PIPE": "/usr/bin/env"]).expect(
      "",
      errors: "build.sh: /usr/bin/env: needs shared libraries "
        + "(build it with -static-executable, as README.md says)\n", status: 1)
    try scratch.sh("printf '#!/bin/sh\\necho 0.0.1\\n' > old; chmod +x old").expect("")
    try scratch.sh(script, ["PIPE": "./old"]).expect(
      "",
      errors: "build.sh: ./old: is version 0.0.1, but the sources are \(try version()) "
        + "(build it again)\n", status: 1)
    try scratch.sh("ls").expect("old\n")
  }

  @Test(
    "on a new Debian, the package installs, stores and delivers, upgrades, and is removed",
    .needsRoot, .needs("debootstrap", "unshare"), .needsMirror)
  func lifecycle() throws {
    let version = try version()
    let (first, second) = (try build(), try build(["VERSION": "\(version).1"]))
    try DebianMirror.install(in: scratch, "root")
    try scratch.sh("mv '\(first)' root/first.deb; mv '\(second)' root/second.deb").expect("")
    let inside = """
      export LC_ALL=C PIPE_QUEUE=/srv/queue; exec 2>&1
      files() { find / -xdev ! -path '/var/*' ! -path '/srv/*' | sort; }
      files > /srv/before
      dpkg -i first.deb > /srv/log || cat /srv/log
      pipe --version
      id=$(echo '{"n":1}' | pipe enqueue --raw | cut -d '"' -f 4)
      echo '{"n":2}' | pipe enqueue --raw --quiet
      pipe consume -n 1 -- cat
      pipe submit -q /srv/jobs echo hello > /srv/id; pipe work -q /srv/jobs
      dpkg -V pipe
      dpkg -i second.deb > /srv/log || cat /srv/log
      dpkg-query -W pipe
      pipe status $id | cut -d '"' -f 6-8
      pipe consume
      dpkg -r pipe > /srv/log || cat /srv/log
      files | diff /srv/before -
      mkdir /var/lib/pipe; dpkg -P pipe | tail -n 1
      ls /srv /var/lib/pipe
      """
    // Without /proc a consumer cannot watch its reader, and says so if it has to wait for it.
    let line =
      "mount --rbind /dev root/dev && mount -t proc proc root/proc && exec chroot root sh -c \"$0\""
    try scratch.run(["unshare", "-m", "sh", "-c", line, inside]).expect(
      """
      \(version)
      {"n":1}
      hello
      pipe\t\(version).1-1
      status":"completed
      {"n":2}
      pipe: /var/lib/pipe is kept; remove it by hand
      /srv:
      before
      id
      jobs
      log
      queue

      /var/lib/pipe:

      """)
  }
}
