#!/bin/sh
# Builds pipe, stores a small sample in a temporary queue, drains it with four concurrent consumers, and
# checks that each line came out exactly once; then does the same over HTTP if curl is installed. Set PIPE to use a
# binary that is already built.
set -eu

fail() {
  echo "quickstart: $*" >&2
  exit 1
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
if [ -z "${PIPE:-}" ]; then
  command -v swift > /dev/null || fail "no swift in PATH; install a toolchain, or set PIPE to a built binary"
  echo "Building (some minutes the first time) ..."
  (cd "$root" && swift build -c release -Xswiftc -static-executable -Xlinker -s) || fail "the build failed"
  PIPE=$root/.build/release/pipe
fi
command -v "$PIPE" > /dev/null || fail "$PIPE cannot be executed"

work=$(mktemp -d)
gateway=
finish() {
  [ -z "$gateway" ] || kill "$gateway" 2> /dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
PIPE_QUEUE=$work/queue
LC_ALL=C
export PIPE_QUEUE LC_ALL

# The sample: 300 records of all priorities and odd spacing, one id request, one bad line.
awk 'BEGIN {
  split("HIGH MEDIUM LOW", word, " ")
  for (i = 1; i <= 300; i++)
    printf "{\"n\": %d, \"price\":%d.50,\"priority\":\"%s\"}\n", i, i, word[i % 3 + 1]
}' > "$work/records"
{
  sed 150q "$work/records"
  echo '{"ids":[9007199254740993,2,3,4,5],"priority":"HIGH"}'
  echo '{"n": 301,'
  sed 1,150d "$work/records"
} > "$work/sample"
{
  cat "$work/records"
  printf '%s\n' 9007199254740993 2 3 4 5
} | sort > "$work/expected"

echo
echo "1. ingest | enqueue: $(($(wc -l < "$work/sample"))) lines, one of them bad, into $PIPE_QUEUE"
"$PIPE" ingest --reject "$work/rejected" "$work/sample" > "$work/entries" ||
  fail "ingest ended with status $?"
"$PIPE" enqueue < "$work/entries" > "$work/receipts" || fail "enqueue ended with status $?"
[ "$(cat "$work/rejected")" = '{"n": 301,' ] || fail "the rejected line was changed"
[ "$(wc -l < "$work/receipts")" -eq 301 ] || fail "there is not one receipt for each valid line"
echo "   $(($(wc -l < "$work/receipts"))) receipts, the first: $(sed 1q "$work/receipts")"
echo "   rejected and kept: $(cat "$work/rejected")"

sed 's/.*"ingestion_id":"\([^"]*\)".*/\1/' "$work/receipts" > "$work/ids"
request=$(sed -n 151p "$work/ids")
echo
echo "2. status of the id request $request:"
"$PIPE" status "$request" | sed 's/^/   /'

echo
echo "3. four concurrent consumers, each running cat for five items at a time:"
consumers=
for number in 1 2 3 4; do
  "$PIPE" consume --size 5 -- cat > "$work/out.$number" &
  consumers="$consumers $!"
done
for consumer in $consumers; do
  wait "$consumer" || fail "a consumer ended with status $?"
done
for number in 1 2 3 4; do
  echo "   consumer $number took $(($(wc -l < "$work/out.$number"))) items"
done

echo
echo "4. checks:"
cat "$work"/out.? | sort | cmp -s "$work/expected" - || fail "the output differs from the input"
echo "   each of $(($(wc -l < "$work/expected"))) items came out exactly once, byte for byte"
xargs "$PIPE" status < "$work/ids" > "$work/statuses" || fail "status ended with status $?"
completed=$(grep -c '^{"ingestion_id":"[^"]*","status":"completed"' "$work/statuses") || true
[ "$completed" -eq 301 ] || fail "only $completed of 301 entries are completed"
echo "   all $completed entries are completed"
[ -z "$("$PIPE" list)" ] || fail "the queue is not empty"
echo "   the queue is empty"

echo
echo "5. an excerpt of stats:"
"$PIPE" stats > "$work/stats" || fail "stats ended with status $?"
grep -E '^(items|done|latency|p50|p99) ' "$work/stats" | sed 's/^/   /'
[ "$("$PIPE" stats --json | grep -c '"acknowledged":305,"failed":0')" -eq 1 ] ||
  fail "stats does not count 305 acknowledged items"

echo
if command -v curl > /dev/null; then
  mkfifo "$work/log"
  "$PIPE" serve --port 0 2> "$work/log" &
  gateway=$!
  exec 3< "$work/log"
  read -r line <&3 || fail "no gateway"
  url=${line#*listening on }
  [ "$url" != "$line" ] || fail "$line"
  echo "6. a gateway at $url:"
  curl -sS -H 'Content-Type: application/json' -d '{"ids":[1,2,3,4,5]}' "$url/ingest" > "$work/receipt" ||
    fail "curl ended with status $?"
  echo "   POST /ingest: $(cat "$work/receipt")"
  "$PIPE" consume > "$work/out" || fail "consume ended with status $?"
  [ "$(paste -s -d, "$work/out")" = 1,2,3,4,5 ] || fail "the output differs from what was posted"
  id=$(sed 's/.*"ingestion_id":"\([^"]*\)".*/\1/' "$work/receipt")
  curl -sS "$url/status/$id" > "$work/status" || fail "curl ended with status $?"
  grep -q '","status":"completed","batches"' "$work/status" || fail "not completed: $(cat "$work/status")"
  echo "   a consumer took 5 items, and GET /status/$id says completed"
  kill "$gateway"
  wait "$gateway" || fail "the gateway ended with status $?"
  gateway=
  echo "   it has ended"
else
  echo "6. skipped, since curl is not installed"
fi

echo
echo "All checks passed. Next: man $root/man/pipe.1"
