"""K1, K2: 100,000 records out of a queue into PostgreSQL and SQLite by the sinks of examples/, in records a second,
beside the databases' own loaders, which ask nobody, and beside a worker that commits each message by itself.

That worker reads the records from a file: with a broker before it, it is slower still."""
import glob
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time

from .compare import interleave
from .context import ROOT, tool
from .process import Failed, Missing, end, output, pipeline
from .table import Bar, per_second

COUNT, SINGLE = 100_000, 2_000
TABLE = "CREATE TABLE logs (id TEXT PRIMARY KEY, data %s NOT NULL)"
WORKER = """
import sys
%s
for number, line in enumerate(sys.stdin):
    cursor.execute("INSERT INTO logs VALUES (%s, %s)", (str(number), line))
    connection.commit()
    if number + 1 == int(sys.argv[1]): break
"""


def postgres(context, table):
    """K1. The server has its own settings, fsync among them, and its data on the disk of the queues."""
    server = Server(context)
    try:
        run(context, table, "K1", server.fresh, server.loaded, r"\copy", server.load, server.worker, "postgres", [])
    finally:
        server.stop()


def sqlite(context, table):
    """K2."""
    tool("sqlite3")
    path = context.fresh("sqlite")

    def fresh():
        for old in glob.glob(path + "*"):
            os.remove(old)
        output(["sqlite3", path, "PRAGMA journal_mode = WAL", TABLE % "TEXT"])

    count = lambda: output(["sqlite3", path, "SELECT count(*) FROM logs"])
    load = lambda file: pipeline(["sqlite3", path, ".mode ascii", '.separator "|" "\\n"',
                                  "CREATE TABLE loaded (data TEXT)", ".import %s loaded" % file])
    connect = "import sqlite3; connection = sqlite3.connect(%r); cursor = connection.cursor()" % path
    run(context, table, "K2", fresh, count, ".import", load, WORKER % (connect, "?", "?"), "sqlite", [path])


def run(context, table, row, fresh, count, loader, load, worker, sink, arguments):
    file = context.records(COUNT)
    program = [os.path.join(ROOT, "examples", "sinks", sink), *arguments]

    def sunk(size):
        def contestant():
            fresh()
            queue = context.fill(context.fresh("queue"), COUNT)
            took = pipeline(context.pipe("consume", queue, "--size", size, "--stream", "--", *program))
            if int(count()) != COUNT:
                raise Failed("%s of %d records are there" % (count().strip(), COUNT))
            return [COUNT / took]
        return contestant

    def loaded():
        fresh()
        return [COUNT / load(file)]

    def worked():
        fresh()
        return [SINGLE / pipeline([sys.executable, "-c", worker, str(SINGLE)], stdin=file)]

    got = interleave(context, context.repetitions, {
        "--size 1000": sunk("1000"), loader: loaded, "--size 1": sunk("1"), "a commit each": worked})
    rate = lambda samples: samples[0]
    for name, peer, bar in (("--size 1000", loader, None), ("--size 1", loader, None),
                            ("--size 1000", "a commit each", Bar(">=", 10)),
                            ("--size 1", "a commit each", Bar(">=", 10))):
        table.compare(row, "%s sink, %s" % (sink, name), got, name, peer, rate, per_second, bar)


class Server:
    """A PostgreSQL with the settings of its initdb; it refuses to run as root."""

    def __init__(self, context):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not programs or not shutil.which("psql"):
            raise Missing("postgresql is not installed")
        other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
        self.user = [] if os.getuid() else other
        home = os.path.dirname(context.fresh("postgres"))
        if self.user:
            # The directory of the run is closed to others; this one it may pass through.
            os.chmod(context.dir, 0o711)
            os.chown(home, *pwd.getpwnam("postgres")[2:4])
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        os.environ.update(PGHOST="127.0.0.1", PGPORT=str(port), PGUSER="postgres", PGDATABASE="postgres")
        options = ["-D", home + "/data", "-A", "trust", "-U", "postgres", "-E", "UTF8"]
        pipeline([*self.user, programs[-1] + "/initdb", *options])
        with open(home + "/log", "wb") as log:
            self.process = subprocess.Popen(
                [*self.user, programs[-1] + "/postgres", "-D", home + "/data", "-p", str(port),
                 "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="], stdout=log, stderr=log)
        self.await_answer()
        connect = "import psycopg2; connection = psycopg2.connect(''); cursor = connection.cursor()"
        self.worker = WORKER % (connect, "%s", "%s")

    def await_answer(self):
        deadline = time.monotonic() + 30
        while subprocess.run(["psql", "-c", ""], capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                raise Failed("PostgreSQL does not start")
            time.sleep(0.05)

    def fresh(self):
        output(["psql", "-qc", "DROP TABLE IF EXISTS logs, loaded", "-c", TABLE % "jsonb", "-c", "CHECKPOINT"])

    def loaded(self):
        return output(["psql", "-Atc", "SELECT count(*) FROM logs"])

    def load(self, file):
        return pipeline(["psql", "-qc", "CREATE TABLE loaded (data jsonb)", "-c", r"\copy loaded FROM '%s'" % file])

    def stop(self):
        end(self.process)
