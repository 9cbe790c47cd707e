import Foundation
import Testing

@Suite("what schemathesis makes of the OpenAPI file")
struct OpenAPISchemathesisTests {
  /// What OpenAPI has no words for.
  private static let hooks = #"""
    import json, re, uuid
    import schemathesis

    @schemathesis.serializer("application/x-ndjson")
    def write(context, value):
        # What is no list of lines is no good line either.
        if not isinstance(value, list):
            return b"}" + json.dumps(value).encode()
        return b"".join(json.dumps(line).encode() + b"\n" for line in value)

    @schemathesis.deserializer("application/x-ndjson")
    def read(context, response):
        return [json.loads(line) for line in response.content.splitlines()]

    def whole(value):
        # A schema takes 1.0 for an integer too.
        return int(value) if isinstance(value, float) and value.is_integer() else value

    @schemathesis.hook
    def before_call(context, case, kwargs):
        for line in case.body if isinstance(case.body, list) else [case.body]:
            if isinstance(line, dict) and isinstance(line.get("ids"), list):
                line["ids"] = [whole(id) for id in line["ids"]]
        # A key is for one entry, and a used one belongs to the body that it was used for.
        key = (case.headers or {}).get("Idempotency-Key")
        if key and case.media_type == "application/x-ndjson":
            del case.headers["Idempotency-Key"]
        elif key and re.fullmatch("[!-~]([ -~]{0,4094}[!-~])?", key):
            case.headers["Idempotency-Key"] = key[:4000] + uuid.uuid4().hex

    """#

  private static let token = "a-token-for-schemathesis"

  @Test(
    "of thousands of requests, good and bad, none is answered otherwise than it says",
    .needsModule("schemathesis", of: "schemathesis"), arguments: [true, false])
  func contract(hasToken: Bool) throws {
    let scratch = try Scratch()
    try scratch.write(Self.hooks, to: "hooks.py")
    try scratch.sh("umask 077; cat > token", input: Self.token).expect("")
    let options = hasToken ? ["--token-file", "token"] : []
    let gateway = try Gateway(scratch, options: options)
    // Without a token nobody may retry, whatever is asked.
    let more =
      hasToken
      ? ["-H", "Authorization: Bearer \(Self.token)"] : ["--exclude-path", "/retry/{id}"]
    let run = try scratch.run(
      ["python3", "-m", "schemathesis.cli", "run", gateway.address + "/openapi.json"] + more + [
        "--checks", "all", "--max-time", "14", "--seed", "1", "--continue-on-failure", "--no-color",
        // It would wait for the end of a stream that has none.
        "--generation-database", "none", "--exclude-path", "/events",
      ],
      [
        "PYTHONPATH": ProcessInfo.processInfo.environment["PYTHONPATH"] ?? "",
        "SCHEMATHESIS_HOOKS": "hooks",
      ])
    run.expect(nil, errors: nil)
    #expect(run.output.contains(#/Test cases:\n +(\d+) generated, \1 passed/#), run.story)
    #expect(!run.output.contains("Failed to extract"), run.story)
    // It still does its work.
    #expect(try gateway.ask("GET", "/health").status == 200)
    try scratch.sh("pipe consume > items; test -s items").expect()
  }
}
