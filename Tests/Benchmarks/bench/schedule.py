"""S1 to S7: single claims, the pace, status and explain, one long-running worker, dead and waiting items, --dedup, ids."""
import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import time

from .compare import Results, interleave, p50, p99
from .context import ROOT
from .depth import number
from .process import Failed, output, pipeline
from .table import Bar, micros, per_second

CONSUMERS = 4


def together(commands, stderr=None):
    """Runs the commands concurrently. Returns the seconds until all have ended."""
    begin = time.perf_counter()
    running = [subprocess.Popen(c, stdout=subprocess.DEVNULL, stderr=stderr) for c in commands]
    if any([p.wait() for p in running]):
        raise Failed("a consumer failed")
    return time.perf_counter() - begin


CLAIM = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
db.execute("PRAGMA synchronous=NORMAL")
while True:
    row = db.execute("UPDATE queue SET state=1 WHERE id=(SELECT id FROM queue WHERE state=0 LIMIT 1) RETURNING id").fetchone()
    if not row:
        break
    db.execute("DELETE FROM queue WHERE id=?", row)
"""


def claims(context, table):
    """S1: concurrent consumers claim and acknowledge items one by one."""
    count = context.bulk // 10

    def pipe():
        queue = context.fill(context.fresh("pipe"), count)
        return [count / together([context.pipe("consume", queue, "--size", "1")] * CONSUMERS)]

    def sqlite():
        path, few = context.fresh("sqlite"), count // 10
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("CREATE TABLE queue(id INTEGER PRIMARY KEY, state INTEGER, body TEXT)")
            db.execute("CREATE INDEX ready ON queue(state) WHERE state=0")
            with open(context.records(few), encoding="ascii") as lines:
                db.executemany("INSERT INTO queue(state, body) VALUES (0, ?)", ((l,) for l in lines))
        db.close()
        return [few / together([[sys.executable, "-c", CLAIM, path]] * CONSUMERS)]

    results = interleave(context, context.repetitions, {"pipe": pipe, "sqlite, Python": sqlite})
    table.compare("S1", "%d consumers, claims of 1" % CONSUMERS, results, "pipe", "sqlite, Python", p50, per_second,
                  Bar(">=", 20_000, "/s", own=True))


def pace(context, table):
    """S2: arrival times of batches, with a pace of 20 ms."""
    count, every = (200 if context.quick else 1000), 0.020
    queue = context.fill(context.fresh("pipe"), count)
    reader = subprocess.Popen(context.pipe("consume", queue, "--size", "1", "--every", "20ms"), stdout=subprocess.PIPE)
    times = []
    while os.read(reader.stdout.fileno(), 65536):
        times.append(time.perf_counter())
    if reader.wait() or len(times) != count:
        raise Failed("%d batches, status %d" % (len(times), reader.returncode))
    # A late batch delays all later ones and never makes one early, so drift is measured from the first start.
    gaps = [(b - a - every) * 1e6 for a, b in zip(times, times[1:])]
    drift = (times[-1] - times[0] - every * (count - 1)) * 1e6 / (count - 1)
    early = max(0, -min(gaps))
    late = p99([max(0, g) for g in gaps])
    table.add("S2", "start to start at 20 ms: p99 late", micros(late), "a timer", None, "<= 1000 µs",
              "yes" if late <= 1000 else "NO")
    table.add("S2", "  drift a batch; earliest arrival", "%.1f µs; %.0f µs early" % (drift, early),
              "the reader's own jitter", None, "–", "–")


def ask(context, table):
    """S3: status and explain of random ids, a process each."""
    half, queue = context.bulk, context.fresh("pipe")
    text = half_done(context, queue)
    picks = [json.loads(l)["ingestion_id"] for l in random.Random(1).sample(text.splitlines(), 50 if context.quick else 300)]
    results = Results()
    for name, verb in (("--version", None), ("status", "status"), ("explain", "explain")):
        results.add(name, [])
    for pick in picks:
        for name, verb in (("--version", None), ("status", "status"), ("explain", "explain")):
            command = context.pipe(verb, queue, pick) if verb else [context.binary, "--version"]
            results.rounds[name][0].append(seconds(command) * 1e6)
    floor = results.median("--version", p50)
    for name in ("status", "explain"):
        took = results.median(name, p50)
        bar = 1.2 * floor + 1000
        table.add("S3", "%s, %s waiting and %s done" % (name, number(half), number(half)), micros(took),
                  "--version: %s" % micros(floor), took / floor, "<= %s" % micros(bar), "yes" if took <= bar else "NO")


def half_done(context, queue):
    """As many entries done as waiting. Returns their receipts."""
    ids = os.path.join(context.dir, "ids")
    pipeline(["cat", context.records(context.bulk)], context.pipe("enqueue", queue, "--raw"), stdout=ids)
    pipeline(context.pipe("consume", queue))
    with open(ids, encoding="ascii") as file:
        text = file.read()
    text += output(["cat", context.records(context.bulk)], context.pipe("enqueue", queue, "--raw"))
    os.sync()
    return text


def seconds(command):
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def stream(context, table):
    """S4: one long-running worker, each item answered separately."""
    count, worker = context.bulk // 10, os.path.join(ROOT, "examples/worker.py")

    def pipe():
        queue = context.fill(context.fresh("pipe"), count)
        return [count / together([context.pipe("consume", queue, "--stream", "--", sys.executable, worker)])]

    results = interleave(context, context.repetitions, {"pipe": pipe})
    table.compare("S4", "consume --stream -- worker.py", results, "pipe", "none", p50, per_second,
                  Bar(">=", 20_000, "/s", own=True))


def beside(context, table):
    """S5: the cost of a claim and of a query with many dead letters and many items waiting for a retry."""
    count = context.bulk // 10
    few, many = queue_with(context, "few", count // 100), queue_with(context, "many", count)
    questions = {
        "consume -n 1": lambda q: context.pipe("consume", q[0], "-n", "1"),
        "status of a waiting one": lambda q: context.pipe("status", q[0], q[1]),
        "explain of a waiting one": lambda q: context.pipe("explain", q[0], q[1]),
        "dead ID": lambda q: context.pipe("dead", q[0], q[2]),
    }
    for what, command in questions.items():
        results = Results()
        for name, queue in (("few", few), ("many", many)):
            results.add(name, [])
        for _ in range(20 if context.quick else 100):
            for name, queue in (("few", few), ("many", many)):
                results.rounds[name][0].append(seconds(command(queue)) * 1e6)
        table.compare("S5", "%s, %s dead, %s waiting for a time" % (what, number(count), number(count)), results, "many",
                      "few", p50, micros, Bar("<", 1.2))


def queue_with(context, name, count):
    """Returns a queue with `count` dead letters, `count` failed items waiting and some ready ones, and an id of each of
    the first two."""
    queue = context.fresh(name)
    pipeline(context.pipe("init", queue, "--backoff", "2h..2h"))
    worker = [sys.executable, "-c", ANSWER]
    context.fill(queue, 2 * count)
    pipeline(context.pipe("consume", queue, "--stream", "--", *worker), ok=(0, 1))
    ids = []
    for state in ("later", "dead"):
        line = output(context.pipe("list", queue, "--state", state, "-n", "1"))
        ids.append(json.loads(line)["id"])
    return (context.fill(queue, 1000), *ids)


ANSWER = r"""
import re, sys
for n, line in enumerate(sys.stdin):
    claim = re.search('"claim":"([^"]*)"', line).group(1)
    sys.stdout.write('{"claim":"%s","result":"%s"}\n' % (claim, "bury" if n % 2 else "retry"))
    sys.stdout.flush()
"""


def dedup(context, table):
    """S6: --dedup with many keys in the window."""
    queue, few = context.fresh("many"), context.fresh("few")
    count = context.bulk
    begin = time.perf_counter()
    pipeline(context.pipe("enqueue", queue, "--raw", "--quiet", "--dedup", "1h"), stdin=context.records(count))
    rate = count / (time.perf_counter() - begin)
    pipeline(context.pipe("enqueue", few, "--raw", "--quiet", "--dedup", "1h"), stdin=context.records(1000))
    os.sync()
    results = Results()
    for name in ("few", "many"):
        results.add(name, [])
    for n in range(30 if context.quick else 200):
        for name, path in (("few", few), ("many", queue)):
            line = '{"n":%d}\n' % n
            begin = time.perf_counter()
            subprocess.run(context.pipe("enqueue", path, "--raw", "--quiet", "--dedup", "1h"), input=line.encode(), check=True)
            results.rounds[name][0].append((time.perf_counter() - begin) * 1e6)
    table.add("S6", "enqueue --raw --dedup, %s" % number(count), per_second(rate))
    table.compare("S6", "one line, %s keys in the window" % number(count), results, "many", "few", p50, micros, Bar("<", 1.2))


def complete(context, table):
    """S7: what a shell runs to complete an id: processor time."""
    queue = context.fresh("pipe")
    half_done(context, queue)
    commands = {"--version": [context.binary, "--version"]}
    for verb in ("status", "cancel", "log"):
        commands[verb] = [context.binary, "---complete", "zsh", "4", "pipe", verb, "-q", queue, ""]
    results = Results()
    for name in commands:
        results.add(name, [])
    for _ in range(context.repetitions * 10):
        for name, command in commands.items():
            results.rounds[name][0].append(processor(command) * 1e6)
    floor = results.median("--version", p50)
    for verb in ("status", "cancel", "log"):
        took = results.median(verb, p50)
        table.add("S7", "ids for %s, %s waiting and %s done" % (verb, number(context.bulk), number(context.bulk)),
                  micros(took), "--version: %s" % micros(floor), took / floor, "<= %s" % micros(50_000),
                  "yes" if took <= 50_000 else "NO")


def control(context, table):
    """S8: cancel, purge and change of scattered entries, and what claims cost afterwards."""
    few = context.bulk // 100
    untouched = context.fill(context.fresh("untouched"), context.bulk)
    for verb, options in (("cancel", ["--yes"]), ("purge", ["--yes"]), ("change", ["--priority", "high"]),
                          ("change", ["--delay", "1h"])):
        queue = context.fresh("pipe")
        ids = output(context.pipe("enqueue", queue, "--raw"), ["cut", "-d", '"', "-f", "4"], stdin=context.records(context.bulk))
        chosen = ids.split()[50::100]
        begin = time.perf_counter()
        for at in range(0, few, 2000):
            output(context.pipe(verb, queue, *options, *chosen[at:at + 2000]))
        took = time.perf_counter() - begin
        results = Results()
        for name in ("untouched", "changed"):
            results.add(name, [])
        for _ in range(10 if context.quick else 40):
            for name, path in (("untouched", untouched), ("changed", queue)):
                results.rounds[name][0].append(seconds(context.pipe("consume", path, "-n", "50", "--size", "1")) * 1e6)
        words = " ".join([verb] + [option for option in options if option != "--yes"])
        table.add("S8", "%s, %s entries among %s" % (words, number(few), number(context.bulk)), per_second(few / took))
        table.compare("S8", "50 claims after that", results, "changed", "untouched", p50, micros, Bar("<", 1.05))


def processor(command):
    """Seconds of processor time of a command that must print 100 ids, if it completes them."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if "---complete" in command and done.stdout.count(b"\n") != 101:
        raise Failed("---complete: %d lines" % done.stdout.count(b"\n"))
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
