import Foundation
import Testing

@testable import PipeIO

@Suite("Renaming")
struct RenameTests {
  private let scratch: Scratch
  private var directory: Directory { scratch.directory }

  init() throws { scratch = try Scratch() }

  @Test("a rename gives the file its new name only")
  func renamed() throws {
    try scratch.write("a", to: "old")
    #expect(try directory.rename("old", to: "new") == .renamed)
    #expect(scratch.text("old") == nil)
    #expect(scratch.text("new") == "a")
  }

  @Test("a rename of a missing file changes nothing")
  func missing() throws {
    try scratch.write("b", to: "new")
    #expect(try directory.rename("old", to: "other") == .missing)
    #expect(try directory.names() == ["new"])
  }

  @Test("a rename never replaces another file")
  func taken() throws {
    try scratch.write("a", to: "old")
    try scratch.write("b", to: "new")
    #expect(try directory.rename("old", to: "new") == .taken)
    #expect(scratch.text("old") == "a")
    #expect(scratch.text("new") == "b")
  }

  @Test("a rename never replaces a symbolic link, even one that leads nowhere")
  func links() throws {
    try scratch.write("a", to: "old")
    try scratch.link("new", to: "nowhere")
    #expect(try directory.rename("old", to: "new") == .taken)
    #expect(scratch.text("old") == "a")
  }

  @Test("a rename to another name of the same file removes the old name")
  func sameFile() throws {
    try scratch.write("a", to: "old")
    try scratch.hardLink("new", to: "old")
    #expect(try directory.rename("old", to: "new") == .renamed)
    #expect(try directory.names() == ["new"])
    #expect(scratch.text("new") == "a")
  }

  @Test("removing a file with its blocks empties it unless it is open or has a second name")
  func blocks() throws {
    for name in ["closed", "open", "linked"] { try scratch.write("abc", to: name) }
    try scratch.hardLink("second", to: "linked")
    let reader = try #require(try Descriptor.open("open", in: directory, O_RDONLY))
    // Such a descriptor does not count as open.
    let witness = Glibc.openat(directory.fd, "closed", Int32(0o10000000))
    defer { close(witness) }
    for name in ["closed", "open", "linked", "missing"] { try directory.removeWithBlocks(name) }
    #expect(try directory.names() == ["second"])
    var status = stat()
    #expect(fstat(witness, &status) == 0 && status.st_size == 0)
    #expect(try reader.size() == 3)
    #expect(scratch.text("second") == "abc")
  }

  @Test("a rename into a missing directory is reported as missing")
  func directories() throws {
    try scratch.write("a", to: "old")
    #expect(try directory.rename("old", to: "nowhere/new") == .missing)
    #expect(scratch.text("old") == "a")
  }

  @Test("a rename that fails is a fault with its operation and its old name")
  func impossible() throws {
    try scratch.write("a", to: "old")
    let long = String(repeating: "a", count: 256)
    let fault = try #require(
      #expect(throws: Fault.self) { try directory.rename("old", to: long) })
    #expect(fault.text == "\(scratch.path)/old: cannot rename: File name too long")
  }

  @Test("an exchange swaps two files")
  func exchange() throws {
    try scratch.write("a", to: "one")
    try scratch.write("b", to: "other")
    try directory.exchange("one", "other")
    #expect(scratch.text("one") == "b")
    #expect(scratch.text("other") == "a")
  }

  @Test("an exchange with a missing file is a fault and changes nothing")
  func exchangeMissing() throws {
    try scratch.write("a", to: "one")
    let fault = #expect(throws: Fault.self) { try directory.exchange("one", "other") }
    #expect(fault?.code == ENOENT)
    #expect(scratch.text("one") == "a")
  }

  @Test("a removal of a missing name is not an error")
  func removal() throws {
    try scratch.write("a", to: "one")
    try directory.remove("one")
    try directory.remove("one")
    #expect(try directory.names().isEmpty)
  }

  @Test("a directory is removed only while it is empty")
  func removeDirectory() throws {
    let inner = try directory.subdirectory(making: "inner")
    _ = try Descriptor.create("file", in: inner, O_WRONLY)
    try directory.removeDirectory("inner")
    #expect(directory.has("inner"))
    try inner.remove("file")
    try directory.removeDirectory("inner")
    #expect(!directory.has("inner"))
    try directory.removeDirectory("inner")
  }

  @Test("a replaced file has the new contents, the old mode and no draft beside it")
  func replace() throws {
    try scratch.write("old and longer", to: "file")
    try #require(chmod(scratch.path + "/file", 0o640) == 0)
    try replaceFile(scratch.path + "/file", Array("new".utf8))
    #expect(scratch.text("file") == "new")
    #expect(scratch.mode("file") == 0o640)
    #expect(try directory.names() == ["file"])
  }

  @Test("a reader that has the old file open keeps the old contents")
  func replaceUnderReader() throws {
    try scratch.write("old", to: "file")
    let old = try scratch.file()
    try replaceFile(scratch.path + "/file", Array("new".utf8))
    #expect(try old.text(at: 0, 10) == "old")
  }

  @Test("a link stays where the file it leads to is replaced")
  func replaceLinked() throws {
    try scratch.write("old", to: "file")
    try scratch.link("link", to: "file")
    try replaceFile(scratch.path + "/link", Array("new".utf8))
    #expect(scratch.text("file") == "new")
    #expect(try directory.names().sorted() == ["file", "link"])
    #expect(directory.size(of: "link") == nil)
  }

  @Test("a device is written in place")
  func replaceDevice() throws {
    try replaceFile("/dev/null", Array("new".utf8))
    var status = stat()
    try #require(stat("/dev/null", &status) == 0)
    #expect(status.st_mode & S_IFMT == S_IFCHR)
  }

  @Test("a file in a missing directory cannot be replaced")
  func replaceMissing() throws {
    let path = scratch.path + "/nowhere/file"
    let fault = #expect(throws: Fault.self) { try replaceFile(path, []) }
    #expect(fault?.text == "\(path): cannot create: No such file or directory")
  }
}
