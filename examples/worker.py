#!/usr/bin/env python3
"""A worker for `pipe consume --stream -- examples/worker.py`: starts once, answers each batch line.

What it does with an item stands in `work`: return to acknowledge it, raise Retry to have it again later,
raise Bury to give it up. Anything else that is raised ends the worker; pipe then retries what it had.
"""
import json
import os
import sys


class Retry(Exception):
    pass


class Bury(Exception):
    pass


def work(data):
    """Here: an object with an "error" member fails, as a call elsewhere might."""
    error = data.get("error") if isinstance(data, dict) else None
    if error == "busy":
        raise Retry("the other side is busy")
    if error:
        raise Bury(f"cannot be done: {error}")


def answer(line):
    batch = json.loads(line)
    failed = []
    for item in batch["items"]:
        try:
            work(item["data"])
        except (Retry, Bury) as e:
            result = "retry" if isinstance(e, Retry) else "bury"
            failed.append({"id": item["id"], "item": item["item"], "result": result, "reason": str(e)})
    claim = {"claim": batch["claim"]}
    # Those named here first, then one line for all the others of the claim.
    named = [{**claim, "items": failed}] if failed else []
    rest = [claim] if len(failed) < len(batch["items"]) else []
    return "".join(json.dumps(answer) + "\n" for answer in named + rest)


def lines_as_they_come():
    """Lists of whole lines: all that is there, without waiting for more."""
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        yield lines


def main():
    for lines in lines_as_they_come():
        for line in lines:
            sys.stdout.write(answer(line))
        # Once for all of them. Without it pipe waits for answers that wait here.
        sys.stdout.flush()


if __name__ == "__main__":
    main()
