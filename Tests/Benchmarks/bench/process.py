"""Runs a pipeline and returns its wall time or its output. Every failure names the command and the reason."""
import os
import subprocess
import tempfile
import time

LIMIT = 900  # seconds after which a command is considered hung


class Missing(Exception):
    """A peer or a tool is not installed; its lines are skipped."""


class Failed(Exception):
    """A program is installed but does not work."""


def pipeline(*commands, stdin=None, stdout=None, env=None, ok=(0,)):
    """Runs `a | b | c` with files (or /dev/null) at its ends. Returns the seconds from first start to last end."""
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
    """Sends SIGTERM, so that the process can end its children, and SIGKILL if that does not help."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def output(*commands, **options):
    """Runs the pipeline and returns the text that it wrote."""
    with tempfile.NamedTemporaryFile() as out:
        pipeline(*commands, stdout=out.name, **options)
        return out.read().decode("utf-8", "replace")


def name(command):
    """Shortens `…/pipe enqueue -q DIR --raw` to `pipe enqueue`."""
    return " ".join([os.path.basename(command[0])] + [a for a in command[1:2] if not a.startswith(("-", os.sep))])
