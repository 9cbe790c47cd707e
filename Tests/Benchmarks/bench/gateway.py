"""G1 to G3: POST over 64 connections, latency from a POST to a running handler, and 10,000 idle connections."""
import contextlib
import os
import resource
import subprocess
import time

from .compare import Results, interleave, mean, p50, p99
from .context import HERE, tool
from .process import Failed, Missing, end, output
from .servers import FastAPI, Floor, Gateway
from .table import Bar, micros, per_second

CONNECTIONS, IDLE = 64, 10_000


def rate(sample):
    return sample[0]


def middle(sample):
    return sample[1]


def tail(sample):
    return sample[2]


class Load:
    """wrk, as many POSTs as the server answers. A sample is the rate, p50 and p99 in microseconds."""

    def __init__(self, context, seconds):
        self.context, self.seconds, self.sent = context, seconds, 0

    def __call__(self, port):
        command = [tool("wrk"), "-t1", "-c%d" % CONNECTIONS, "-d%ds" % self.seconds,
                   "-s", os.path.join(HERE, "clients", "post.lua"), "http://127.0.0.1:%d/" % port]
        last = output(command, env={"RECORDS": self.context.records(10_000)}).strip().splitlines()[-1]
        requests, seconds, half, most, errors = map(float, last.split())
        if errors or not requests:
            raise Failed("wrk: %d requests, %d errors" % (requests, errors))
        self.sent += int(requests)
        return [requests / seconds, half, most]


def stored(context, queue):
    """Returns the number of entries by the queue's own counter."""
    for line in output(context.pipe("stats", queue, "--prometheus")).splitlines():
        if line.startswith("ingested_rows_total"):
            return int(float(line.split()[1]))
    raise Failed("stats does not count")


def post(context, table):
    """G1: all three servers run all the time, but only one is loaded at a time."""
    queue, ours = context.fresh("pipe"), Load(context, 1 if context.quick else 10)
    load = Load(context, ours.seconds)
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(Gateway(context, queue))
        floor = stack.enter_context(Floor(context, context.fresh("floor")))
        up = {}

        def fastapi():
            if not up:
                up["fastapi"] = stack.enter_context(FastAPI(context))
            return load(up["fastapi"].port)

        got = interleave(context, context.repetitions, {
            "pipe": lambda: ours(gateway.port), "C floor": lambda: load(floor.port), "FastAPI, nothing": fastapi})
    if got.has("pipe") and stored(context, queue) < ours.sent:
        raise Failed("%d answered, %d stored" % (ours.sent, stored(context, queue)))
    what = "POST /ingest, %d connections, on disk: " % CONNECTIONS
    table.compare("G1", what + "rate", got, "pipe", "FastAPI, nothing", rate, per_second, Bar(">=", 4))
    table.compare("G1", what + "rate", got, "pipe", "C floor", rate, per_second, Bar(">=", 0.5))
    for text, figure, bar in (("p50", middle, None), ("p99", tail, Bar("<=", 3000, "µs", own=True))):
        for peer in ("FastAPI, nothing", "C floor"):
            table.compare("G1", what + text, got, "pipe", peer, figure, micros, bar if peer == "C floor" else None)


def handled(context, count, warmup, per_second):
    """Returns microseconds from the start of each POST to the start of its handler."""
    queue, notes = context.fresh("pipe"), context.fresh("notes")
    with Gateway(context, queue) as gateway:
        consumer = subprocess.Popen(context.pipe("consume", queue, "--follow", "-n", str(count + warmup), "--",
                                                 context.client("started"), notes), stdin=subprocess.DEVNULL)
        try:
            sent = output([context.client("poster"), str(gateway.port), str(count), str(warmup), str(per_second)])
            if consumer.wait(60):
                raise Failed("the consumer ended with %d" % consumer.returncode)
        except subprocess.TimeoutExpired:
            raise Failed("the consumer did not finish within a minute") from None
        finally:
            end(consumer)
    with open(notes, encoding="ascii") as file:
        began = dict(map(int, line.split()) for line in file)
    return [(began[number] - start) / 1e3 for number, start in (map(int, l.split()) for l in sent.splitlines())]


def handle(context, table):
    """G2: an open loop of 500 POSTs a second, with a static C handler for each."""
    count, speed = (1_000, 500) if context.quick else (10_000, 500)
    results = Results()
    for i in range(1 if context.quick else 3):
        results.add("pipe", handled(context, count, speed // 2, speed))
        context.say("  %d" % (i + 1))
    for text, figure, bar in (("mean", mean, Bar("<=", 3000, "µs", own=True)), ("p50", p50, None),
                              ("p99", p99, Bar("<=", 8000, "µs", own=True))):
        value = results.pooled("pipe", figure)
        table.add("G2", "POST → running handler, %d/s, %s" % (speed, text), micros(value), "–", None, bar or "–",
                  bar.reached(value, None) if bar else "–")


class Idle:
    """Connections that sent one request and stay open. After the `with`, the gateway has closed them."""

    def __init__(self, context, gateway, count):
        self.command, self.count = [context.client("idle"), str(gateway.port), str(count)], count
        self.gateway = gateway

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "open\n":
            raise Failed("idle: %s" % self.process.communicate()[1].strip())

    def __exit__(self, kind, *_):
        still, said = self.process.communicate()
        if not kind and still.strip() != str(self.count):
            raise Failed("of %d idle connections %s are left %s" % (self.count, still.strip(), said.strip()))
        while self.gateway.files() > 256:
            time.sleep(0.01)


def idle(context, table):
    """G3: the gateway closes connections that are idle for 75 s, so each repetition opens new ones."""
    need, (soft, hard) = IDLE + 256, resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < need:
        raise Missing("ulimit -Hn is %d, and %d are needed" % (hard, need))
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, need), hard))
    load, sizes = Load(context, 1 if context.quick else 10), []
    with Gateway(context, context.fresh("pipe")) as gateway:
        before = gateway.memory()

        def beside():
            with Idle(context, gateway, IDLE):
                sizes.append(gateway.memory())
                return load(gateway.port)

        got = interleave(context, context.repetitions, {"beside": beside, "alone": lambda: load(gateway.port)})
        most = gateway.memory("VmHWM")
    if not sizes:
        raise Failed(got.why("beside"))
    bar = Bar("<", 100, "MiB", own=True)
    table.add("G3", "resident with %s idle connections" % format(IDLE, ","), "%.1f MiB" % max(sizes),
              "none: %.1f MiB" % before, None, bar, bar.reached(max(sizes), None))
    table.add("G3", "  the most, with POSTs beside them", "%.1f MiB" % most, "–", None, bar, bar.reached(most, None))
    for text, figure, show, bar in (("rate", rate, per_second, Bar(">=", 0.9)), ("p50", middle, micros, None),
                                    ("p99", tail, micros, None)):
        table.compare("G3", "POST /ingest beside them, " + text, got, "beside", "alone", figure, show, bar)
