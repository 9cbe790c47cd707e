"""What the sinks share: batch lines in, answers out; see ONE WORKER FOR ALL in pipe-consume(1).

A sink gives `run` a function that stores items. It returns when they are durable on the other side, with those
that were refused. It raises Away when the other side cannot be reached or has no room, and Stop when nothing
will work until somebody changes the settings.

While the other side is away the claim is kept and no attempt is counted: the sink tries again for SINK_WAIT
seconds (60), then ends with 69; so does `consume`, and all is ready again for whoever starts it next.
"""
import json
import os
import re
import signal
import sys
import time
from typing import NamedTuple

WAIT = float(os.environ.get("SINK_WAIT", 60))
# Ctrl-C ends it as it ends other filters, without a traceback; what was not answered comes again.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Item(NamedTuple):
    claim: str
    id: str
    number: int
    data: str

    @property
    def key(self):
        """What tells a redelivery: the id of the receipt, and from an entry's second item on its number too."""
        return self.id if self.number == 1 else f"{self.id}-{self.number}"


class Refused(NamedTuple):
    item: Item
    reason: str
    result: str = "bury"


class Away(Exception):
    pass


class Stop(Exception):
    """64 usage, 69 unavailable, 77 permission, 78 settings."""

    def __init__(self, status, words):
        super().__init__(words)
        self.status = status


def run(store):
    try:
        for lines in lines_as_they_come():
            batches = [items_of(line) for line in lines]
            refused = patiently(store, [item for batch in batches for item in batch])
            sys.stdout.write("".join(answers(batches, refused)))
            sys.stdout.flush()
    except Stop as error:
        warn(str(error))
        sys.exit(error.status)


def patiently(store, items):
    pause, end = 0.1, None
    while items:
        try:
            return store(items)
        except Away as error:
            if not end:
                end = time.monotonic() + WAIT
                warn(f"{error}; trying again for {WAIT:g} s")
            if time.monotonic() >= end:
                raise Stop(69, error) from error
        time.sleep(min(pause, max(0, end - time.monotonic())))
        pause = min(2 * pause, 1)
    return []


def lines_as_they_come():
    """Lists of whole lines: all that is there, so that under load one transaction is for many of them."""
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), 1 << 20):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield [line.decode() for line in lines]


# The members of an item stand in this order; what follows is its data, byte for byte as they were stored:
# written anew by json.dumps, 1.50 would be 1.5.
HEAD = re.compile(r'\{"id":"(\w+)","item":(\d+),"priority":"\w+","data":')
DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


def items_of(line):
    claim = re.match(r'\{"claim":"(\w+)"', line)[1]
    items = []
    at = line.index("[") + 1
    while head := HEAD.match(line, at):
        _, end = DECODER.raw_decode(line, head.end())
        items.append(Item(claim, head[1], int(head[2]), line[head.end() : end]))
        at = end + 2
    if line[at - 1 :] != "]}":
        raise Stop(69, f"no batch line: {line[:100]}")
    return items


def answers(batches, refused):
    """For each claim those refused, each by its name, then one line for all the others."""
    named = {}
    for item, reason, result in refused:
        answer = {"id": item.id, "item": item.number, "result": result, "reason": reason[:1000]}
        named.setdefault(item.claim, []).append(answer)
    for batch in batches:
        claim = batch[0].claim
        if claim in named:
            yield json.dumps({"claim": claim, "items": named[claim]}) + "\n"
        if len(named.get(claim, [])) < len(batch):
            yield json.dumps({"claim": claim}) + "\n"


def missing(error, package):
    """Of an import that failed."""
    warn(f"{error}: install {package}")
    sys.exit(69)


def warn(words):
    print(f"{os.path.basename(sys.argv[0])}: {words.strip()}", file=sys.stderr, flush=True)
