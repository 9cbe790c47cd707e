"""E6: whether one put and one get cost more in a deeper queue."""
import os

from .compare import Results, interleave, p50
from .delay import through
from .oneshot import timed
from .process import Failed, output, pipeline
from .table import Bar, micros


def number(n):
    return "%g M" % (n / 1e6) if n >= 1e6 else "%g k" % (n / 1e3)


def singles(context, queue, ones, total):
    """Fills a queue: the first `ones` records in a commit of one line each, the others in bulk."""
    samples = through(context, ones, 0, 0, context.pipe("enqueue", queue, "--raw"))
    context.fill(queue, total - ones)
    return samples


def deep(context, queue, times):
    """Fills a queue with `times` the largest payload."""
    files = [context.records(context.bulk)] * times
    pipeline(["cat", *files], context.pipe("enqueue", queue, "--raw", "--quiet"))
    os.sync()
    return queue


def flat(context, table):
    few, many, ones = 1000, context.bulk, context.bulk // 10
    small, large, split = "%s" % number(few), number(many), "%s, %s in commits of one" % (number(many), number(ones))
    queues = {small: context.fill(context.fresh("small"), few), large: context.fill(context.fresh("large"), many),
              split: context.fresh("split")}
    context.say("  %s commits of one line" % number(ones))
    commits = Results()
    commits.add("pipe", singles(context, queues[split], ones, many))
    if context.deep:
        queues[number(10 * many)] = deep(context, context.fresh("deep"), 10)
    for queue in queues.values():
        taken = len(output(get(context, queue)).splitlines())
        if taken != 1:
            raise Failed("consume -n 1 gave %d records" % taken)
    put_or_get(context, table, queues, small)
    put_inside(context, table, queues, small, large)
    table.compare("E6", "%s commits of one line, p50 of each" % number(ones), commits, "pipe", "none", p50, micros,
                  Bar("<=", 120, "µs", own=True))


def get(context, queue):
    return context.pipe("consume", queue, "--size", "1", "-n", "1")


def put_or_get(context, table, queues, small):
    """Runs a process per put and per get, every queue in turn within a round. The order rotates from block to block."""
    blocks, rounds = (3, 15) if context.quick else (12, 25)
    results = {"put": Results(), "get": Results()}
    for block in range(blocks):
        names = list(queues)
        names = names[block % len(names):] + names[:block % len(names)]
        samples = timed(context, rounds,
                        *(context.pipe("enqueue", queues[n], "--raw", "--quiet") for n in names),
                        *(get(context, queues[n]) for n in names))
        for i, name in enumerate(names):
            results["put"].add(name, samples[i])
            results["get"].add(name, samples[len(names) + i])
        context.say("  %d of %d" % (block + 1, blocks))
    for what, text in (("put", "one enqueue --raw"), ("get", "one consume -n 1")):
        for name in queues:
            if name != small:
                table.compare("E6", "%s at %s, p50" % (text, name), results[what], name, small, p50, micros,
                              Bar("<=", 1.2), pooled=True)


def put_inside(context, table, queues, small, large):
    """Measures a put by a process that is already running, from the line to its receipt."""
    count = 100 if context.quick else 300
    feed = lambda queue: lambda: through(context, count, 20, 0, context.pipe("enqueue", queue, "--raw"))
    file = context.fresh("floor")
    got = interleave(context, context.repetitions, {
        large: feed(queues[large]), small: feed(queues[small]),
        "C floor": lambda: through(context, count, 20, 0, [context.client("floor"), file, "65536", "echo"])})
    for peer, bar in (("C floor", Bar("<=", 120, "µs", own=True)), (small, Bar("<=", 1.2))):
        table.compare("E6", "line → receipt at %s, p50" % large, got, large, peer, p50, micros, bar, pooled=True)
