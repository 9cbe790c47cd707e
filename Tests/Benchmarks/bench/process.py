"""Running commands: a pipeline with its wall time, or with its output. Every failure says which command and why."""
import os
import subprocess
import tempfile
import time

LIMIT = 900  # seconds after which a command is taken for hung


class Missing(Exception):
    """A peer or a tool is not installed: its lines are skipped."""


class Failed(Exception):
    """Something is there and does not do its work."""


def pipeline(*commands, stdin=None, stdout=None, env=None, ok=(0,)):
    """Runs `a | b | c` with files (or /dev/null) at its ends; the seconds from the first start to the last end."""
    environment = dict(os.environ, **(env or {}))
    running = []
    with open(stdin or os.devnull, "rb") as first, open(stdout or os.devnull, "wb") as last, \
            tempfile.TemporaryFile() as errors:
        begin = time.perf_counter()
        try:
            for i, command in enumerate(commands):
                final = i == len(commands) - 1
                running.append(subprocess.Popen(
                    command, stdin=running[-1].stdout if running else first,
                    stdout=last if final else subprocess.PIPE, stderr=errors, env=environment))
                if i:
                    running[-2].stdout.close()
            for process in running:
                process.wait(LIMIT)
        except FileNotFoundError as e:
            raise Missing("%s is not installed" % os.path.basename(e.filename)) from None
        except subprocess.TimeoutExpired:
            raise Failed("%s: still running after %d s" % (name(commands[0]), LIMIT)) from None
        finally:
            for process in running:
                end(process)
        took = time.perf_counter() - begin
        for command, process in zip(commands, running):
            if process.returncode not in ok:
                errors.seek(0)
                said = errors.read().decode("utf-8", "replace").strip().splitlines()
                raise Failed("%s: status %d%s" % (name(command), process.returncode, ": " + said[-1] if said else ""))
    return took


def end(process):
    """SIGTERM, so that what measures can end what it started; SIGKILL where that does not help."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def output(*commands, **options):
    """The same, but the text the pipeline wrote."""
    with tempfile.NamedTemporaryFile() as out:
        pipeline(*commands, stdout=out.name, **options)
        return out.read().decode("utf-8", "replace")


def name(command):
    """`…/pipe enqueue -q DIR --raw` as `pipe enqueue`."""
    return " ".join([os.path.basename(command[0])] + [a for a in command[1:2] if not a.startswith(("-", os.sep))])
