import Foundation
import Glibc
import TestSupport
import Testing

/// A stand-in for Elasticsearch, since neither Debian nor PyPI has a server: `_bulk` as strict as
/// the real one, with its responses and words, on a loopback port; documents are on disk before the
/// response. Otherwise it has `_doc/ID`, `_count` and a search for one value. It ends with the
/// test.
final class BulkServer {
  let port: Int
  private let scratch: Scratch
  private var child: Child?

  init(_ scratch: Scratch) throws {
    self.scratch = scratch
    port = try Loopback.freePorts(1)[0]
    try scratch.write(BulkServer.program, to: "elasticsearch.py")
    try start()
  }

  func start() throws {
    child = try scratch.start(["python3", "elasticsearch.py", "\(port)", "documents"])
    guard child?.line() == "ready" else { throw Failure("no stand-in for Elasticsearch") }
  }

  func pause() { child?.signal(SIGSTOP) }

  func kill() {
    child?.signal(SIGKILL)
    child?.reap()
    child = nil
  }

  var environment: [String: String] {
    ["ELASTICSEARCH_URL": "http://elastic:secret@127.0.0.1:\(port)"].merging(sinkEnvironment) { $1 }
  }

  /// The documents of an index by id, as they were sent.
  func documents(_ index: String = "logs") throws -> [String: String] {
    let lines = try scratch.lines(of: "documents").map { $0.split(separator: " ", maxSplits: 2) }
    let pairs = lines.filter { $0[0] == index }.map { (String($0[1]), String($0[2])) }
    return try Dictionary(pairs) { throw Failure("stored twice: \($0) \($1)") }
  }

  /// A document with `"busy":N` is refused N times with 429. Indexes are created when they are
  /// written to, except `missing`; `closed` cannot be written.
  private static let program = #"""
    import base64, json, os, re, sys
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from threading import Lock
    PORT, FILE = int(sys.argv[1]), sys.argv[2]
    USER = "Basic " + base64.b64encode(b"elastic:secret").decode()
    KINDS = {bool: "boolean", int: "long", float: "float", str: "text"}
    lock, indexes, types, refused = Lock(), {}, {}, {}

    class Bad(Exception):
      def __init__(self, status, kind, reason, cause=None):
        self.status, self.error = status, {"type": kind, "reason": reason}
        if cause: self.error["caused_by"] = {"type": cause[0], "reason": cause[1]}

    def mapped(index, key, source):
      if not isinstance(source, dict):
        raise Bad(400, "mapper_parsing_exception", "failed to parse",
          ("not_x_content_exception", "not an object"))
      known = types.setdefault(index, {})
      for name, value in source.items():
        kind = known.setdefault(name, KINDS.get(type(value), "object")) if value is not None else None
        if kind == "long" and isinstance(value, str) and not re.fullmatch(r"-?\d+", value):
          raise Bad(400, "mapper_parsing_exception",
            f"failed to parse field [{name}] of type [long] in document with id '{key}'",
            ("illegal_argument_exception", f'For input string: "{value}"'))

    def create(index, key, text):
      if index == "missing":
        raise Bad(404, "index_not_found_exception", f"no such index [{index}]")
      if index == "closed":
        raise Bad(403, "cluster_block_exception", f"index [{index}] blocked by: [FORBIDDEN/8/index write (api)];")
      source = json.loads(text)
      if isinstance(source, dict) and refused.get(key, 0) < source.get("busy", 0):
        refused[key] = refused.get(key, 0) + 1
        raise Bad(429, "es_rejected_execution_exception", "rejected execution of coordinating operation")
      mapped(index, key, source)
      if key in indexes.setdefault(index, {}):
        raise Bad(409, "version_conflict_engine_exception", f"[{key}]: version conflict, document already exists")
      indexes[index][key] = text
      return f"{index} {key} {text}\n"

    def bulk(index, body):
      if not body.endswith(b"\n"):
        raise Bad(400, "illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]")
      lines = body.decode().split("\n")[:-1]
      items, log = [], ""
      for number in range(0, len(lines), 2):
        action = json.loads(lines[number] or "0")
        if not isinstance(action, dict) or list(action) != ["create"] or set(action["create"]) != {"_id"}:
          raise Bad(400, "illegal_argument_exception", f"Malformed action/metadata line [{number + 1}]")
        if number + 1 == len(lines):
          raise Bad(400, "illegal_argument_exception", "no source")
        key = action["create"]["_id"]
        item = {"_index": index, "_id": key, "status": 201}
        try:
          log += create(index, key, lines[number + 1])
        except Bad as bad:
          item.update(status=bad.status, error=bad.error)
        items.append({"create": item})
      # In one call: the test may kill this process between two.
      file = os.open(FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
      os.write(file, log.encode())
      os.fsync(file)
      os.close(file)
      return {"took": 1, "errors": any("error" in item["create"] for item in items), "items": items}

    class Handler(BaseHTTPRequestHandler):
      protocol_version = "HTTP/1.1"
      def log_message(self, *rest): pass
      def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
      def judge(self, work):
        try:
          if self.headers["Authorization"] not in (USER, "ApiKey key"):
            raise Bad(401, "security_exception", "unable to authenticate user")
          with lock: self.answer(200, work())
        except Bad as bad:
          self.answer(bad.status, {"error": bad.error, "status": bad.status})
      def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        index, _, name = self.path[1:].partition("/")
        def work():
          if self.headers["Content-Type"] != "application/x-ndjson" or name != "_bulk":
            raise Bad(406, "media_type_header_exception", "Invalid media-type value on header [Content-Type]")
          return bulk(index, body)
        self.judge(work)
      def do_GET(self):
        index, _, name = self.path[1:].partition("/")
        def work():
          found = indexes.get(index, {})
          if name == "_count": return {"count": len(found)}
          if name.startswith("_doc/") and name[5:] in found:
            return {"_id": name[5:], "found": True, "_source": json.loads(found[name[5:]])}
          match = re.fullmatch(r"_search\?q=(\w+):(\w+)", name)
          if not match: raise Bad(404, "resource_not_found_exception", name)
          hits = [{"_id": key, "_source": json.loads(text)} for key, text in found.items()]
          hits = [hit for hit in hits if str(hit["_source"].get(match[1])) == match[2]]
          return {"hits": {"total": {"value": len(hits)}, "hits": hits}}
        self.judge(work)

    if os.path.exists(FILE):
      for line in open(FILE):
        index, key, text = line[:-1].split(" ", 2)
        mapped(index, key, json.loads(text))
        indexes.setdefault(index, {})[key] = text
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
    print("ready", flush=True)
    server.serve_forever()
    """#
}
