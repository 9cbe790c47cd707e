#!/bin/sh
# A handler that behaves like a slow service: it takes 1 to 3 s for each id, fails one attempt in ten (exit
# status 1), and permanently refuses anything that is not a number (65). To see it run:
#
#   seq 100 | xargs -n 5 | sed 's/ /,/g; s/.*/{"ids":[&]}/' | pipe enqueue --raw --quiet
#   pipe consume --size 3 --every 5s -j 4 -- examples/slow-api.sh
#
# In another terminal: pipe list, pipe explain ID, pipe dead. With SEED=1 every run gives the same results: the
# result for an id depends on SEED, the id and the attempt only. A batch that fails is retried as a whole, so a
# real service must tolerate an id that it has seen before.
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
