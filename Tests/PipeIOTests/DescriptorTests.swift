import Glibc
import Testing

@testable import PipeIO

@Suite("Files")
struct DescriptorTests {
  private let scratch: Scratch
  private var directory: Directory { scratch.directory }

  init() throws { scratch = try Scratch() }

  /// The code of the fault that opening this name gives.
  private func refusal(_ name: String) -> Int32? {
    #expect(throws: Fault.self) { try Descriptor.open(name, in: directory, O_RDWR) }?.code
  }

  @Test("a missing file is nil and not a fault")
  func missing() throws {
    #expect(try Descriptor.open("file", in: directory, O_RDONLY) == nil)
    #expect(try Descriptor.open("nowhere/file", in: directory, O_RDONLY) == nil)
  }

  @Test("a file opens beneath its directory, also by a path")
  func paths() throws {
    let inner = try directory.subdirectory(making: "inner")
    try Descriptor.create("file", in: inner, O_WRONLY).append("a")
    let file = try #require(try Descriptor.open("inner/file", in: directory, O_RDONLY))
    #expect(file.path == scratch.path + "/inner/file")
    #expect(try file.text() == "a")
  }

  @Test("a symbolic link is refused, as the file and as any part of its path")
  func links() throws {
    _ = try directory.subdirectory(making: "inner")
    try scratch.write("a", to: "inner/file")
    try scratch.link("link", to: "inner/file")
    try scratch.link("door", to: "inner")
    #expect(refusal("link") == ELOOP)
    #expect(refusal("door/file") == ELOOP || refusal("door/file") == ENOTDIR)
    #expect(scratch.text("inner/file") == "a")
  }

  @Test("a symbolic link that leads nowhere is not taken for a missing file")
  func danglingLink() throws {
    try scratch.link("link", to: "nowhere")
    #expect(refusal("link") == ELOOP)
    #expect(throws: Fault.self) { try Descriptor.create("link", in: directory, O_WRONLY) }
    #expect(scratch.text("nowhere") == nil)
  }

  @Test("a path that leaves its directory is refused")
  func escapes() {
    #expect(refusal("../file") == EXDEV)
    #expect(refusal("/etc/passwd") == EXDEV)
  }

  @Test("a created file belongs to its user alone")
  func modes() throws {
    _ = try scratch.file()
    #expect(scratch.mode("file") == 0o600)
    _ = try directory.subdirectory(making: "inner")
    #expect(scratch.mode("inner") == 0o700)
  }

  @Test("a file that exists is opened, not created, unless it must be new")
  func create() throws {
    try scratch.file().append("a")
    #expect(try scratch.file().text() == "a")
    let fault = #expect(throws: Fault.self) { try scratch.file("file", O_WRONLY | O_EXCL) }
    #expect(fault?.code == EEXIST)
    #expect(scratch.text("file") == "a")
  }

  @Test("bytes are written and read at their offset")
  func offsets() throws {
    let file = try scratch.file()
    try file.write("cd", at: 2)
    try file.write("ab", at: 0)
    #expect(try file.text(at: 0, 4) == "abcd")
    #expect(try file.text(at: 3, 4) == "d")
    #expect(try file.text(at: 9, 4) == "")
    #expect(try file.size() == 4)
    try file.truncate(to: 1)
    #expect(scratch.text("file") == "a")
  }

  @Test("bytes appended by two descriptors follow each other")
  func append() throws {
    let one = try scratch.file("file", O_WRONLY | O_APPEND)
    let other = try scratch.file("file", O_WRONLY | O_APPEND)
    try one.append("a")
    try other.append("b")
    try one.append("c")
    try one.flush()
    try one.flushData()
    #expect(scratch.text("file") == "abc")
  }

  @Test("only a regular file has a size")
  func sizes() throws {
    let (reading, _) = try makePipe("test")
    #expect(try !reading.isRegular())
    let fault = #expect(throws: Fault.self) { try reading.size() }
    #expect(fault?.text == "test: is not a regular file")
    #expect(fault?.kind == .inputOutput)
    #expect(try scratch.file().isRegular())
  }

  @Test("a fault of a file has its path")
  func faults() throws {
    let file = try scratch.file("file", O_RDONLY)
    let fault = #expect(throws: Fault.self) { try file.append("a") }
    #expect(fault?.text == "\(scratch.path)/file: cannot write: Bad file descriptor")
  }

  @Test("a lock excludes other open files until it is released")
  func locks() throws {
    let one = try scratch.file()
    let other = try scratch.file()
    #expect(try one.tryLock())
    #expect(try !other.tryLock())
    #expect(try !other.tryLock(exclusive: false))
    one.unlock()
    #expect(try other.tryLock(exclusive: false))
    #expect(try one.tryLock(exclusive: false))
    #expect(try !one.tryLock())
  }

  @Test("a lock ends with its file")
  func closedLock() throws {
    var one: Descriptor? = try scratch.file()
    let other = try scratch.file()
    try one?.lock()
    #expect(try !other.tryLock())
    one = nil
    // A child that another test is just starting holds the lock until it runs.
    while try !other.tryLock() {}
  }

  @Test("signals do not end a wait for input")
  func interruptedRead() throws {
    let (reading, writing) = try makePipe("test")
    let number = writing.fd
    let text = try interrupting(until: { _ = write(number, "a", 1) }) { try reading.text() }
    #expect(text == "a")
  }

  @Test("signals do not end a wait for a lock")
  func interruptedLock() throws {
    let one = try scratch.file()
    let other = try scratch.file()
    try one.lock()
    let number = one.fd
    try interrupting(until: { flock(number, LOCK_UN) }) { try other.lock() }
    #expect(try !one.tryLock())
  }

  @Test("a read from a non-blocking descriptor waits for input")
  func nonblocking() throws {
    let (reading, writing) = try makePipe("test")
    try #require(fcntl(reading.fd, F_SETFL, O_NONBLOCK) == 0)
    let number = writing.fd
    try startThread { _ = write(number, "a", 1) }
    #expect(try reading.text() == "a")
    withExtendedLifetime(writing) {}
  }
}
