import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Recorded histograms")
struct RecordedHistogramTests {
  /// Adds a closed log of 2,000 batches, with times from a microsecond to 30 days.
  private static let preparation = #"""
    import math, os, random, struct, time
    table = []
    for byte in range(256):
      for _ in range(8): byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
      table.append(byte)
    def checksum(data):
      crc = 0xffffffff
      for byte in data: crc = crc >> 8 ^ table[(crc ^ byte) & 255]
      return crc ^ 0xffffffff
    random.seed(7)
    now = int(time.time() * 1e6)
    def some(): return int(math.exp(random.uniform(0, math.log(2592000000000 / 2))))
    with open("queue/stats/log.1", "wb") as log, open("times", "w") as times:
      for _ in range(2000):
        service, items, wait = some(), random.randint(1, 9), some()
        line = f" {now} - done {service} {items} {wait}*{items}".encode()
        log.write(b"\n%08x" % checksum(line) + line)
        print(service, items, wait, file=times)
    """#

  /// Reads the folded file like any HdrHistogram, and compares it with the same times.
  private static let comparison = #"""
    import base64, struct, zlib
    from hdrh.histogram import HdrHistogram
    expected = {kind: [] for kind in ("wait", "service", "total", "batches")}
    for line in open("times"):
      service, items, wait = map(int, line.split())
      expected["wait"] += [wait] * items
      expected["service"] += [service] * items
      expected["total"] += [wait + service] * items
      expected["batches"] += [service]
    for line in open("queue/stats/1.1-1"):
      columns = line.split()
      if columns[1] == "end": continue
      kind, code = columns[4], base64.b64decode(columns[6])
      packed = zlib.compress(code)
      # The form for sending: compressed, with a header of its own.
      sent = struct.pack(">II", 0x1c849304 | 0x10, len(packed)) + packed
      found = HdrHistogram.decode(base64.b64encode(sent))
      values = sorted(expected.pop(kind))
      same = HdrHistogram(1, 2592000000000, 3)
      for value in values: same.record_value(value)
      assert found.get_total_count() == len(values), kind
      for percent in (0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 99.99, 100):
        value = found.get_value_at_percentile(percent)
        assert value == same.get_value_at_percentile(percent), (kind, percent)
        exact = values[max(0, min(len(values) - 1, int(percent / 100 * len(values) + 0.5) - 1))]
        assert abs(value - exact) <= exact * 0.001 + 1, (kind, percent, value, exact)
      print(kind, "agrees")
    assert not expected, expected
    """#

  private var python: [String: String] {
    ["PYTHONPATH": ProcessInfo.processInfo.environment["PYTHONPATH"] ?? ""]
  }

  @Test(
    "another HdrHistogram library reads the recorded histograms with the same percentiles",
    .needsModule("hdrh", of: "hdrhistogram"))
  func percentiles() throws {
    let scratch = try Scratch()
    try scratch.store("1", "2")
    try scratch.pipe("consume", "-n", "1").expect("1\n")
    try scratch.run(["python3", "-c", RecordedHistogramTests.preparation]).expect("")
    try scratch.sh("rm queue/stats/log; truncate -s 1M queue/stats/log").expect("")
    try wait(until: { try isResting(scratch.path("queue/stats/log.1")) }, "a log that rests")
    // Closes the log and folds the one before.
    try scratch.pipe("consume").expect("2\n")
    try scratch.run(["python3", "-c", RecordedHistogramTests.comparison], python).expect(
      "wait agrees\nservice agrees\ntotal agrees\nbatches agrees\n")
  }

  // Whether it has been untouched for the two seconds after which it is folded.
  private func isResting(_ path: String) throws -> Bool {
    var found = stat()
    guard lstat(path, &found) == 0 else { throw Failure("no \(path)") }
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let seconds = now.tv_sec - found.st_ctim.tv_sec
    return seconds > 2 || seconds == 2 && now.tv_nsec > found.st_ctim.tv_nsec
  }
}
