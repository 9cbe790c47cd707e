"""The context of every row: the binary, the sizes, a directory on a real disk, the payload, the C clients."""
import os
import shutil
import subprocess
import sys
import tempfile

from . import records
from .process import Failed, Missing, pipeline

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Context:
    def __init__(self, quick, deep, verbose):
        self.quick, self.deep, self.verbose = quick, deep, verbose
        self.repetitions = 3 if quick else 5
        self.bulk = 100_000 if quick else 1_000_000
        self.binary = binary()
        self.dir = tempfile.mkdtemp(prefix="pipe-bench-", dir=disk())
        self.queues, self.clients = os.path.join(self.dir, "queues"), os.path.join(self.dir, "clients")
        os.mkdir(self.queues)
        os.mkdir(self.clients)
        self.built = {}

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def say(self, text):
        print(text, file=sys.stderr, flush=True)

    def pipe(self, subcommand, queue, *options):
        return [self.binary, subcommand, "-q", queue, *options]

    def records(self, count):
        """Returns a file of `count` records, written once per run."""
        path = os.path.join(self.dir, "records-%d.jsonl" % count)
        if not os.path.exists(path):
            self.say("  writing %d records" % count)
            records.write(path, count)
        return path

    def fresh(self, label):
        """Returns a path in an empty directory of that name. Files of earlier repetitions are removed and synced."""
        path = os.path.join(self.queues, label)
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path)
        os.sync()
        return os.path.join(path, "q")

    def clear(self):
        """Removes every queue, but not the payload and the clients."""
        shutil.rmtree(self.queues, ignore_errors=True)
        os.mkdir(self.queues)

    def fill(self, queue, count):
        """Fills a queue with `count` records, all written to disk."""
        pipeline(self.pipe("enqueue", queue, "--raw", "--quiet"), stdin=self.records(count) if count else None)
        os.sync()
        return queue

    def client(self, name, *libraries):
        """Returns the C client of that name. Compiled on first use; statically if possible, so that it starts fast."""
        if name not in self.built:
            compiler = next(filter(None, map(shutil.which, ("gcc", "cc", "clang"))), None)
            if not compiler:
                raise Missing("gcc is not installed")
            target = os.path.join(self.clients, name)
            command = [compiler, "-O2", "-o", target, os.path.join(HERE, "clients", name + ".c")]
            for kind in ([] if libraries else [["-static"]]) + [[]]:
                done = subprocess.run(command + kind + ["-l" + l for l in libraries], capture_output=True, text=True)
                if done.returncode == 0:
                    break
            else:
                if libraries and ("sqlite3.h" in done.stderr or "-lsqlite3" in done.stderr):
                    raise Missing("libsqlite3-dev is not installed")
                raise Failed("%s.c does not compile: %s" % (name, done.stderr.strip()[-200:]))
            self.built[name] = target
        return self.built[name]


def tool(name):
    path = shutil.which(name)
    if not path:
        raise Missing("%s is not installed" % name)
    return path


def binary():
    given = os.environ.get("PIPE")
    path = given or os.path.join(ROOT, ".build/release/pipe")
    if given and os.sep not in given:
        path = shutil.which(given) or given
    path = os.path.abspath(path)
    if not os.access(path, os.X_OK):
        sys.exit("cannot run: no binary at %s (build it with `swift build -c release`, or name it in PIPE)" % path)
    return path


def disk():
    """Returns $TMPDIR or /var/tmp, whichever is not in memory."""
    for path in (os.environ.get("TMPDIR"), "/var/tmp"):
        if path and os.path.isdir(path) and filesystem(path) not in ("tmpfs", "ramfs"):
            return path
    sys.exit("cannot run: $TMPDIR and /var/tmp are in memory; point TMPDIR at a disk")


def filesystem(path):
    path, best, kind = os.path.realpath(path), "", "?"
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        for _, point, fs, *_ in map(str.split, mounts):
            if len(point) >= len(best) and (path + "/").startswith(point.rstrip("/") + "/"):
                best, kind = point, fs
    return kind
