import Foundation
import Glibc
import TestSupport
import Testing

/// The S3 of moto, a stand-in: it keeps everything in memory, speaks the protocol, and checks
/// signatures like the real one. It has one bucket, `logs`, which keeps overwritten objects, and
/// ends with the test.
final class S3Server {
  private let scratch: Scratch
  private let child: Child
  let environment: [String: String]

  init(_ scratch: Scratch) throws {
    self.scratch = scratch
    let program = """
      import os, sys
      # Three requests may be unsigned: those that create the user who signs.
      os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "3"
      import boto3, json
      from moto.server import ThreadedMotoServer
      server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
      server.start()
      url = "http://127.0.0.1:%d" % server.get_host_and_port()[1]
      iam = boto3.client("iam", endpoint_url=url, region_name="us-east-1",
        aws_access_key_id="none", aws_secret_access_key="none")
      iam.create_user(UserName="pipe")
      everything = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
      iam.put_user_policy(UserName="pipe", PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": everything}))
      key = iam.create_access_key(UserName="pipe")["AccessKey"]
      s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
      s3.create_bucket(Bucket="logs")
      s3.put_bucket_versioning(Bucket="logs", VersioningConfiguration={"Status": "Enabled"})
      print(url, key["AccessKeyId"], key["SecretAccessKey"], flush=True)
      sys.stdin.read()
      """
    child = try scratch.start(
      ["python3", "-c", program], ["PYTHONPATH": S3Server.modules, "no_proxy": "*"])
    let words = (child.line() ?? "").split(separator: " ").map(String.init)
    guard words.count == 3 else { throw Failure("no server: \(child.finish())") }
    environment = [
      "AWS_ENDPOINT_URL": words[0], "AWS_ACCESS_KEY_ID": words[1],
      "AWS_SECRET_ACCESS_KEY": words[2], "PYTHONPATH": S3Server.modules,
      "PYTHONDONTWRITEBYTECODE": "1", "no_proxy": "*",
    ]
  }

  /// Responds to nothing until it is resumed.
  func pause() { child.signal(SIGSTOP) }

  func resume() { child.signal(SIGCONT) }

  /// For each object a line with its name, then its own lines; an overwritten object comes twice.
  func objects() throws -> [String] {
    let program = """
      import boto3, os
      s3 = boto3.client("s3", region_name="us-east-1")
      for page in s3.get_paginator("list_object_versions").paginate(Bucket="logs"):
        for object in page.get("Versions", []):
          print(object["Key"])
          body = s3.get_object(
            Bucket="logs", Key=object["Key"], VersionId=object["VersionId"])["Body"].read()
          print(body.decode(), end="")
      """
    return try scratch.run(["python3", "-c", program], environment).expect().lines
  }

  private static let modules = ProcessInfo.processInfo.environment["PYTHONPATH"] ?? ""
}
