"""E8: the system calls of one-shot commands, from the first that names the queue."""
import json
import os
import re

from .context import tool
from .oneshot import INSERT
from .process import Failed, Missing, output, pipeline
from .table import Bar

CALL = re.compile(r"^(?:\d+ +)?(\w+)\(")
FLUSH = re.compile(r"^(?:\d+ +)?(?:fsync|fdatasync|sync|syncfs|msync|sync_file_range)\(|RWF_D?SYNC")
HIDDEN = re.compile(r"O_D?SYNC|io_uring_\w+")  # flushes without a call of their own


class Trace:
    def __init__(self, context, where, command, line=None):
        log = os.path.join(context.dir, "strace")
        run = [tool("strace"), "-f", "-qq", "-s", "4096", "-o", log, *command]
        self.said = output(*([["printf", "%s\\n", line]] if line else []), run, env={"PIPE_QUEUE": where})
        with open(log, encoding="utf-8", errors="replace") as f:
            everything = [call.rstrip() for call in f if CALL.match(call)]
        named = [i for i, call in enumerate(everything) if where in call and "execve(" not in call]
        if not named:
            raise Failed("no system call names the queue")
        self.start_up, self.calls = named[0], everything[named[0]:]
        self.flushes = sum(1 for call in self.calls if FLUSH.search(call))
        self.hidden = sorted({found.group() for call in everything for found in HIDDEN.finditer(call)})

    def __str__(self):
        return "%d, %d flush" % (len(self.calls), self.flushes)

    def detail(self, verbose):
        names = {}
        for call in self.calls:
            name = CALL.match(call).group(1)
            names[name] = names.get(name, 0) + 1
        text = "%d calls (after %d of start-up), flushes: %d%s: %s" % (
            len(self.calls), self.start_up, self.flushes, "".join(", " + h for h in self.hidden),
            ", ".join("%s %d" % item for item in names.items()))
        cut = lambda call: call if len(call) < 160 else call[:110] + " … " + call[-46:]
        return text + ("".join("\n      " + cut(call) for call in self.calls) if verbose else "")


class Counter:
    def __init__(self, context, table):
        self.context, self.table = context, table

    def trace(self, what, where, command, line=None, verbose=False):
        trace = Trace(self.context, where, command, line)
        self.table.note("E8 %s: %s" % (what, trace.detail(verbose)))
        return trace

    def peer(self, name, prepare):
        """Traces the peer for the same line. `prepare` returns its file, its command and its stdin."""
        try:
            return "%s: %s" % (name, self.trace(name, *prepare()))
        except Missing as e:
            return "SKIPPED: %s" % e

    def row(self, what, bar, queue, options, line=None, peer="–"):
        try:
            trace = self.trace(what, queue, [self.context.binary, *options], line, self.context.verbose)
        except (Missing, Failed) as e:
            word = "SKIPPED" if isinstance(e, Missing) else "FAILED"
            return self.table.add("E8", what, peer=peer, bar=bar or "–", reached="%s: %s" % (word, e))
        reached = bar.reached(trace.flushes, None) if bar else "–"
        if bar and trace.hidden:
            reached = "NO: " + ", ".join(trace.hidden)
        self.table.add("E8", what, str(trace), peer, None, bar or "–", reached)
        return trace


def count(context, table):
    queue, counter = context.fill(context.fresh("pipe"), 1000), Counter(context, table)
    with open(context.records(1000), encoding="ascii") as f:
        line = f.readline().rstrip("\n")

    def floor():
        file = context.fresh("floor")
        return file, [context.client("floor"), file, "65536"], line

    def sqlite():
        database = context.fresh("sqlite3")
        create = "PRAGMA journal_mode=WAL; CREATE TABLE queue(id INTEGER PRIMARY KEY, body BLOB NOT NULL)"
        pipeline([tool("sqlite3"), database, create])
        return database, ["sqlite3", database, INSERT.replace("readfile('/dev/stdin')", "'%s'" % line)]

    flush = Bar("==", 1, "flush", own=True)
    put, one = ["enqueue", "--raw", "--quiet"], ["--size", "1", "-n", "1"]
    counter.row("enqueue --raw, one line", flush, queue, put, line, counter.peer("C floor", floor))
    counter.row("enqueue --raw, the next line", flush, queue, put, line, counter.peer("sqlite3", sqlite))
    counter.row("consume -n 1: claim, write, ack", None, queue, ["consume", *one])
