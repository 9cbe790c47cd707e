#!/bin/sh
# A handler that behaves like a slow service: it takes 1 to 3 s for each id, fails now and then (of ten
# attempts one, exit status 1), and refuses for good what is no number (65). To see it run:
#
#   seq 100 | xargs -n 5 | sed 's/ /,/g; s/.*/{"ids":[&]}/' | pipe enqueue --raw --quiet
#   pipe consume --size 3 --every 5s -j 4 -- examples/slow-api.sh
#
# In another terminal: pipe list, pipe explain ID, pipe dead. With SEED=1 it does the same each time: what
# becomes of an id depends on SEED, the id and its attempt alone. A batch that fails comes again as a whole,
# so a real service must bear an id that it has had before.
set -eu

seed=${SEED:-$$.$(date +%s)}
attempt=${PIPE_ATTEMPT:-1}

while read -r id || [ -n "$id" ]; do
  case $id in
    '' | *[!0-9]*)
      echo "slow-api: $id: not an id" >&2
      exit 65
      ;;
  esac
  chance=$(printf '%s %s %s' "$seed" "$id" "$attempt" | cksum)
  chance=${chance%% *}
  milliseconds=$((1000 + chance % 2001))
  sleep "$((milliseconds / 1000)).$(printf '%03d' $((milliseconds % 1000)))"
  if [ $((chance / 2001 % 10)) -eq 0 ]; then
    echo "slow-api: $id: service unavailable" >&2
    exit 1
  fi
  echo "$id took $milliseconds ms"
done
