#if Postgres
  package import PipeIO
  package import PipeQueue
  package import PipeTime

  /// Stores entries: one transaction under the lock of storing, which is not flushed, and then a flush that
  /// all sessions share.
  package final class PostgresAppender {
    private let queue: PostgresQueue
    private let isMoving: Bool
    private let window: TimeSpan

    package init(_ queue: PostgresQueue, dedup window: TimeSpan = .zero, isMoving: Bool = false) {
      self.queue = queue
      self.isMoving = isMoving
      self.window = window
    }

    /// Stores all of the write batch or none of it, unless it throws a fault of the kind `outcomeUnknown`. If the
    /// connection is lost, it connects again and stores the same ids: what the server has already is known by them.
    package func commit(_ writeBatch: inout WriteBatch) throws(Fault) {
      let lines = writeBatch.foreignLines.sorted { $0.receipt < $1.receipt }
      if lines.isEmpty { return }
      var found: Found
      do throws(Fault) { found = try store(lines) } catch {
        guard queue.session.isBroken || error.kind == .outcomeUnknown else { throw error }
        do throws(Fault) {
          if queue.session.isBroken { try queue.session.connect() }
          // Those of the first try are known now, and are no duplicates.
          found = try store(lines)
          found.known = []
        } catch {
          throw Fault(.outcomeUnknown, "\(error.text); whether the lines were stored is unknown")
        }
      }
      writeBatch.markDuplicates(found.known, answers: found.same)
      try? queue.notify(.ready)
    }

    /// By receipt: lines whose ids were known, and the ids of equal entries.
    private struct Found {
      var known: Set<Int> = []
      var same: [Int: EntryID] = [:]
    }

    private func store(_ lines: [WriteBatch.ForeignLine]) throws(Fault) -> Found {
      var columns = [ArrayText](repeating: ArrayText(), count: 10)
      for line in lines {
        let options = line.options.map { bytes in
          bytes.withUnsafeBytes { ParsedOptions(LineOptions($0)) }
        }
        columns[0].append("\(line.lane.rawValue)".utf8)
        columns[1].append("\(line.items)".utf8)
        columns[2].append(line.id.uuid.utf8)
        columns[3].append(line.created.map { "\($0.microseconds)".utf8 })
        columns[4].append(line.slice.map { "\($0)".utf8 })
        columns[5].append(options?.notBefore.map { "\($0.microseconds)".utf8 })
        columns[6].append(options?.key?.utf8)
        columns[7].append(line.options)
        columns[8].append(line.data)
        columns[9].append((line.mayRepeat ? "t" : "f").utf8)
      }
      let values = columns.map(\.parameter)
      let settings = [isMoving ? "t" : "f", "\(window.microseconds)"].map { Array($0.utf8CString) }
      let rows = try queue.session.query(
        """
        select * from put_1($1::smallint[], $2::int[], $3::uuid[], $4::bigint[], $5::int[], $6::bigint[], $7::text[],
          $8::text[], $9::text[], $10::bool, $11::bigint, $12::bool[])
        """,
        parameters: values[..<9] + settings + values[9...])
      // Also if all were known: the session that stored them may not have flushed yet.
      do throws(Fault) { try queue.session.flush() } catch {
        throw Fault(.outcomeUnknown, error.text)
      }
      var found = Found()
      for (line, row) in zip(lines, rows) {
        if row[0] == "t" { found.known.insert(line.receipt) }
        if let id = row[1].flatMap({ EntryID(uuid: $0) }) { found.same[line.receipt] = id }
      }
      return found
    }
  }

  private struct ParsedOptions {
    let key: String?
    let notBefore: Instant?

    init(_ options: LineOptions) {
      key = options.key.map { String(decoding: $0, as: UTF8.self) }
      notBefore = options.notBefore
    }
  }

  /// Values as the text of an array of PostgreSQL.
  func array(_ values: some Sequence<String?>) -> String {
    var text = ArrayText()
    for value in values { text.append(value?.utf8) }
    return String(decoding: text.bytes, as: UTF8.self)
  }

  /// The text of an array of PostgreSQL, element by element.
  struct ArrayText {
    private var content = [UInt8(ascii: "{")]

    /// Adds NULL if `value` is nil.
    mutating func append(_ value: (some Collection<UInt8>)?) {
      if content.count > 1 { content.append(UInt8(ascii: ",")) }
      guard let value else {
        content.append(contentsOf: "NULL".utf8)
        return
      }
      content.append(UInt8(ascii: "\""))
      for byte in value {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
          content.append(UInt8(ascii: "\\"))
        }
        content.append(byte)
      }
      content.append(UInt8(ascii: "\""))
    }

    var bytes: [UInt8] { content + [UInt8(ascii: "}")] }

    /// As a parameter of a question.
    var parameter: [CChar] { (bytes + [0]).map { CChar(bitPattern: $0) } }
  }
#endif
