import Foundation
import TestSupport
import Testing

@Suite("The example of a fleet", .needsFleet, .needsNamespaces)
struct FleetExampleTests {
  @Test(
    "two hosts share a timeline, a host that is cut off ends its command first, and nothing is lost at a failover"
  )
  func demo() throws {
    let scratch = try Scratch(binary: Binary.besideTests)
    let run = try scratch.sh("\(Repository.path)/examples/fleet/demo.sh", [:])
    #expect(run.ending == .exited(0), run.story)
    #expect(run.output.contains("accepted 3000, lost 0,"), run.story)
    print(run.output)
  }
}

extension Trait where Self == Needs {
  /// Requires the right to make network namespaces.
  fileprivate static var needsNamespaces: Needs {
    Needs {
      lacks("ip") ?? (canMakeNamespaces ? nil : "network namespaces need root")
    }
  }
}

private let canMakeNamespaces: Bool = {
  let line = "unshare --net ip link add name one type veth peer name two"
  return (try? Scratch().sh(line))?.ending == .exited(0)
}()
