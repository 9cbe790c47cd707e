-- For wrk: POST /ingest with the first 5,000 lines of $RECORDS, repeatedly.
-- Prints: requests, seconds, p50 and p99 in microseconds, errors.
local requests, next = {}, 0

function init()
  for line in io.lines(os.getenv("RECORDS")) do
    requests[#requests + 1] = wrk.format("POST", "/ingest", {["Content-Type"] = "application/json"}, line)
    if #requests == 5000 then break end
  end
end

function request()
  next = next % #requests + 1
  return requests[next]
end

function done(summary, latency)
  local e = summary.errors
  print(string.format("%d %.6f %d %d %d", summary.requests, summary.duration / 1e6, latency:percentile(50),
    latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
