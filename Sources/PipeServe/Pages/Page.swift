internal import PipeGateway

/// A self-contained page built into the program.
enum Page {
  case dashboard, docs, openAPI

  func response() -> Response {
    switch self {
    case .dashboard: Page.html(PackageResources.dashboard_html)
    case .docs: Page.html(PackageResources.docs_html)
    case .openAPI: Response(200, Response.json, PackageResources.openapi_json)
    }
  }

  // Browsers apply only styles and scripts with the nonce of this response: no data can become one.
  private static func html(_ page: [UInt8]) -> Response {
    let number = String(UInt64.random(in: 0 ... .max), radix: 36)
    let mark = "NONCE".utf8
    var body: [UInt8] = []
    var rest = page[...]
    while let next = rest.firstIndex(of: mark.first!) {
      body += rest[..<next]
      let isMark = rest[next...].starts(with: mark)
      body += isMark ? Array(number.utf8) : [rest[next]]
      rest = rest[(next + (isMark ? mark.count : 1))...]
    }
    body += rest
    let policy =
      "default-src 'none'; style-src 'nonce-\(number)'; script-src 'nonce-\(number)'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return Response(
      200, "text/html; charset=utf-8", body,
      headers: [("content-security-policy", policy)])
  }
}
