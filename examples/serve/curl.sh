#!/bin/sh
# A tour of the gateway with curl: starts a gateway on a free port with a queue of its own, sends requests and
# stops it. Prints each command and its response. Set PIPE to a binary that is not in the PATH.
set -eu

fail() {
  echo "curl.sh: $*" >&2
  exit 1
}

pipe=${PIPE:-pipe}
for program in "$pipe" curl; do
  command -v "$program" > /dev/null || fail "$program cannot be executed"
done

work=$(mktemp -d)
gateway=
finish() {
  [ -z "$gateway" ] || kill "$gateway" 2> /dev/null || true
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

say() { printf '\n# %s\n' "$*"; }

# Prints a command as it could be typed, then runs it. Its output ends with a newline.
show() {
  line='$'
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_./:@=-]*) line="$line '$word'" ;;
      *) line="$line $word" ;;
    esac
  done
  printf '%s\n' "$line"
  printf '%s\n' "$("$@")"
}

# Prints the value of a member of a JSON line. Sufficient for ids.
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

mkfifo "$work/log"
"$pipe" serve --port 0 -q "$work/queue" 2> "$work/log" &
gateway=$!
exec 3< "$work/log"
read -r listening <&3 || fail "no gateway"
url=${listening#*listening on }
[ "$url" != "$listening" ] || fail "$listening"
echo "The gateway listens on $url"

say "A record: any object. 202 means that it is on disk."
show curl -s --json '{"source":"kitchen","data":{"temperature":25.50}}' "$url/ingest"

say "An id request: each id is a separate item. An equal request within 300 s gets the same response."
show curl -s --json '{"ids":[1,2,3,4,5],"priority":"HIGH"}' "$url/ingest" | tee "$work/shown"
id=$(member ingestion_id < "$work/shown")
show curl -s --json '{"ids":[1,2,3,4,5],"priority":"HIGH"}' "$url/ingest"

say "A key prevents a record from being stored twice if a response is lost and the request is sent again:"
show curl -s -H 'Idempotency-Key: order-17' --json '{"order":17}' "$url/ingest"
show curl -s -H 'Idempotency-Key: order-17' --json '{"order":17}' "$url/ingest"

say "Many records in one request, one per line. An invalid line does not stop the others."
printf '%s\n' '{"n":1}' '{"n":' '{"n":3}' > "$work/lines"
show curl -s -H 'Content-Type: application/x-ndjson' --data-binary "@$work/lines" "$url/ingest"

say "Any JSON value."
show curl -s --json '"disk is hot"' "$url/log"

say "The status of the id request. No consumer has run yet."
show curl -s "$url/status/$id"
echo '$ pipe consume --size 3 -n 1'
"$pipe" consume --size 3 -n 1 -q "$work/queue"
show curl -s "$url/status/$id"

say "Errors give a reason. -i shows the status and headers."
show curl -si --json '{"ids":[]}' "$url/ingest" | sed '/^content-security/d; /^referrer/d; /^x-content/d'

say "Health: whether entries can be stored. Then an excerpt of the metrics for Prometheus:"
show curl -s "$url/health"
echo "\$ curl -s $url/metrics | grep ^ing"
curl -s "$url/metrics" | grep ^ing

say "The end: pending requests are answered first. In a browser, / is the dashboard and /docs the manual."
kill "$gateway"
wait "$gateway" || fail "the gateway ended with status $?"
gateway=
printf '%s\n' "$listening"
cat <&3
