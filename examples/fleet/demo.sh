#!/bin/bash
# Builds a fleet of five hosts in network namespaces on this machine, and breaks it: two workers share
# a queue in PostgreSQL, a worker is cut off, the primary dies, and a producer goes on meanwhile.
# Needs root, iproute2, jq, PostgreSQL 13 or newer with its tools, pipe and pipe-postgres.
#
#   examples/fleet/demo.sh [DIRECTORY]     default: a new directory under /tmp, removed at the end

set -euo pipefail

fail() {
  echo "demo.sh: $*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail "needs root, for network namespaces"
for tool in ip jq psql pipe setpriv awk; do
  command -v "$tool" > /dev/null || fail "$tool is not installed"
done
tools=$(find /usr/lib/postgresql -name initdb 2> /dev/null | sort -V | tail -n 1)
tools=$(dirname "${tools:-$(command -v initdb || echo missing)}")
[ -x "$tools/initdb" ] || fail "initdb of PostgreSQL is not installed"

if [ $# -gt 0 ]; then dir=$1 && mkdir -p "$dir"; else dir=$(mktemp -d /tmp/pipe-fleet.XXXXXX); fi
# Namespaces are the machine's: several demos may run.
tag=pf$$
hosts="db1 db2 w1 w2 p"
# shellcheck disable=SC2329
clean() {
  [ $? = 0 ] || tail -n 20 "$dir"/log/* >&2 || true
  for host in $hosts; do
    ip netns pids "$tag-$host" 2> /dev/null | xargs -r kill -KILL 2> /dev/null || true
  done
  for host in switch $hosts; do ip netns del "$tag-$host" 2> /dev/null || true; done
  [ $# -gt 0 ] || rm -rf "$dir"
}
if [ $# -gt 0 ]; then trap 'clean keep' EXIT; else trap clean EXIT; fi
trap 'exit 1' INT TERM

on() {
  local host=$1
  shift
  ip netns exec "$tag-$host" "$@"
}
as_postgres() {
  local host=$1
  shift
  on "$host" setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"
}
step() { printf '\n%s. %s\n' "$1" "$2"; }
# Waits for a line in a file.
await() { : >> "$2" && grep -q -m 1 "$1" < <(tail --pid=$$ -n +1 -F "$2" 2> /dev/null); }
note() { printf '   %s\n' "$*"; }

step 1 "five hosts at one switch"
ip netns add "$tag-switch"
ip -n "$tag-switch" link add name sw0 type bridge
ip -n "$tag-switch" link set sw0 up
number=0
for host in $hosts; do
  number=$((number + 1))
  ip netns add "$tag-$host"
  ip -n "$tag-$host" link set lo up
  ip -n "$tag-$host" link add eth0 type veth peer name "to-$host" netns "$tag-switch"
  ip -n "$tag-$host" addr add "10.77.0.$number/24" dev eth0
  ip -n "$tag-$host" link set eth0 up
  ip -n "$tag-switch" link set "to-$host" master sw0
  ip -n "$tag-switch" link set "to-$host" up
done
note "db1 10.77.0.1, db2 10.77.0.2, workers w1 and w2, producer p"

step 2 "a primary on db1, and a standby on db2 that confirms each commit"
chmod 755 "$dir"
install -d -o postgres -m 700 "$dir/db1" "$dir/db2" "$dir/log"
as_postgres db1 "$tools/initdb" -D "$dir/db1" -A trust -E UTF8 -U postgres --no-sync > "$dir/initdb"
echo "host all,replication all 10.77.0.0/24 trust" >> "$dir/db1/pg_hba.conf"
cat >> "$dir/db1/postgresql.conf" << EOF
listen_addresses = '*'
unix_socket_directories = ''
EOF
serve() { # HOST
  as_postgres "$1" "$tools/pg_ctl" -D "$dir/$1" -l "$dir/log/$1" -w start > /dev/null
}
serve db1
as_postgres db2 "$tools/pg_basebackup" -D "$dir/db2" -R --no-sync \
  -d "host=10.77.0.1 user=postgres application_name=db2"
serve db2
sql() { # HOST QUERY
  on "$1" psql -h 10.77.0.1 -U postgres -XAtqc "$2" postgres
}
sql db1 "alter system set synchronous_standby_names = 'ANY 1 (db2)'"
sql db1 "select pg_reload_conf()" > /dev/null

queue='postgres://postgres@10.77.0.1,10.77.0.2/postgres/mail?target_session_attrs=read-write'
export PIPE_QUEUE=$queue
on w1 pipe init --backoff 0s..0s --lost 15s
note "$queue"

step 3 "one timeline for both workers: [1,2,3] [6,7,8] [9,4,5], 5 s apart"
# In the background, as one process that can be killed.
start() { # HOST COMMAND
  local host=$1
  shift
  HOST=$host DIR=$dir exec ip netns exec "$tag-$host" "$@" 2>> "$dir/log/$host"
}
worker() { # HOST OPTIONS -- HANDLER
  local host=$1
  shift
  start "$host" pipe consume --follow "$@" &
}
# shellcheck disable=SC2016
batch='echo "$(date +%s.%N) $HOST [$(paste -sd , -)]" >> "$DIR/timeline"'
echo '{"ids":[1,2,3,4,5],"priority":"MEDIUM"}' | on p pipe enqueue --raw > "$dir/receipts"
worker w1 --size 3 --every 5s -- sh -c "$batch"
workers=$!
worker w2 --size 3 --every 5s -- sh -c "$batch"
workers="$workers $!"
# The second entry comes after the first batch, and before the next one is due.
await '1,2,3' "$dir/timeline"
echo '{"ids":[6,7,8,9],"priority":"HIGH"}' | on p pipe enqueue --raw >> "$dir/receipts"
ids=$(jq -r .ingestion_id "$dir/receipts")
# shellcheck disable=SC2086
on p pipe status --wait $ids > /dev/null
awk '{ if (!start) start = $1; printf "   %.1f s: %s took %s\n", $1 - start, $2, $3 }' "$dir/timeline"
[ "$(cut -d ' ' -f 3 "$dir/timeline" | paste -sd ' ')" = "[1,2,3] [6,7,8] [9,4,5]" ] ||
  fail "the batches came in another order"
# shellcheck disable=SC2086
kill $workers
# shellcheck disable=SC2086
wait $workers

step 4 "a worker is cut off: it ends its command before another gets the item"
# shellcheck disable=SC2016
slow='trap "echo $HOST ended >> $DIR/cut; exit 1" TERM
echo "$HOST began" >> "$DIR/cut"; [ "$HOST" = w2 ] && exit; sleep 600 & wait'
echo '"slow"' | on p pipe enqueue --raw > "$dir/receipts"
worker w1 -- sh -c "$slow"
cut_off=$!
await 'w1 began' "$dir/cut"
ip -n "$tag-switch" link set to-w1 down
worker w2 -- sh -c "$slow"
workers=$!
on p pipe status --wait "$(jq -r .ingestion_id "$dir/receipts")" > /dev/null
sed 's/^/   /' "$dir/cut"
[ "$(paste -sd , "$dir/cut")" = "w1 began,w1 ended,w2 began" ] || fail "two workers had the item at once"
kill "$workers"
wait "$workers"
wait "$cut_off" || true
ip -n "$tag-switch" link set to-w1 up

step 5 "the primary dies while a producer stores into a local queue and routes"
# However long the failover takes, up to 6 minutes, the workers outlast it: see fencing in pipe-postgres(5).
queue=${queue/mail/orders}
export PIPE_QUEUE=$queue
on w1 pipe init --backoff 0s..0s --lost 10m
on p pipe init -q "$dir/local" 2> /dev/null
start p pipe route -q "$dir/local" --to "$queue" --follow > /dev/null &
route=$!
# shellcheck disable=SC2016
take='cat >> "$DIR/taken.$HOST"; date +%s.%N >> "$DIR/beats"'
worker w1 --size 20 -- sh -c "$take"
workers=$!
worker w2 --size 20 -- sh -c "$take"
workers="$workers $!"
produce() { # FROM TO, in commits of 50
  local at
  for ((at = $1; at <= $2; at += 50)); do
    seq "$at" $((at + 49)) | on p pipe enqueue -q "$dir/local" --raw >> "$dir/accepted"
  done
}
produce 1 1000
produce 1001 2000 &
producer=$!
# A process may have ended with its parent.
ip netns pids "$tag-db1" | xargs kill -KILL 2> /dev/null || true
as_postgres db2 "$tools/pg_ctl" -D "$dir/db2" -w promote > /dev/null
wait "$producer"
produce 2001 3000
kill "$route"
wait "$route" || true
# Drains the local queue, and then the queue at the server.
on p pipe route -q "$dir/local" --to "$queue" > /dev/null 2>> "$dir/log/p"
HOST=w2 DIR=$dir on w2 pipe consume --until-done --size 20 -- sh -c "$take" 2>> "$dir/log/w2"
# shellcheck disable=SC2086
kill $workers
# shellcheck disable=SC2086
wait $workers

accepted=$(wc -l < "$dir/accepted")
taken=$(cat "$dir"/taken.*| wc -l)
distinct=$(cat "$dir"/taken.* | sort -u | wc -l)
pause=$(sort -n "$dir/beats" | awk 'NR > 1 && $1 - last > most { most = $1 - last } { last = $1 } END { printf "%.1f", most }')
note "accepted $accepted, lost $((accepted - distinct)), delivered twice $((taken - distinct)), longest pause $pause s"
[ "$distinct" = "$accepted" ] || fail "something was lost"
printf '\nAll checks passed. Next: man 5 pipe-postgres\n'
