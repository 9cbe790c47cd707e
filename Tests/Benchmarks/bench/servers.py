"""The HTTP servers: the gateway, the C floor, FastAPI. Each uses a free loopback port and ends with its `with`."""
import os
import re
import socket
import subprocess
import sys
import time

from .context import HERE
from .process import Failed, Missing, end

PACKAGES = ("fastapi==0.165.0", "uvicorn==0.54.0", "uvloop==0.23.0", "httptools==0.9.0")


class Server:
    def __init__(self, command, env=None, **streams):
        self.command, self.env, self.streams = command, env, streams

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, env=dict(os.environ, **self.env or {}),
                                        **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **self.streams})
        try:
            self.port = self.find()
        except Exception:
            end(self.process)
            raise
        return self

    def __exit__(self, *_):
        end(self.process)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def memory(self, field="VmRSS"):
        """MiB."""
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as status:
            return int(re.search(r"(?m)^%s:\s+(\d+) kB" % field, status.read()).group(1)) / 1024

    def files(self):
        """Returns the number of open files."""
        return len(os.listdir("/proc/%d/fd" % self.process.pid))


class Gateway(Server):
    def __init__(self, context, queue, *options):
        super().__init__(context.pipe("serve", queue, "--port", "0", *options), stderr=subprocess.PIPE)

    def find(self):
        line = self.process.stderr.readline().decode()
        found = re.search(r"listening on http://127.0.0.1:(\d+)$", line)
        if not found:
            raise Failed("pipe serve: %s" % line.strip())
        return int(found.group(1))


class Floor(Server):
    def __init__(self, context, file):
        super().__init__([context.client("httpfloor"), file], stdout=subprocess.PIPE)

    def find(self):
        return int(self.process.stdout.readline() or b"0")


class FastAPI(Server):
    def __init__(self, context):
        self.given = free_port()
        super().__init__([sys.executable, "-m", "uvicorn", "nothing:app", "--port", str(self.given), "--workers", "1",
                          "--no-access-log", "--log-level", "error"],
                         {"PYTHONPATH": "%s:%s" % (packages(context), os.path.join(HERE, "clients")),
                          "PYTHONDONTWRITEBYTECODE": "1"})

    def find(self):
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.given), 1).close()
                return self.given
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise Failed("uvicorn does not answer")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def packages(context):
    """Installs FastAPI and uvicorn from PyPI into a directory of this run."""
    target = os.path.join(context.dir, "packages")
    if not os.path.isdir(target):
        context.say("  installing %s" % " ".join(PACKAGES))
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", target, *PACKAGES],
                              stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            raise Missing("fastapi and uvicorn cannot be installed (pip)")
    return target
