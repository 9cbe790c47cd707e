"""The databases of K1 and K2: a table `logs`, emptied for each contestant, and the database's own loader."""
import glob
import importlib.util
import os
import pwd
import shutil
import subprocess
import time

from .context import ROOT, tool
from .process import Failed, Missing, end, output, pipeline
from .servers import free_port

# As the sink creates it.
TABLE = """CREATE TABLE logs (id TEXT PRIMARY KEY NOT NULL, data TEXT NOT NULL,
  inserted_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')))"""


class SQLite:
    name, loader = "sqlite", ".import"

    def __init__(self, context):
        tool("sqlite3")
        self.path = context.fresh("sqlite")
        os.environ["SQLITE_FILE"] = self.path

    def fresh(self):
        for old in glob.glob(self.path + "*"):
            os.remove(old)
        output(["sqlite3", self.path, "PRAGMA journal_mode = WAL", TABLE])

    def count(self):
        return int(output(["sqlite3", self.path, "SELECT count(*) FROM logs"]))

    def load(self, file):
        return pipeline(["sqlite3", self.path, ".mode ascii", '.separator "|" "\\n"',
                         "CREATE TABLE loaded (data TEXT)", ".import %s loaded" % file])

    def stop(self):
        pass


class Postgres:
    """A server with the default settings of initdb, including fsync. It refuses to run as root."""

    name, loader = "postgres", r"\copy"

    def __init__(self, context):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not programs or not shutil.which("psql"):
            raise Missing("postgresql is not installed")
        if not importlib.util.find_spec("psycopg2"):
            raise Missing("psycopg2 is not installed (python3-psycopg2)")
        other = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]
        user = [] if os.getuid() else other
        home = os.path.dirname(context.fresh("postgres"))
        if user:
            # The directory of the run is private; the server must be able to traverse it.
            os.chmod(context.dir, 0o711)
            os.chown(home, *pwd.getpwnam("postgres")[2:4])
        port = str(free_port())
        os.environ.update(PGHOST="127.0.0.1", PGPORT=port, PGUSER="postgres", PGDATABASE="postgres")
        options = ["-D", home + "/data", "-A", "trust", "-U", "postgres", "-E", "UTF8"]
        pipeline([*user, programs[-1] + "/initdb", *options])
        with open(home + "/log", "wb") as log:
            self.process = subprocess.Popen(
                [*user, programs[-1] + "/postgres", "-D", home + "/data", "-p", port,
                 "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="], stdout=log, stderr=log)
        self.await_answer()

    def await_answer(self):
        deadline = time.monotonic() + 30
        while subprocess.run(["psql", "-c", ""], capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                self.stop()
                raise Failed("PostgreSQL does not start")
            time.sleep(0.05)

    def fresh(self):
        table = os.path.join(ROOT, "examples", "sinks", "postgres.sql")
        output(["psql", "-qc", "DROP TABLE IF EXISTS logs, loaded", "-f", table, "-c", "CHECKPOINT"])

    def count(self):
        return int(output(["psql", "-Atc", "SELECT count(*) FROM logs"]))

    def load(self, file):
        return pipeline(["psql", "-qc", "CREATE TABLE loaded (data jsonb)", "-c", r"\copy loaded FROM '%s'" % file])

    def stop(self):
        end(self.process)
