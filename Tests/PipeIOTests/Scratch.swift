import Foundation
import Testing

@testable import PipeIO

/// A directory that is removed with the test.
final class Scratch {
  let path: String
  let directory: Directory

  init() throws {
    path = NSTemporaryDirectory() + "/pipe-io.\(getpid()).\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    directory = try #require(try Directory.open(path))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws {
    try text.write(toFile: path + "/" + name, atomically: false, encoding: .utf8)
  }

  /// nil: there is no such file.
  func text(_ name: String) -> String? {
    FileManager.default.contents(atPath: path + "/" + name).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  func link(_ name: String, to target: String) throws {
    try #require(symlink(target, path + "/" + name) == 0)
  }

  func hardLink(_ name: String, to target: String) throws {
    try #require(Glibc.link(path + "/" + target, path + "/" + name) == 0)
  }

  func mode(_ name: String) -> UInt32? { directory.status(name).map { $0.st_mode & 0o7777 } }

  /// Opens a file, creating it if it does not exist.
  func file(_ name: String = "file", _ flags: Int32 = O_RDWR) throws -> Descriptor {
    try Descriptor.create(name, in: directory, flags)
  }
}

extension Descriptor {
  func append(_ text: String) throws { try append(Array(text.utf8)) }

  func write(_ text: String, at offset: Int) throws {
    try Array(text.utf8).withUnsafeBytes { try write($0, at: offset) }
  }

  func text(at offset: Int, _ count: Int) throws -> String {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = try bytes.withUnsafeMutableBytes {
      try read(into: $0, at: offset)
    }
    return String(decoding: bytes[..<found], as: UTF8.self)
  }

  /// What one read returns.
  func text(_ count: Int = 100) throws -> String {
    var bytes = [UInt8](repeating: 0, count: count)
    let found = try bytes.withUnsafeMutableBytes {
      try read(into: $0)
    }
    return String(decoding: bytes[..<found], as: UTF8.self)
  }
}
