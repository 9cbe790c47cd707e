"""E5: latency from a line written to a running producer to the same line at a waiting consumer, 100 a second."""
import os
import socket
import subprocess
import time

from .compare import interleave, mean, p50, p99
from .context import tool
from .process import Failed, end, output
from .table import Bar, micros

RATE, WARMUP = 100, 20


def through(context, count, warmup, rate, *commands):
    """Returns microseconds per line, from its write to the first command until the last command prints a line."""
    run = [context.client("roundtrip"), str(count), str(warmup), str(rate)]
    for command in commands:
        run += ["--", *command]
    return [float(x) for x in output(run, stdin=context.records(context.bulk)).split()]


class Beanstalkd:
    """The server, on a free loopback port, flushing at every put. It starts on first use."""

    def __init__(self, context):
        self.context, self.process = context, None

    def start(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        where = os.path.dirname(self.context.fresh("beanstalkd"))
        self.process = subprocess.Popen(
            [tool("beanstalkd"), "-l", "127.0.0.1", "-p", str(self.port), "-b", where, "-f0"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
        raise Failed("beanstalkd does not answer")

    def samples(self, count):
        if not self.process:
            self.start()
        run = [self.context.client("beanstalk"), str(self.port), str(count), str(WARMUP), str(RATE)]
        return [float(x) for x in output(run, stdin=self.context.records(10_000)).split()]

    def stop(self):
        if self.process:
            end(self.process)


def deliver(context, table):
    count = 100 if context.quick else 300
    file, server = context.fresh("floor"), Beanstalkd(context)

    def pipe():
        queue = context.fill(context.fresh("pipe"), 0)
        return through(context, count, WARMUP, RATE, context.pipe("enqueue", queue, "--raw", "--quiet"),
                       context.pipe("consume", queue, "--follow"))

    try:
        got = interleave(context, 3, {
            "pipe": pipe,
            "beanstalkd -f0": lambda: server.samples(count),
            "C floor": lambda: through(context, count, WARMUP, RATE,
                                       [context.client("floor"), file, "65536", "echo"])})
    finally:
        server.stop()
    for text, figure, bar in (("mean", mean, Bar("<=", 0.5)), ("p50", p50, None), ("p99", p99, None)):
        for peer in ("beanstalkd -f0", "C floor"):
            table.compare("E5", "enqueue → waiting consumer, " + text, got, "pipe", peer, figure, micros,
                          bar if peer != "C floor" else None, pooled=True)
