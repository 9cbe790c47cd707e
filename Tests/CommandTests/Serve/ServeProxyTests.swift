import Foundation
import Glibc
import TestSupport
import Testing

@Suite("nginx in front of the gateway", .needs("nginx", "openssl", "curl"))
struct ServeProxyTests {
  @Test("a record posted over TLS and HTTP/2 gets 202 and is in the queue")
  func post() throws {
    let proxy = try Proxy()
    let run = try proxy.curl("\(Proxy.secret) --json '{\"n\":1}' URL/ingest")
    #expect(normalized(run.output) == #"{"ingestion_id":"ULID"} 202 2"#, run.story)
    try proxy.scratch.pipe("consume").expect("{\"n\":1}\n")
    try proxy.curl("-o answer --json '{\"n\":1}' URL/ingest").expect(" 401 2")
  }

  @Test("nginx refuses bodies longer than the gateway takes, and passes on the others")
  func long() throws {
    let proxy = try Proxy()
    try proxy.scratch.write([UInt8](repeating: 0x31, count: 1 << 20), to: "long")
    try proxy.scratch.write([UInt8](repeating: 0x31, count: (1 << 20) + 1), to: "longer")
    let send = "\(Proxy.secret) -o answer -H 'Content-Type: application/json' --data-binary"
    try proxy.curl("\(send) @long URL/log").expect(" 202 2")
    try proxy.curl("\(send) @longer URL/log").expect(" 413 2")
  }

  @Test("nginx can add the token itself, and then refuses pages of other sites")
  func adds() throws {
    let proxy = try Proxy(
      #"-e 's|# \(proxy_set_header Auth\)|\1|; s|# \(if .*origin\)|\1|"#
        + "; s|TOKEN|\(Proxy.token)|'")
    let post = "-o answer --json 1 URL/log"
    try proxy.curl(post).expect(" 202 2")
    try proxy.curl("\(post) -H 'Origin: https://pipe.example.org'").expect(" 202 2")
    try proxy.curl("\(post) -H 'Origin: https://elsewhere.example'").expect(" 403 2")
  }

  @Test("server-sent events pass nginx as they are sent")
  func events() throws {
    let proxy = try Proxy()
    try proxy.scratch.sh(
      """
      curl -sN --unix-socket tls --cacert certificate.pem \(Proxy.secret) \\
        https://pipe.example.org/events | grep -m 2 '^data:' | wc -l
      """
    ).expect("2\n")
  }
}

/// The nginx site of examples/serve on a Unix socket, with its own certificate; ends with the test.
private final class Proxy {
  static let token = "a-token-of-sixteen"
  static let secret = "-H 'Authorization: Bearer \(token)'"
  let scratch: Scratch
  private let gateway: Gateway
  private let nginx: Child

  /// `edits` are options of sed.
  init(_ edits: String = "") throws {
    scratch = try Scratch()
    try scratch.sh("umask 077; echo \(Proxy.token) > token").expect("")
    gateway = try Gateway(scratch, "--token-file", "token")
    try Proxy.configure(scratch, gateway, edits)
    nginx = try scratch.start(["nginx", "-p", scratch.path, "-c", "nginx.conf"])
    while let line = nginx.errorLine() {
      if line.contains("start worker process ") { return }
    }
    throw Failure("no nginx: \(nginx.finish())")
  }

  private static func configure(_ scratch: Scratch, _ gateway: Gateway, _ edits: String) throws {
    let around = """
      daemon off;
      pid nginx.pid;
      \(getuid() == 0 ? "user root;" : "")
      error_log stderr notice;
      events {}
      http {
        access_log off;
        client_body_temp_path body;
        proxy_temp_path proxy;
        fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi;
        scgi_temp_path scgi;
        include site.conf;
      }

      """
    try scratch.write(around, to: "nginx.conf")
    try scratch.sh(
      """
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 \
        -subj /CN=pipe.example.org -addext subjectAltName=DNS:pipe.example.org \
        -keyout key.pem -out certificate.pem
      sed -e 's|listen 443 |listen unix:\(scratch.path)/tls |' \
        -e 's|127.0.0.1:8000|127.0.0.1:\(gateway.port)|' \
        -e 's|/etc/ssl/certs/pipe.pem|\(scratch.path)/certificate.pem|' \
        -e 's|/etc/ssl/private/pipe.key|\(scratch.path)/key.pem|' \(edits) \
        '\(ServeExampleTests.directory)/nginx.conf' > site.conf
      """
    ).expect("", errors: nil)
  }

  /// Sends a request; `URL` is replaced. Prints the response, its status and the HTTP version.
  func curl(_ options: String) throws -> Run {
    try scratch.sh(
      """
      curl -s --unix-socket tls --cacert certificate.pem -w ' %{http_code} %{http_version}' \
        \(options.replacing("URL", with: "https://pipe.example.org"))
      """)
  }
}
