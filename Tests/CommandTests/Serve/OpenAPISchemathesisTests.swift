import Foundation
import TestSupport
import Testing

@Suite("The OpenAPI file under schemathesis")
struct OpenAPISchemathesisTests {
  /// Rules that OpenAPI cannot express.
  private static let hooks = #"""
    import json, re, uuid
    import schemathesis

    @schemathesis.serializer("application/x-ndjson")
    def write(context, value):
        # A value that is not a list of lines is not a good line either.
        if not isinstance(value, list):
            return b"}" + json.dumps(value).encode()
        return b"".join(json.dumps(line).encode() + b"\n" for line in value)

    @schemathesis.deserializer("application/x-ndjson")
    def read(context, response):
        return [json.loads(line) for line in response.content.splitlines()]

    def whole(value):
        # A schema accepts 1.0 as an integer as well.
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
    "thousands of good and bad requests get only responses that the OpenAPI file allows",
    .needsModule("schemathesis", of: "schemathesis"), arguments: [true, false])
  func contract(hasToken: Bool) throws {
    let scratch = try Scratch()
    try scratch.write(Self.hooks, to: "hooks.py")
    try scratch.sh("umask 077; cat > token", input: Self.token).expect("")
    let options = hasToken ? ["--token-file", "token"] : []
    let gateway = try Gateway(scratch, options: options)
    // Without a token nothing may be retried, whatever is requested.
    let more =
      hasToken
      ? ["-H", "Authorization: Bearer \(Self.token)"] : ["--exclude-path", "/retry/{id}"]
    let run = try scratch.run(
      ["python3", "-m", "schemathesis.cli", "run", gateway.address + "/openapi.json"] + more + [
        "--checks", "all", "--max-time", "14", "--seed", "1", "--continue-on-failure", "--no-color",
        // It would wait for the end of an endless stream.
        "--generation-database", "none", "--exclude-path", "/events",
      ],
      [
        "PYTHONPATH": ProcessInfo.processInfo.environment["PYTHONPATH"] ?? "",
        "SCHEMATHESIS_HOOKS": "hooks",
      ])
    run.expect(nil, errors: nil)
    #expect(run.output.contains(#/Test cases:\n +(\d+) generated, \1 passed/#), run.story)
    #expect(!run.output.contains("Failed to extract"), run.story)
    // The gateway still works.
    #expect(try gateway.ask("GET", "/health").status == 200)
    try scratch.sh("pipe consume > items; test -s items").expect()
  }
}
