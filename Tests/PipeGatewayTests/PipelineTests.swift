import NIOHTTP1
import Testing

@testable import PipeGateway

@Suite("Pipelines")
struct PipelineTests {
  private var pipeline = Pipeline(capacity: 3)

  private mutating func respond(_ number: Int, _ status: Int) -> Bool {
    pipeline.respond(to: number, Response(status))
  }

  private mutating func append(_ requests: Request?...) {
    for request in requests { pipeline.append(slot(request?.body.count ?? 0), request) }
  }

  /// Numbers of the requests that handlers get now.
  private mutating func dispatched() -> [Int] {
    var numbers: [Int] = []
    while let (number, _) = pipeline.dispatch() { numbers.append(number) }
    return numbers
  }

  /// Statuses of the responses that are due now.
  private mutating func due() -> [Int] {
    var statuses: [Int] = []
    while let (_, response) = pipeline.takeDue() { statuses.append(response.status) }
    return statuses
  }

  @Test("responses leave in the order of their requests")
  mutating func order() {
    append(request(.POST), request(.POST), request(.POST))
    #expect(dispatched() == [1, 2, 3])
    #expect(respond(3, 203))
    #expect(respond(2, 202))
    #expect(due().isEmpty)
    #expect(respond(1, 201))
    #expect(due() == [201, 202, 203])
    #expect(pipeline.isEmpty)
  }

  @Test("a request that is not a small post waits until handlers have no other")
  mutating func heavy() {
    append(request(.GET), request(.POST), request(.GET))
    #expect(dispatched() == [1])
    #expect(respond(1, 200))
    #expect(dispatched().isEmpty, "the response has not been sent")
    #expect(due() == [200])
    #expect(dispatched() == [2])
    #expect(respond(2, 200))
    #expect(due() == [200])
    #expect(dispatched() == [3])
  }

  @Test("a post of more than 64 KiB is not small")
  mutating func large() {
    let most = [UInt8](repeating: 0, count: 1 << 16)
    append(request(.POST, body: most), request(.POST, body: most + [0]), request(.POST))
    #expect(dispatched() == [1])
    #expect(respond(1, 200))
    #expect(due() == [200])
    #expect(dispatched() == [2])
  }

  @Test("a pipeline has room for as many requests as its capacity")
  mutating func room() {
    #expect(pipeline.hasRoom)
    append(request(.POST), request(.POST))
    #expect(pipeline.hasRoom)
    append(request(.POST))
    #expect(!pipeline.hasRoom)
    #expect(dispatched() == [1, 2, 3])
    #expect(respond(1, 200))
    #expect(due() == [200])
    #expect(pipeline.hasRoom)
  }

  @Test("handlers never have more requests than the capacity")
  mutating func inHand() {
    append(request(.POST), request(.POST), request(.POST), request(.POST))
    #expect(dispatched() == [1, 2, 3])
    #expect(respond(1, 200))
    #expect(due() == [200])
    #expect(dispatched() == [4])
  }

  @Test("a refused request keeps its place, and no handler gets it")
  mutating func refused() {
    append(request(.POST))
    var refusal = slot()
    refusal.respond(Response(400))
    pipeline.append(refusal, nil)
    append(request(.POST))
    #expect(dispatched() == [1, 3])
    #expect(due().isEmpty)
    #expect(respond(1, 200))
    #expect(due() == [200, 400])
    #expect(respond(3, 202))
    #expect(due() == [202])
  }

  @Test("a response has the headers of its slot")
  mutating func headers() throws {
    pipeline.append(
      PipelineSlot(
        head: nil, began: second(0), held: 0, headers: [("a", "1"), ("b", "2")], isLast: true),
      request())
    #expect(dispatched() == [1])
    #expect(pipeline.respond(to: 1, Response(200, headers: [("a", "0")])) == true)
    let taken = pipeline.takeDue()
    let due = try #require(taken)
    #expect(due.response.headers.map(\.value) == ["0", "2"])
    #expect(due.slot.isLast)
  }

  @Test("a response to a request that is gone or not yet read is dropped")
  mutating func gone() {
    append(request(.POST))
    #expect(dispatched() == [1])
    #expect(!respond(2, 200))
    #expect(!respond(0, 200))
    #expect(respond(1, 200))
    #expect(due() == [200])
    #expect(!respond(1, 200))
  }

  @Test("a pipeline that drops its requests returns the bytes of their bodies")
  mutating func removal() {
    append(request(.POST, body: [1, 2, 3]), request(.POST, body: [4]), request(.GET))
    #expect(dispatched() == [1, 2])
    #expect(pipeline.removeAll() == 4)
    #expect(pipeline.isEmpty)
    #expect(!respond(1, 200))
    append(request(.GET))
    #expect(dispatched() == [4])
  }
}
