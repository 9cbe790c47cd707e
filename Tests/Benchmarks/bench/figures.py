"""T1 to T3: the cost of recording statistics, the cost of reading them, and a queue compared with its models."""
import json
import os
import subprocess

from .compare import interleave, p50
from .context import tool  # noqa: F401
from .depth import number
from .memory import resident
from .process import Failed, output, pipeline
from .schedule import CONSUMERS, seconds, together
from .table import Bar, micros, per_second


def without(queue):
    """Makes recording impossible: stats is not a directory."""
    with open(os.path.join(queue, "stats"), "wb"):
        return queue


def recording(context, table):
    """T1: the same consumers, with and without recording."""
    singles, bulk = context.bulk // 10, context.bulk

    def drain(count, commands, prepare):
        queue = prepare(context.fill(context.fresh("pipe"), count))
        with open(os.devnull, "wb") as null:
            return [count / together([context.pipe("consume", queue, *c) for c in commands], stderr=null)]

    def pair(count, commands):
        return interleave(context, 2 * context.repetitions + 1, {
            "recording": lambda: drain(count, commands, lambda q: q),
            "not": lambda: drain(count, commands, without),
        })

    for what, count, commands in (("%d consumers, claims of 1" % CONSUMERS, singles, [["--size", "1"]] * CONSUMERS),
                                  ("one consumer to stdout", bulk, [[]])):
        table.compare("T1", what, pair(count, commands), "recording", "not", p50, per_second, Bar(">=", 0.98))


def asking(context, table):
    """T2: stats of a queue with half of its items waiting, and of one a tenth as large."""
    times, sizes = {}, {}
    for half in (context.bulk // 10, context.bulk):
        queue = context.fresh("pipe%d" % half)
        context.fill(queue, half)
        pipeline(context.pipe("consume", queue, "--size", "100"))
        context.fill(queue, half)
        for option in ("--json", "--prometheus", "--plot"):
            command = context.pipe("stats", queue, option)
            took = p50(sorted(seconds(command) * 1e6 for _ in range(15)))
            times.setdefault(option, []).append(took)
            sizes.setdefault(option, []).append(resident(context, command))
    for option, (few, many) in times.items():
        table.add("T2", "stats %s, %s waiting and %s done" % (option, number(context.bulk), number(context.bulk)),
                  micros(many), "a tenth: %s" % micros(few), many / few, "<= 50 ms", "yes" if many <= 50_000 else "NO")
    largest = max(max(s) for s in sizes.values())
    table.add("T2", "  the largest of them resident", "%.0f MiB" % largest, "–", None, "< 64 MiB",
              "yes" if largest < 64 else "NO")


def model(context, table):
    """T3: batches arrive as a Poisson process, and a command takes an exponential time for each."""
    count, rate, mean = (3_000 if context.quick else 100_000), 300.0, 0.001
    queue = context.fill(context.fresh("pipe"), 0)
    arrivals, service = context.client("arrivals", "m"), context.client("service", "m")
    handler = context.pipe("consume", queue, "--follow", "-n", str(count), "--", service, str(mean))
    consumer = subprocess.Popen(handler, stdin=subprocess.DEVNULL)
    pipeline([arrivals, str(count), str(rate)], context.pipe("enqueue", queue, "--raw", "--quiet"))
    if consumer.wait():
        raise Failed("the consumer ended with %d" % consumer.returncode)
    text = output(context.pipe("stats", queue, "--model"))
    found = json.loads(output(context.pipe("stats", queue, "--model", "--json")))
    for line in text.splitlines():
        context.say("  " + line)
    table.add("T3", "%s batches at %.0f a second: what --model says" % (number(count), rate), json.dumps(found)[:60],
              "see above")
