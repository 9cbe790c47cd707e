import PipeIO
import Testing

@testable import PipeWork

@Suite("Arguments made of items")
struct ArgumentTemplateTests {
  private func template(_ command: String...) -> ArgumentTemplate {
    ArgumentTemplate(command.map { Array($0.utf8) })
  }

  // The words, or the reasons why items have none.
  private func words(_ template: ArgumentTemplate, _ items: String...) -> [String] {
    let bytes = items.map { item in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: item.utf8.count, alignment: 1)
      copy.copyBytes(from: item.utf8)
      return UnsafeRawBufferPointer(copy)
    }
    defer { for item in bytes { item.deallocate() } }
    let (words, unfit) = template.fit(bytes)
    if !unfit.isEmpty {
      return unfit.sorted { $0.key < $1.key }.map { "item \($0.key): \($0.value.reason)" }
    }
    return words.withPointers { $0.map { String(cString: $0!) } }
  }

  @Test("an item comes last, or wherever {} is")
  func place() {
    #expect(words(template("gzip", "-9"), #""a b""#) == ["-9", "a b"])
    #expect(words(template("cp", "{}", "/to/"), #""a""#) == ["a", "/to/"])
    #expect(words(template("cp", "{}", "{}.bak"), "7") == ["7", "7.bak"])
    #expect(words(template("{}", "x"), "7") == ["x", "7"], "an item is never the command")
  }

  @Test("a name in braces is a member of the item, and only a name is")
  func members() {
    let record = #"{"to":{"mail":"ann"},"n":1.50,"a.b":true}"#
    #expect(words(template("m", "{to.mail}", "n={n}"), record) == ["ann", "n=1.50"])
    #expect(words(template("m", #"{a\.b}"#), record) == ["true"])
    #expect(words(template("m", "{to}"), record) == [#"{"mail":"ann"}"#])
    #expect(words(template("m", "{x}"), record) == ["item 0: it has no member x"])
    #expect(words(template("awk", "{ print }", "${n}", "{}"), "7") == ["{ print }", "${n}", "7"])
  }

  @Test("only words that are {} alone take the place of several items")
  func several() {
    #expect(template("tar", "c", "{}").takesSeveral && template("tar").takesSeveral)
    #expect(words(template("tar", "c", "{}", "--"), "1", "2") == ["c", "1", "2", "--"])
    for word in ["x{}", "{n}"] { #expect(!template("tar", word).takesSeveral) }
  }

  @Test("an item with a NUL is no argument")
  func nul() {
    #expect(
      words(template("cat"), #""a""#, #""a\u0000b""#)
        == ["item 1: an argument cannot hold a NUL"])
  }

  @Test("no item is put into the script of a shell")
  func shells() {
    for command in [["sh", "-c", "echo {}"], ["nice", "/bin/bash", "-ec", "{}"]] {
      let text = ArgumentTemplate(command.map { Array($0.utf8) }).mistake
      #expect(text?.contains("would run as code") == true, "\(command)")
    }
    #expect(template("sh", "-c", "echo \"$1\"", "sh", "{}").mistake == nil)
    #expect(template("sh", "script", "{}").mistake == nil)
  }

  @Test("no item follows the host of ssh, where a shell would read it")
  func ssh() {
    for command in [
      ["ssh", "host", "ls", "{}"], ["ssh", "host"],
      ["nice", "/usr/bin/ssh", "-tp", "22", "host", "{n}"],
      ["ssh", "-p22", "-4", "--", "host", "x{}"],
    ] {
      let text = ArgumentTemplate(command.map { Array($0.utf8) }).mistake
      #expect(text?.contains("after the host of ssh") == true, "\(command)")
    }
    for command in [
      ["ssh", "-p", "22", "{}", "uptime"], ["ssh", "-o", "{}", "host"], ["ssh", "-J{n}", "h"],
    ] {
      let text = ArgumentTemplate(command.map { Array($0.utf8) }).mistake
      #expect(text != nil, "\(command)")
    }
    #expect(template("ssh", "-p", "22", "--", "{}", "uptime").mistake == nil)
    #expect(template("ssh-keyscan", "{}").mistake == nil)
    #expect(template("rsync", "-e", "ssh", "{}", "host:").mistake == nil)
    #expect(template("echo", "ssh", "host").mistake == nil)
  }
}
