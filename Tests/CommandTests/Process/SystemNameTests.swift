import Foundation
import TestSupport
import Testing

@Suite("Names that are not UTF-8")
struct SystemNameTests {
  private let scratch: Scratch

  init() throws {
    scratch = try Scratch()
  }

  @Test("file names that are not UTF-8 are opened as they are, and escaped in messages")
  func input() throws {
    try scratch.sh(#"echo '{"a":1}' > $'caf\351'; pipe ingest $'caf\351' | wc -l"#).expect("1\n")
    try scratch.sh(#"echo '{' > $'caf\351'; pipe ingest -- $'caf\351'"#).expect(
      "",
      errors: #"""
        pipe ingest: caf\xe9:1: byte 2: unexpected end
        pipe ingest: 1 of 1 lines rejected

        """#, status: 65)
    try scratch.sh(#"pipe ingest $'\xff\n'"#).expect(
      "", errors: "pipe ingest: \\xff\\u{a}: cannot open: No such file or directory\n", status: 66)
  }

  @Test("bytes that are not UTF-8 are not confused with the characters that represent them")
  func ownCharacters() throws {
    // U+10FEE9 represents the byte e9.
    let script = #"""
      mkdir d; cd d; echo 1 > $'\xe9'; echo 2 > $'\xf4\x8f\xbb\xa9'
      for name in *; do pipe ingest "$name" | grep -o '"data":.'; done; pipe ingest $'\U10FEEA'
      """#
    try scratch.sh("export LC_ALL=C.UTF-8; " + script).expect(
      "\"data\":1\n\"data\":2\n",
      errors: "pipe ingest: \\xf4\\x8f\\xbb\\xaa: cannot open: No such file or directory\n",
      status: 66)
  }

  @Test(
    "queue names that are not UTF-8 work in options and variables, and commands get them unchanged")
  func queues() throws {
    let script = #"""
      name=$'d\xe9p\xf4t/\xff'
      echo 1 | pipe enqueue --raw --quiet -q "$name" || exit
      PIPE_QUEUE=$name pipe route --to $'\xfe' || exit
      export PIPE_QUEUE=$'\xfe'
      pipe consume -- sh -c 'cat; test "$PIPE_QUEUE" = "$PWD/$1"; echo $?' - $'\xfe'
      """#
    try scratch.sh(script).expect("{\"queue\":\"\\\\xfe\",\"entries\":1}\n1\n0\n")
    try scratch.sh(#"pipe list -q $'a\xff'"#).expect(
      "", errors: "pipe list: a\\xff: no such queue; pipe init or pipe enqueue creates one\n",
      status: 66)
  }

  @Test("output files may have names that are not UTF-8")
  func outputs() throws {
    let script = #"""
      pipe init
      echo '{' | pipe ingest --reject $'r\xff' 2> log
      pipe stats --output $'s\xff'
      pipe stats --svg $'p\xff'
      head -c 1 $'r\xff' $'s\xff' $'p\xff' | wc -c
      """#
    try scratch.sh(script).expect(nil)
    try scratch.sh(#"test -s $'r\xff' && test -s $'s\xff' && test -s $'p\xff'"#).expect()
    try scratch.sh(
      #"printf 'a-token-of-some-length\n' > $'t\xff'; chmod 600 $'t\xff'"#
    ).expect()
    try scratch.sh(#"timeout 600 pipe serve --port 0 --token-file $'u\xff'"#).expect(
      "", errors: "pipe serve: u\\xff: cannot open: No such file or directory\n", status: 66)
  }

  @Test("the arguments of the command are passed byte for byte")
  func command() throws {
    try scratch.store("1")
    try scratch.sh(#"pipe consume -- printf '%s' $'\xff\xfe' | od -An -tx1"#).expect(" ff fe\n")
    try scratch.store("1")
    let script = #"printf '#!/bin/sh\necho it ran' > $'c\xff'; chmod 755 $'c\xff'"#
    try scratch.sh(script + #"; pipe consume -- $'./c\xff'; pipe consume -- $'./d\xff'"#).expect(
      "it ran\n")
  }

  @Test(
    "text that is stored or compared must be UTF-8",
    arguments: [
      #"ack --reason $'\xff' 01JD3V7Q8N6T2K5M9XWZ4RBC1H"#, #"route --on $'\xff' a=b"#,
      #"route --on a $'\xff=b'"#, #"stats --field $'\xff'"#, #"serve --cors $'\xff'"#,
    ])
  func text(line: String) throws {
    let run = try scratch.sh("pipe " + line)
    run.expect("", errors: nil, status: 64)
    #expect(run.errors.contains("is not UTF-8"), run.story)
  }
}
