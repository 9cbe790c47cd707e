import Foundation
import TestSupport
import Testing

@Suite("Transitions")
struct TransitionTests {
  private static let engine = Repository.path + "/Sources/PipeQueue"

  /// A row of TRANSITIONS in pipe-queue(5): its name, and the call that decides it.
  private struct Row: Hashable {
    let name: String
    let call: String
  }

  private static func rows() throws -> [Row] {
    let page = try String(contentsOfFile: Repository.path + "/man/pipe-queue.5", encoding: .utf8)
    let section = page.components(separatedBy: ".Sh TRANSITIONS")[1]
      .components(separatedBy: ".Sh ")[0]
    let row = #/(?m)^T{\n(.+)\nT}\tT{\n(.+)\nT}\t/#
    return section.matches(of: row).map { Row(name: String($0.1), call: String($0.2)) }
  }

  /// A function of the engine that cites a transition, or renames, removes or cuts a file.
  private struct Function {
    let place: String
    let doc: [Substring]
    var isDeciding: Bool

    func citations(_ word: String) -> [String] {
      doc.filter { $0.contains("/// \(word): ") }.flatMap {
        $0.components(separatedBy: "\(word): ")[1].components(separatedBy: ", ")
      }
    }
  }

  private static func functions() throws -> [Function] {
    let files = try #require(FileManager.default.enumerator(atPath: engine))
    var found: [Function] = []
    for case let file as String in files where file.hasSuffix(".swift") {
      let text = try String(contentsOfFile: engine + "/" + file, encoding: .utf8)
      found += functions(in: text.split(separator: "\n", omittingEmptySubsequences: false), file)
    }
    return found
  }

  private static func functions(in lines: [Substring], _ file: String) -> [Function] {
    let head = #/^ *(?:[a-z]+(?:\(set\))? )*(?:func|init|deinit)\b/#
    let call =
      #/\b(?:rename|exchange|removeDirectory|makeSpare|putAside|truncate)\(|directory\.remove\(|root\.remove\(|now\(\)\.remove\(/#
    var found: [Function] = []
    var doc: [Substring] = []
    for (index, line) in lines.enumerated() {
      if line.contains(#/^ *\/\/\/ /#) {
        doc.append(line)
      } else if line.contains(head) {
        found.append(Function(place: "\(file):\(index + 1)", doc: doc, isDeciding: false))
        doc = []
      } else {
        if !line.contains(#/^ *@/#) { doc = [] }
        let code = line.split(separator: "//", omittingEmptySubsequences: false).first ?? ""
        if code.contains(call), !found.isEmpty { found[found.count - 1].isDeciding = true }
      }
    }
    return found
  }

  @Test("each row of TRANSITIONS is cited by one function of the engine, and no other row is")
  func cited() throws {
    let rows = try Self.rows()
    #expect(rows.count > 35, "\(rows)")
    let wanted = rows.filter { !$0.call.hasPrefix("none") }.map(\.name).sorted()
    let cited = try Self.functions().flatMap { $0.citations("Transition") }.sorted()
    #expect(cited == wanted, "\(Set(cited).symmetricDifference(wanted))")
  }

  @Test("each function of the engine that renames, removes or cuts a file names its transition")
  func explained() throws {
    let names = Set(try Self.rows().map(\.name)).union(["the transition of its caller"])
    for function in try Self.functions() {
      let steps = function.citations("Transition") + function.citations("Step of")
      #expect(Set(steps).isSubset(of: names), "\(function.place): \(steps)")
      if function.isDeciding {
        let reasons = function.citations("No transition")
        #expect(!(steps + reasons).isEmpty, "\(function.place): says no transition")
      }
    }
  }
}
