#!/usr/bin/env python3
"""A worker for `pipe consume --stream -- examples/worker.py`: starts once and answers each batch line.

`work` processes one item: return to acknowledge it, raise Retry to get it again later, raise Bury to make it a dead
letter. Any other exception ends the worker, and pipe retries the items it had.
"""
import json
import os
import sys


class Retry(Exception):
    pass


class Bury(Exception):
    pass


def work(data):
    """In this example, an object with an "error" member fails, as a remote call might."""
    error = data.get("error") if isinstance(data, dict) else None
    if error == "busy":
        raise Retry("the service is busy")
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
    # First a line that names the failed items, then one line for all other items of the claim.
    named = [{**claim, "items": failed}] if failed else []
    others = [claim] if len(failed) < len(batch["items"]) else []
    return "".join(json.dumps(line) + "\n" for line in named + others)


def available_lines():
    """Yields lists of whole lines: all that can be read without waiting for more."""
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        yield lines


def main():
    for lines in available_lines():
        for line in lines:
            sys.stdout.write(answer(line))
        # One flush for all of them. Without it, pipe would wait for answers that are still in this buffer.
        sys.stdout.flush()


if __name__ == "__main__":
    main()
