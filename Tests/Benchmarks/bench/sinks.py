"""K1, K2: 100,000 records from a queue into PostgreSQL and SQLite by the sinks of examples/, in records a second,
compared with the databases' own loaders, which need no acknowledgement, and with a worker that commits each message
separately: lines of a file, and messages of RabbitMQ as in the earlier systems. The worker gets only 10,000 records
(--quick: 2,000), since it is slow; its start, about 0.2 s, is still a small part."""
import os
import sys

from .broker import RabbitMQ
from .compare import interleave
from .context import HERE, ROOT
from .databases import Postgres, SQLite
from .process import Failed, pipeline
from .table import Bar, per_second

COUNT = 100_000
ONE, AHEAD = "RabbitMQ, prefetch 1", "RabbitMQ, prefetch 1000"


def postgres(context, table):
    """K1."""
    Sinks(context, Postgres(context)).run(table, "K1", [])


def sqlite(context, table):
    """K2."""
    database = SQLite(context)
    Sinks(context, database).run(table, "K2", [database.path])


class Sinks:
    def __init__(self, context, database):
        self.context, self.database = context, database
        self.broker = None
        self.single = 2_000 if context.quick else 10_000

    def run(self, table, row, arguments):
        name, loader = self.database.name, self.database.loader
        program = [os.path.join(ROOT, "examples", "sinks", name), *arguments]
        try:
            got = interleave(self.context, self.context.repetitions, {
                "--size 1000": lambda: self.sunk(program, "1000"), loader: self.loaded,
                "--size 1": lambda: self.sunk(program, "1"), "a commit each": self.worked,
                ONE: lambda: self.delivered("1"), AHEAD: lambda: self.delivered("1000")})
        finally:
            self.database.stop()
            if self.broker:
                self.broker.__exit__()
        for size in ("--size 1000", "--size 1"):
            for peer in (loader, "a commit each", ONE, AHEAD):
                what = "%s sink, %s" % (name, size)
                table.compare(row, what, got, size, peer, rate, per_second, None if peer == loader else Bar(">=", 10))

    def stored(self, count):
        if self.database.count() != count:
            raise Failed("%d of %d records are there" % (self.database.count(), count))

    def sunk(self, program, size):
        self.database.fresh()
        queue = self.context.fill(self.context.fresh("queue"), COUNT)
        took = pipeline(self.context.pipe("consume", queue, "--size", size, "--stream", "--", *program))
        self.stored(COUNT)
        return [COUNT / took]

    def loaded(self):
        self.database.fresh()
        return [COUNT / self.database.load(self.context.records(COUNT))]

    def worked(self):
        return self.worker(stdin=self.context.records(COUNT))

    def delivered(self, ahead):
        if not self.broker:
            self.broker = RabbitMQ(self.context).__enter__()
        self.broker.fill(self.single)
        return self.worker(ahead)

    def worker(self, *more, stdin=None):
        self.database.fresh()
        program = os.path.join(HERE, "clients", "worker.py")
        took = pipeline([sys.executable, program, self.database.name, str(self.single), *more], stdin=stdin)
        self.stored(self.single)
        return [self.single / took]


def rate(samples):
    return samples[0]
