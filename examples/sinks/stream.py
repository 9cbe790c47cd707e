"""Shared by the sinks: reads batch lines and writes answers; see ONE WORKER FOR ALL in pipe-consume(1).

A sink passes `run` a function that stores items. The function returns once they are durable in the destination, and
returns the items that were refused. It raises TemporarilyUnavailable if the destination cannot be reached or has no
room, and Fatal if nothing will work until the settings change.

While the destination is unavailable, the claim is kept and no attempt is counted. The sink retries until nothing has
been stored for SINK_WAIT seconds (60), then ends with 69. `consume` then ends with 69 as well, and all its items are
ready for the next consumer.
"""
import json
import os
import re
import signal
import sys
import time
from typing import NamedTuple
from urllib.parse import urlsplit

# Ctrl-C ends a sink as it ends other filters, without a traceback. Unanswered items are delivered again.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


CROCKFORD = str.maketrans("ABCDEFGHJKMNPQRSTVWXYZ", "ABCDEFGHIJKLMNOPQRSTUV")  # To the digits of int().


class Item(NamedTuple):
    claim: str
    id: str
    number: int
    priority: str
    data: str

    @property
    def key(self):
        """Identifies a redelivery: the id of the receipt, and the item number from an entry's second item on."""
        return self.id if self.number == 1 else f"{self.id}-{self.number}"

    @property
    def bits(self):
        """The id as a number of 128 bits: a ULID, whose first 48 bits are milliseconds since 1970."""
        return int(self.id.translate(CROCKFORD), 32)


class Refused(NamedTuple):
    item: Item
    reason: str
    result: str = "bury"


class TemporarilyUnavailable(Exception):
    remaining = None  # The items still to be stored; None means all of them.
    refused = ()  # The items that were refused.
    retry_after = 0  # Seconds the destination asked us to wait.


class Fatal(Exception):
    """Ends the sink and `consume`; no attempt is counted. 64 usage, 69 unavailable, 77 permission, 78 settings."""

    refused = ()

    def __init__(self, status, message, remaining=None):
        super().__init__(message)
        self.status, self.remaining = status, remaining


def warn(message):
    print(f"{os.path.basename(sys.argv[0])}: {' '.join(message.split())}", file=sys.stderr, flush=True)


def bisect(store, items):
    """Stores each half of a list that was refused as a whole, so that in the end only bad items are refused."""
    half = len(items) // 2
    return store(items[:half]) + store(items[half:])


# Settings are read before any item. A wrong setting ends the sink at once.


def die(status, message):
    warn(message)
    sys.exit(status)


def die_missing(error, packages):
    """Reports a failed import."""
    die(69, f"{error}: install {packages}")


def argument(what, variable):
    """Returns the first argument, else the value of the variable."""
    value = sys.argv[1] if len(sys.argv) > 1 else os.environ.get(variable)
    return value or die(64, f"no {what} given: pass it as an argument or set {variable}")


def address(variable, value, schemes=("http", "https")):
    """Checks an address. It is never printed, since it may contain a password."""
    try:
        parts = urlsplit(value)
        if parts.scheme in schemes and parts.hostname and parts.port != 0:
            return value
    except ValueError:
        pass
    return die(78, f"{variable}: not an address like {schemes[0]}://HOST:PORT")


def seconds(variable, default):
    value = os.environ.get(variable) or default
    if not re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        die(78, f"{variable}={value}: not a number of seconds")
    return float(value)


WAIT = seconds("SINK_WAIT", "60")


def run(store, each=False):
    """Stores all waiting batches together, so that under load one transaction covers many; with `each`, one batch at
    a time. It also works by hand: pipe batch | SINK | pipe ack."""
    if "PIPE_CLAIM" in os.environ:  # No process would read the answers: refused items would count as stored.
        die(64, "run it with --stream")
    try:
        for lines in available_lines():
            batches = [parse_batch(line) for line in lines]
            for group in [[batch] for batch in batches] if each else [batches]:
                settle(store, group)
    except Fatal as error:
        die(error.status, str(error))


def settle(store, batches):
    refused = []
    try:
        retry_until_stored(store, [item for batch in batches for item in batch], refused)
    except Fatal as error:
        write_answers(batches, refused, set(error.remaining))
        raise
    write_answers(batches, refused)


def retry_until_stored(store, items, refused):
    """Adds the refused items to `refused`."""
    deadline = None
    while items:
        try:
            refused += store(items)
            return
        except Fatal as error:
            error.remaining = items if error.remaining is None else error.remaining
            refused += error.refused
            raise
        except TemporarilyUnavailable as error:
            refused += error.refused
            if not deadline:
                warn(f"{str(error).strip()}; trying again for {WAIT:g} s")
            remaining = items if error.remaining is None else error.remaining
            if not deadline or len(remaining) < len(items):  # Even slow progress restarts the wait.
                backoff, deadline = 0.1, time.monotonic() + WAIT
            items = remaining
            if time.monotonic() >= deadline:
                raise Fatal(69, str(error), items) from error
            pause = max(backoff, error.retry_after)
        time.sleep(min(pause, max(0, deadline - time.monotonic())))
        backoff = min(2 * backoff, 1)


def available_lines():
    """Yields lists of whole lines: all that can be read without waiting for more."""
    partial = []
    while chunk := os.read(sys.stdin.fileno(), 1 << 20):
        *lines, rest = chunk.split(b"\n")
        if lines:
            lines[0] = b"".join([*partial, lines[0]])
            partial = []
            yield lines
        partial.append(rest)
    if any(partial):
        yield [b"".join(partial)]


# The members of an item come in this order, followed by its data, byte for byte as stored:
# json.dumps would turn 1.50 into 1.5.
START = re.compile(r'\{"claim":"(\w+)"[^[]*\[')
HEAD = re.compile(r'\{"id":"(\w+)","item":(\d+),(?:"key":"[\w-]+",)?"priority":"(\w+)","data":')
DECODER = json.JSONDecoder(parse_int=str, parse_float=str)


def parse_batch(line):
    try:
        return list(parse_items(line.decode()))
    except ValueError as error:
        raise Fatal(64, f"not a batch line: {line[:100].decode(errors='replace')}") from error


def parse_items(line):
    start = START.match(line)
    if not start:
        raise ValueError(line)
    position = start.end()
    while head := HEAD.match(line, position):
        _, end = DECODER.raw_decode(line, head.end())
        yield Item(start[1], head[1], int(head[2]), head[3], line[head.end() : end])
        position = end + 2
    if line[position - 2 :] != "}]}":
        raise ValueError(line)


def write_answers(batches, refused, remaining=frozenset()):
    sys.stdout.write("".join(answer_lines(batches, refused, remaining)))
    sys.stdout.flush()


def answer_lines(batches, refused, remaining):
    """For each claim: a line that names the refused items, then one line that acknowledges all others. If some items
    of a claim remain, its stored items are named too."""
    named, excluded = {}, remaining.union(item for item, _, _ in refused)
    for item, reason, result in refused:
        named.setdefault(item.claim, []).append({**reference(item), "result": result, "reason": reason[:1000]})
    for batch in batches:
        claim = batch[0].claim
        items, stored = named.get(claim, []), [item for item in batch if item not in excluded]
        is_whole = remaining.isdisjoint(batch)
        if not is_whole:
            items += map(reference, stored)
        if items:
            yield json.dumps({"claim": claim, "items": items}) + "\n"
        if is_whole and stored:
            yield json.dumps({"claim": claim}) + "\n"


def reference(item):
    return {"id": item.id, "item": item.number}
