"""E2, E4 and E10: a process per record, to enqueue and to consume, and commands with names as arguments."""
import os

from .compare import interleave, mean, p50, p99
from .context import tool
from .process import Failed, output, pipeline
from .table import Bar, micros, per_second

INSERT = "PRAGMA synchronous=FULL; INSERT INTO queue(body) VALUES(readfile('/dev/stdin'))"


def timed(context, rounds, *commands, env=None):
    """Runs each command once per round, in turn. Returns the microseconds of the runs of each command."""
    run = [context.client("timer"), str(rounds)]
    for command in commands:
        run += ["--", *command]
    samples = [[] for _ in commands]
    for line in output(run, stdin=context.records(10_000), env=env).splitlines():
        index, took = line.split()
        samples[int(index)].append(float(took))
    return samples


def enqueue(context, table):
    """E2: a shell loop. The line is on stdin; the time is from the spawn to the end of the process."""
    runs = 40 if context.quick else 100
    queue = context.fill(context.fresh("pipe"), 0)
    database = context.fresh("sqlite3")
    spooler = os.path.dirname(context.fresh("tsp"))
    spooler_env = {"TS_SOCKET": spooler + "/socket", "TMPDIR": spooler, "TS_MAXFINISHED": "10"}
    floor_file = context.fresh("floor")

    def run(*command, env=None):
        return timed(context, runs, list(command), env=env)[0]

    def sqlite():
        if not os.path.exists(database):
            create = "PRAGMA journal_mode=WAL; CREATE TABLE queue(id INTEGER PRIMARY KEY, body BLOB NOT NULL)"
            pipeline([tool("sqlite3"), database, create])
        return run(tool("sqlite3"), database, INSERT)

    def task_spooler():
        pipeline([tool("tsp"), "-S", "1"], env=spooler_env)
        samples = run("tsp", "-n", "/bin/true", env=spooler_env)
        pipeline(["tsp", "-w"], env=spooler_env)
        return samples

    def nq():
        env = {"NQDIR": os.path.dirname(context.fresh("nq"))}
        samples = run(tool("nq"), "-q", "/bin/true", env=env)
        pipeline(["nq", "-w"], env=env)
        return samples

    try:
        got = interleave(context, context.repetitions, {
            "pipe": lambda: run(*context.pipe("enqueue", queue, "--raw", "--quiet")),
            "sqlite3": sqlite, "task-spooler": task_spooler, "nq": nq,
            "C floor": lambda: run(context.client("floor"), floor_file, "65536"),
            "spawn of /bin/true": lambda: run("/bin/true")})
    finally:
        if os.path.exists(spooler_env["TS_SOCKET"]):
            pipeline(["tsp", "-K"], env=spooler_env)
    rate = lambda samples: 1e6 / mean(samples)
    for peer, bar in (("sqlite3", Bar(">=", 2)), ("task-spooler", Bar(">", 1)), ("nq", None), ("C floor", None)):
        table.compare("E2", "one process per record", got, "pipe", peer, rate, per_second, bar)
    for peer, bar in (("C floor", Bar("<=", 2.2)), ("sqlite3", None), ("spawn of /bin/true", None)):
        table.compare("E2", "the same, p50", got, "pipe", peer, p50, micros, bar, pooled=True)
    for peer in ("C floor", "sqlite3"):
        table.compare("E2", "the same, p99", got, "pipe", peer, p99, micros, pooled=True)


def command(context, table):
    """E4: /bin/true per record, two at a time."""
    count = 1000 if context.quick else 4000
    file = context.records(count)

    def pipe():
        queue = context.fill(context.fresh("pipe"), count)
        took = pipeline(context.pipe("consume", queue, "-j", "2", "--", "/bin/true"))
        left = int(output(context.pipe("consume", queue), ["wc", "-l"]))
        if left:
            raise Failed("%d of %d records were left" % (left, count))
        return [took]

    got = interleave(context, context.repetitions, {
        "pipe": pipe,
        "posix_spawn": lambda: [pipeline([context.client("spawn"), str(count), "2", "--", "/bin/true"])],
        "xargs -P2": lambda: [pipeline([tool("xargs"), "-d", "\\n", "-P2", "-n1", "/bin/true"], stdin=file)]})
    rate = lambda samples: count / samples[0]
    for peer, bar in (("posix_spawn", Bar(">=", 0.8)), ("xargs -P2", Bar(">", 1))):
        table.compare("E4", "consume -j 2 -- /bin/true", got, "pipe", peer, rate, per_second, bar)


def arguments(context, table):
    """E10: names with NULs between them, through a queue to the arguments of commands, two at a time."""
    for size in (1, 100):
        count = context.bulk // (100 if size == 1 else 10)
        names = os.path.join(context.dir, "names-%d" % count)
        if not os.path.exists(names):
            with open(names, "wb") as file:
                for n in range(count):
                    file.write(b"./some folder/a file with a name %07d.txt\0" % n)

        def pipe():
            queue = context.fresh("pipe")
            took = pipeline(context.pipe("enqueue", queue, "--text", "-0", "--quiet"), stdin=names)
            took += pipeline(context.pipe("consume", queue, "-j", "2", "--args", "--size", str(size), "--", "/bin/true"))
            left = int(output(context.pipe("consume", queue), ["wc", "-l"]))
            if left:
                raise Failed("%d of %d names were left" % (left, count))
            return [took]

        got = interleave(context, context.repetitions, {
            "pipe": pipe,
            "xargs": lambda: [pipeline([tool("xargs"), "-0", "-n%d" % size, "-P2", "/bin/true"], stdin=names)]})
        rate = lambda samples: count / samples[0]
        table.compare("E10", "enqueue --text -0; consume -j 2 --args --size %d" % size, got, "pipe", "xargs", rate,
                      per_second, Bar(">=", 0.9))
