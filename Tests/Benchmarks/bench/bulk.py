"""E1, E3, E7: whole files through a filter, from the start of the pipeline to the end of its last process."""
import os
import sys

from . import records
from .compare import interleave
from .context import tool
from .process import Failed, output, pipeline
from .table import Bar, megabytes, per_second

PYTHON_CLIENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sqlite_client.py")
ROWS = "1000"  # rows a transaction, records a flush


def sqlite_c(context, *arguments):
    return [context.client("lite", "sqlite3"), *arguments]


def sqlite_python(context, *arguments):
    return [sys.executable, "-B", PYTHON_CLIENT, *arguments]


def enqueue(context, table):
    """E1: durable bulk enqueue by one producer, into a new queue (a new database, a new file) each time."""
    count = context.bulk
    file = context.records(count)

    def raw():
        return [pipeline(context.pipe("enqueue", context.fresh("raw"), "--raw", "--quiet"), stdin=file)]

    def chain():
        queue = context.fresh("chain")
        return [pipeline([context.binary, "ingest"], context.pipe("enqueue", queue, "--quiet"), stdin=file)]

    def lite(client):
        return lambda: [pipeline(client(context, "put", context.fresh("lite"), ROWS), stdin=file)]

    def floor():
        size = str(records.SIZE * int(ROWS))
        return [pipeline([context.client("floor"), context.fresh("floor"), size], stdin=file)]

    got = interleave(context, context.repetitions, {
        "raw": raw, "SQLite, C": lite(sqlite_c), "chain": chain, "SQLite, Python": lite(sqlite_python),
        "floor": floor})
    rate = lambda samples: count / samples[0]
    what = {"raw": "enqueue --raw", "chain": "ingest | enqueue"}
    for pipe, peer, bar in (("raw", "SQLite, C", Bar(">=", 2)), ("chain", "SQLite, C", Bar(">=", 1.5)),
                            ("raw", "SQLite, Python", Bar(">=", 2)), ("chain", "SQLite, Python", Bar(">=", 1.5)),
                            ("raw", "floor", None)):
        table.compare("E1", "bulk %s" % what[pipe], got, pipe, peer, rate, per_second, bar)


def drain(context, table):
    """E3: takes and acknowledges everything, to `wc -l` (which must count all records) and to /dev/null."""
    count = context.bulk
    file = context.records(count)

    def fill_pipe():
        return context.fill(context.fresh("pipe"), count)

    def fill_lite():
        database = context.fresh("lite")
        pipeline(sqlite_c(context, "put", database, ROWS), stdin=file)
        os.sync()
        return database

    def counted(command):
        answer = os.path.join(context.dir, "count")
        took = pipeline(command, ["wc", "-l"], stdout=answer)
        with open(answer, encoding="ascii") as f:
            counted = int(f.read())
        if counted != count:
            raise Failed("%d of %d records came out" % (counted, count))
        return [took]

    consume = lambda: context.pipe("consume", fill_pipe())
    lite = lambda client: client(context, "drain", fill_lite(), ROWS)
    got = interleave(context, context.repetitions, {
        "| wc -l": lambda: counted(consume()),
        "SQLite, C | wc -l": lambda: counted(lite(sqlite_c)),
        "> /dev/null": lambda: [pipeline(consume())],
        "SQLite, C > /dev/null": lambda: [pipeline(lite(sqlite_c))],
        "SQLite, Python | wc -l": lambda: counted(lite(sqlite_python)),
        "cat FILE | wc -l": lambda: [pipeline(["cat", file], ["wc", "-l"])]})
    rate = lambda samples: count / samples[0]
    for pipe, peer, bar in (("| wc -l", "SQLite, C | wc -l", Bar(">=", 2)),
                            ("> /dev/null", "SQLite, C > /dev/null", Bar(">=", 2)),
                            ("| wc -l", "SQLite, Python | wc -l", Bar(">=", 2)),
                            ("| wc -l", "cat FILE | wc -l", None)):
        table.compare("E3", "consume %s" % pipe, got, pipe, peer, rate, per_second, bar)


def ingest(context, table):
    """E7: strict validation of JSON Lines. The slow peers get a tenth of the file, since the figure is MB/s."""
    large, small = context.records(context.bulk), context.records(context.bulk // 10)
    loop = "import json, sys\nfor line in sys.stdin.buffer: json.loads(line)"

    def speed(file, *command):
        return lambda: [os.path.getsize(file) / 1e6 / pipeline(list(command), stdin=file)]

    got = interleave(context, context.repetitions, {
        "ingest": speed(large, context.binary, "ingest"),
        "jq -c .": lambda: speed(small, tool("jq"), "-c", ".")(),
        "Python json.loads": speed(small, sys.executable, "-c", loop),
        "cat": speed(large, "cat")})
    kept = int(output([context.binary, "ingest"], ["wc", "-l"], stdin=small))
    if kept != context.bulk // 10:
        raise Failed("ingest let %d of %d records through" % (kept, context.bulk // 10))
    for peer, bar in (("jq -c .", Bar(">=", 20)), ("Python json.loads", None), ("cat", None)):
        table.compare("E7", "ingest > /dev/null", got, "ingest", peer, lambda s: s[0], megabytes, bar)
