internal import PipeGateway
internal import PipeIO
internal import PipeQueue

extension Answer {
  static let lines = "application/x-ndjson"

  /// What did not work, and may later.
  static func unavailable(_ fault: Fault) -> Answer {
    .error(503, fault.text, headers: [("retry-after", "1")])
  }

  static func receipt(_ status: Int, _ id: EntryID) -> Answer {
    Answer(status, Answer.json, Array(#"{"ingestion_id":"\#(id.text)"}"#.utf8))
  }
}
