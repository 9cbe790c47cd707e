import Foundation
import Testing

@testable import PipeIO
import PipeTime

@Suite("Directories")
struct DirectoryTests {
  private let scratch: Scratch
  private var directory: Directory { scratch.directory }

  init() throws { scratch = try Scratch() }

  @Test("a missing directory is nil, and a file is a fault")
  func missing() throws {
    #expect(try Directory.open(scratch.path + "/inner") == nil)
    #expect(try Directory.open("inner", in: directory) == nil)
    try scratch.write("a", to: "file")
    let fault = #expect(throws: Fault.self) { try Directory.open("file", in: directory) }
    #expect(fault?.kind == .notFound)
  }

  @Test("a symbolic link is followed to the first directory only")
  func links() throws {
    _ = try directory.subdirectory(making: "inner")
    try scratch.link("door", to: "inner")
    #expect(try Directory.open(scratch.path + "/door") != nil)
    #expect(throws: Fault.self) { try Directory.open("door", in: directory) }
    #expect(throws: Fault.self) { try directory.subdirectory(making: "door") }
    #expect(throws: Fault.self) { try Directory.open("..", in: directory) }
  }

  @Test("a directory that must exist is a fault if it does not")
  func existing() throws {
    _ = try directory.subdirectory(making: "inner")
    #expect(try directory.existing("inner").path == scratch.path + "/inner")
    let fault = #expect(throws: Fault.self) { try directory.existing("other") }
    #expect(fault?.kind == .notFound)
    #expect(fault?.text.hasPrefix(scratch.path + ": other is missing") == true)
  }

  @Test("a directory that was renamed stays the directory that was opened")
  func renamed() throws {
    let inner = try directory.subdirectory(making: "inner")
    #expect(try directory.rename("inner", to: "other") == .renamed)
    let new = try directory.subdirectory(making: "inner")
    _ = try Descriptor.create("file", in: inner, O_WRONLY)
    #expect(scratch.text("other/file") == "")
    #expect(try new.names().isEmpty)
    #expect(!inner.isSame(as: new))
    #expect(inner.birthmark != new.birthmark)
    let opened = try directory.existing("other")
    #expect(inner.isSame(as: opened))
    #expect(inner.birthmark == opened.birthmark)
  }

  @Test("a directory lists all names each time, without dots, however many there are")
  func names() throws {
    #expect(try directory.names().isEmpty)
    let names = (1...2000).map { "\($0).a-name-to-fill-the-buffer" } + [".hidden", "...", "ä"]
    for name in names { _ = try scratch.file(name) }
    #expect(try Set(directory.names()) == Set(names))
    try directory.remove("...")
    #expect(try directory.names().count == names.count - 1)
  }

  @Test("a removed directory has no names")
  func removed() throws {
    let inner = try directory.subdirectory(making: "inner")
    #expect(!inner.isRemoved)
    try directory.removeDirectory("inner")
    #expect(inner.isRemoved)
    #expect(try inner.names().isEmpty)
    #expect(throws: Fault.self) { try Descriptor.create("file", in: inner, O_WRONLY) }
  }

  @Test("a directory knows which names it has, and the sizes of its regular files")
  func status() throws {
    try scratch.write("abc", to: "file")
    try scratch.link("link", to: "nowhere")
    _ = try directory.subdirectory(making: "inner")
    try scratch.write("a", to: "inner/file")
    #expect(directory.size(of: "file") == 3)
    #expect(directory.size(of: "inner/file") == 1)
    for name in ["link", "inner", "other", "link/file"] {
      #expect(directory.size(of: name) == nil, "\(name)")
    }
    #expect(directory.has("link"))
    #expect(!directory.lacks("link"))
    #expect(directory.lacks("other"))
    #expect(!directory.has("other"))
  }

  @Test("a directory reports when a file was written and when it was renamed")
  func times() throws {
    try scratch.write("a", to: "file")
    var times = [timeval(tv_sec: 1000, tv_usec: 5), timeval(tv_sec: 1000, tv_usec: 5)]
    try #require(utimes(scratch.path + "/file", &times) == 0)
    #expect(directory.modified("file") == Instant(microseconds: 1_000_000_005))
    #expect(try #require(directory.changed("file")) > Instant(microseconds: 1_000_000_005))
    #expect(directory.modified("other") == nil)
    #expect(directory.changed("other") == nil)
  }

  @Test("a lock of a directory excludes other open directories")
  func locks() throws {
    let other = try #require(try Directory.open(scratch.path))
    try directory.lock(exclusive: true)
    #expect(try !other.tryLock())
    directory.unlock()
    #expect(try other.tryLock())
    other.unlock()
    try directory.lock(exclusive: false)
    try other.lock(exclusive: false)
  }

  @Test("signals that do not ask to stop do not end a wait for a directory's lock")
  func interruptedLock() throws {
    let other = try #require(try Directory.open(scratch.path))
    try directory.lock(exclusive: true)
    let number = directory.fd
    try interrupting(until: { flock(number, LOCK_UN) }) { try other.lock(exclusive: true) }
    #expect(try !directory.tryLock())
  }

  @Test(
    "a call that fails on a full disk runs once more if room can be made", arguments: [true, false])
  func relief(_ hasRoom: Bool) throws {
    let inner = try directory.subdirectory(making: "inner")
    var asked = 0
    directory.relief = {
      asked += 1
      return hasRoom
    }
    var calls = 0
    let result = Result { () throws(Fault) in
      try inner.relieved { () throws(Fault) in
        calls += 1
        if calls == 1 { throw Fault("write", "a", code: ENOSPC) }
      }
    }
    #expect(asked == 1)
    #expect(calls == (hasRoom ? 2 : 1))
    #expect(((try? result.get()) != nil) == hasRoom)
  }

  @Test("a call that fails otherwise does not run again")
  func noRelief() throws {
    directory.relief = { true }
    var calls = 0
    #expect(throws: Fault.self) {
      try directory.relieved { () throws(Fault) in
        calls += 1
        throw Fault("write", "a", code: EIO)
      }
    }
    #expect(calls == 1)
  }

  @Test("a subdirectory knows that its tree is short of room")
  func shortOfRoom() throws {
    let inner = try directory.subdirectory(making: "inner").subdirectory(making: "inmost")
    #expect(!inner.isShortOfRoom)
    directory.isSpared = true
    #expect(inner.isShortOfRoom)
  }
}
