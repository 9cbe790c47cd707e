"""What the sinks share: batch lines in, answers out; see ONE WORKER FOR ALL in pipe-consume(1).

A sink gives `run` a function that stores items. It returns when they are durable on the other side, with those
that were refused. It raises Away when the other side cannot be reached or has no room, and Stop when nothing
will work until somebody changes the settings.

While the other side is away the claim is kept and no attempt is counted: the sink tries again until nothing was
stored for SINK_WAIT seconds (60), then ends with 69; so does `consume`, and all is ready again for whoever starts it
next.
"""
import json
import os
import re
import signal
import sys
import time
from typing import NamedTuple
from urllib.parse import urlsplit

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
    left = None  # The items that are still to store, where it is not all of them.
    refused = ()  # Those that are not, for they were refused.
    pause = 0  # Seconds that the other side wants to be left alone, where it has said so.


class Stop(Exception):
    """64 usage, 69 unavailable, 77 permission, 78 settings: `consume` stops then, and no attempt is counted."""

    refused = ()

    def __init__(self, status, words, left=None):
        super().__init__(words)
        self.status, self.left = status, left


def warn(words):
    print(f"{os.path.basename(sys.argv[0])}: {' '.join(words.split())}", file=sys.stderr, flush=True)


def halves(store, items):
    """For what is refused as a whole, so that in the end only what is bad is refused."""
    half = len(items) // 2
    return store(items[:half]) + store(items[half:])


# Settings are read before any item is: where they are wrong the sink ends at once.


def stop(status, words):
    warn(words)
    sys.exit(status)


def missing(error, packages):
    """Of an import that failed."""
    stop(69, f"{error}: install {packages}")


def argument(what, variable):
    """The first argument, else a variable."""
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get(variable)
    return given or stop(64, f"which {what}? give it, or set {variable}")


def address(variable, given, schemes=("http", "https")):
    """It may hold a password, so it is not shown."""
    try:
        parts = urlsplit(given)
        if parts.scheme in schemes and parts.hostname and parts.port != 0:
            return given
    except ValueError:
        pass
    return stop(78, f"{variable}: not an address like {schemes[0]}://HOST:PORT")


def seconds(variable, usual):
    given = os.environ.get(variable) or usual
    if not re.fullmatch(r"\d{1,9}(\.\d+)?", given):
        stop(78, f"{variable}={given}: not a number of seconds")
    return float(given)


WAIT = seconds("SINK_WAIT", "60")


def run(store, each=False):
    """Stores all that is there together, so that under load one transaction is for many batches; or each batch
    by itself. Also by hand: pipe batch | SINK | pipe ack."""
    if "PIPE_CLAIM" in os.environ:  # Nobody reads answers then: what is refused would count as stored.
        stop(64, "say --stream")
    try:
        for lines in lines_as_they_come():
            batches = [items_of(line) for line in lines]
            for some in [[batch] for batch in batches] if each else [batches]:
                settle(store, some)
    except Stop as error:
        stop(error.status, str(error))


def settle(store, batches):
    refused = []
    try:
        patiently(store, [item for batch in batches for item in batch], refused)
    except Stop as error:
        answer(batches, refused, set(error.left))
        raise
    answer(batches, refused)


def patiently(store, items, refused):
    end = None
    while items:
        try:
            refused += store(items)
            return
        except Stop as error:
            error.left = items if error.left is None else error.left
            refused += error.refused
            raise
        except Away as error:
            refused += error.refused
            if not end:
                warn(f"{str(error).strip()}; trying again for {WAIT:g} s")
            left = items if error.left is None else error.left
            if not end or len(left) < len(items):  # Who makes progress, be it slowly, is not away.
                usual, end = 0.1, time.monotonic() + WAIT
            items = left
            if time.monotonic() >= end:
                raise Stop(69, str(error), items) from error
            pause = max(usual, error.pause)
        time.sleep(min(pause, max(0, end - time.monotonic())))
        usual = min(2 * usual, 1)


def lines_as_they_come():
    """Lists of whole lines: all that is there."""
    begun = []
    while chunk := os.read(sys.stdin.fileno(), 1 << 20):
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*begun, lines[0]])
            begun = []
            yield lines
        begun.append(rest)
    if any(begun):
        yield [b"".join(begun)]


# The members of an item stand in this order; what follows is its data, byte for byte as they were stored:
# written anew by json.dumps, 1.50 would be 1.5.
START = re.compile(r'\{"claim":"(\w+)"[^[]*\[')
HEAD = re.compile(r'\{"id":"(\w+)","item":(\d+),"priority":"\w+","data":')
DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


def items_of(line):
    try:
        return list(parsed(line.decode()))
    except ValueError as error:
        raise Stop(64, f"no batch line: {line[:100].decode(errors='replace')}") from error


def parsed(line):
    start = START.match(line)
    if not start:
        raise ValueError(line)
    at = start.end()
    while head := HEAD.match(line, at):
        _, end = DECODER.raw_decode(line, head.end())
        yield Item(start[1], head[1], int(head[2]), line[head.end() : end])
        at = end + 2
    if line[at - 2 :] != "}]}":
        raise ValueError(line)


def answer(batches, refused, left=frozenset()):
    sys.stdout.write("".join(answers(batches, refused, left)))
    sys.stdout.flush()


def answers(batches, refused, left):
    """For each claim those refused, each by its name, then one line for all the others; where some are left, by
    name too those that are stored."""
    named, gone = {}, left.union(item for item, _, _ in refused)
    for item, reason, result in refused:
        named.setdefault(item.claim, []).append({**name(item), "result": result, "reason": reason[:1000]})
    for batch in batches:
        claim = batch[0].claim
        told, stored = named.get(claim, []), [item for item in batch if item not in gone]
        is_whole = left.isdisjoint(batch)
        if not is_whole:
            told += map(name, stored)
        if told:
            yield json.dumps({"claim": claim, "items": told}) + "\n"
        if is_whole and stored:
            yield json.dumps({"claim": claim}) + "\n"


def name(item):
    return {"id": item.id, "item": item.number}
