"""A RabbitMQ broker with Debian's settings, its data on the disk of the queues, on free loopback ports."""
import importlib.util
import os
import signal
import time

from .context import ROOT
from .process import Failed, Missing, pipeline
from .servers import Server, free_port

# Not the wrapper in the PATH, which runs as the user rabbitmq only.
PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"


class RabbitMQ(Server):
    def __init__(self, context):
        if not os.access(PROGRAM, os.X_OK):
            raise Missing("rabbitmq-server is not installed")
        if not importlib.util.find_spec("pika"):
            raise Missing("pika is not installed (python3-pika)")
        self.context = context
        home = os.path.dirname(context.fresh("rabbitmq"))
        self.port, names = free_port(), str(free_port())
        for file, text in (("plugins", "[]."), ("env", ""), ("rabbitmq.conf", "log.console = true\n")):
            with open(os.path.join(home, file), "w", encoding="ascii") as settings:
                settings.write(text)
        self.log = open(home + "/out", "wb")
        os.environ["RABBITMQ_URL"] = "amqp://guest:guest@127.0.0.1:%d/%%2F" % self.port
        env = {
            "HOME": home, "ERL_EPMD_PORT": names, "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_NODE_PORT": str(self.port), "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "bench%d@localhost" % self.port, "RABBITMQ_MNESIA_BASE": home + "/mnesia",
            "RABBITMQ_LOG_BASE": home + "/log", "RABBITMQ_LOGS": "-", "RABBITMQ_PID_FILE": home + "/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": home + "/plugins", "RABBITMQ_CONF_ENV_FILE": home + "/env",
            "RABBITMQ_CONFIG_FILE": home + "/rabbitmq.conf"}
        # In a process group of its own, together with epmd.
        super().__init__(["sh", "-c", "epmd -port %s -address 127.0.0.1 & exec %s" % (names, PROGRAM)], env,
                         stdout=self.log, start_new_session=True)

    def find(self):
        for _ in range(1200):
            with open(self.log.name, "rb") as log:
                if b"Server startup complete" in log.read():
                    return self.port
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.__exit__()
        raise Failed("RabbitMQ does not start")

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def fill(self, count):
        """Fills the queue `jobs` with persistent, confirmed messages, published by pipe's own sink."""
        queue = self.context.fill(self.context.fresh("jobs"), count)
        sink = os.path.join(ROOT, "examples", "sinks", "rabbitmq")
        pipeline(self.context.pipe("consume", queue, "--size", "1000", "--stream", "--", sink, "jobs"))
