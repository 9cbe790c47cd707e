import Foundation
import TestSupport
import Testing

/// A manual page or the README.
struct Page: CustomTestStringConvertible, Sendable {
  let name: String
  var testDescription: String { name }

  var text: String {
    (try? String(contentsOfFile: Repository.path + "/" + name, encoding: .utf8)) ?? ""
  }

  static let commands = [
    "ingest", "enqueue", "submit", "init", "consume", "work", "batch", "ack", "route", "status",
    "log", "list", "explain", "stats", "dead", "cancel", "purge", "change", "pause", "resume",
    "retry", "drop", "prune", "fsck", "doctor", "torture", "bench", "serve",
  ]

  static let readme = Page(name: "README.md")
  static let tutorial = Page(name: "man/pipe-tutorial.7")

  /// Pages whose examples need nothing but `pipe` and an empty directory.
  static let all: [Page] =
    ["examples/cron.md", "man/pipe.1", "man/pipe-queue.5", "man/pipe-news.7"].map(Page.init)
    + commands.map { Page(name: "man/pipe-\($0).1") }

  /// A command line and its output.
  struct Example {
    let line: Int
    let command: String
    var output: [String] = []
  }

  /// Examples of all blocks in which a line begins with `$ `.
  var examples: [Example] {
    var found: [Example] = []
    var isInside = false
    for (number, line) in blocks {
      if line.hasPrefix("$ ") {
        isInside = true
        found.append(Example(line: number, command: String(line.dropFirst(2))))
      } else if line.isEmpty {
        isInside = false
      } else if isInside {
        found[found.count - 1].output.append(line)
      }
    }
    return found
  }

  /// Lines of blocks that no test of this page runs: those before the first `$ ` of their block.
  var notRun: [String] {
    var found: [String] = []
    var isInside = false
    for (_, line) in blocks {
      if line.isEmpty { isInside = false }
      if line.hasPrefix("$ ") { isInside = true }
      if !isInside, !line.isEmpty { found.append(line) }
    }
    return found
  }

  // Numbered lines of literal blocks, with an empty line after each block.
  private var blocks: [(Int, String)] {
    name.hasSuffix(".md") ? indented : literal
  }

  private var numbered: [(Int, String)] {
    text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .map { ($0 + 1, String($1)) }
  }

  private var indented: [(Int, String)] {
    numbered.map { ($0, $1.hasPrefix("    ") ? String($1.dropFirst(4)) : "") }
  }

  private var literal: [(Int, String)] {
    var isLiteral = false
    return numbered.map { number, line in
      if line.hasPrefix(".Bd -literal") { isLiteral = true }
      if line.hasPrefix(".Ed") { isLiteral = false }
      return (number, isLiteral && !line.hasPrefix(".") ? unescaped(line) : "")
    }
  }

  // roff writes a backslash as \e.
  private func unescaped(_ line: String) -> String {
    line.replacingOccurrences(of: "\\e", with: "\\")
  }

  /// Options that have an `.It` on the page; `-q` and `--queue` are two.
  var options: Set<String> {
    var found: Set<String> = []
    for line in text.split(separator: "\n") where line.hasPrefix(".It Fl ") {
      let words = line.split(separator: " ")
      for (flag, name) in zip(words, words.dropFirst()) where flag == "Fl" {
        found.insert("-" + name)
      }
    }
    return found
  }

  /// Options in its SYNOPSIS.
  var synopsis: Set<String> {
    let part =
      text.components(separatedBy: ".Sh SYNOPSIS").last?
      .components(separatedBy: ".Sh DESCRIPTION").first ?? ""
    let names = part.matches(of: #/Fl (-?[a-z][-a-z]*)/#).map { "-" + $0.1 }
    return Set(names)
  }
}

/// Replaces the parts that differ from run to run.
func normalized(_ text: String) -> String {
  text.replacing(#/\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/#, with: "ULID")
    .replacing(#/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/#, with: "TIME")
}
