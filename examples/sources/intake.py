"""Shared by the sources: stores a batch of records, each under a key of its own."""
import argparse
import codecs
import errno
import json
import os
import re
import signal
import subprocess
import sys

# Ctrl-C ends a source as it ends other filters, without a traceback. The next run continues where this one stopped.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

DENIED = (errno.EACCES, errno.EPERM)
ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)
REJECTED = re.compile(rb"stdin:(\d+): (.*)")


class Arguments(argparse.ArgumentParser):
    """--help prints the program's docstring, and a usage error ends with 64, as in pipe."""

    def __init__(self, text):
        super().__init__(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message):
        self.exit(64, f"{self.prog}: {message}; see --help\n")


def warn(message):
    print(f"{os.path.basename(sys.argv[0])}: {message}", file=sys.stderr, flush=True)


def die(status, message):
    warn(message)
    sys.exit(status)


def describe(error):
    """Returns the exit status that pipe has for an error on an input file, and the message."""
    status = 77 if error.errno in DENIED else 66 if error.errno in ABSENT else 74
    return status, f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def die_unwritable(error, status=74):
    """Reports an error on an output file."""
    die(77 if error.errno in DENIED else status, describe(error)[1])


def die_missing(error, package):
    """Reports a failed import."""
    die(69, f"{error}: install {package}")


def seconds(name, default):
    """Reads a setting from the environment."""
    text = os.environ.get(name) or str(default)
    if not re.fullmatch("[0-9]{1,6}", text):
        die(78, f"{name}: {text!r} is not a number of seconds")
    return int(text)


def one_line(data):
    """Joins JSON that is spread over lines into one record. Other data stay as they are and are refused later."""
    data = data.strip(b" \t\r\n")
    if b"\n" in data or b"\r" in data:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return data
        # Strings cannot contain newlines, so these are whitespace.
        return data.replace(b"\n", b" ").replace(b"\r", b" ")
    return data


def store(records, window):
    """Stores pairs (key, bytes). On return every record has a receipt except the refused ones, which are returned as
    {index: reason}. A record whose key was stored within the window is not stored again. On failure the process ends
    with the status of pipe, and nothing may be acknowledged."""
    refused = {}
    lines, indexes = [], []
    for index, (_, data) in enumerate(records):
        # ingest drops a byte-order mark at the start of its input only.
        while data.startswith(codecs.BOM_UTF8):
            data = data[len(codecs.BOM_UTF8):]
        data = data.strip(b" \t\r")
        if not data or b"\n" in data:
            refused[index] = "not JSON" if data else "empty"
        else:
            lines.append(data)
            indexes.append(index)
    entries, bad = ingest(lines)
    for number, reason in bad.items():
        refused[indexes[number - 1]] = reason.decode(errors="replace")
    keys = [json.dumps(key).encode() for index, (key, _) in enumerate(records) if index not in refused]
    keyed = [b'{"key":%s,%s\n' % (key, entry[1:]) for key, entry in zip(keys, entries)]
    enqueue(b"".join(keyed), len(keyed), window)
    return refused


def ingest(lines):
    """Returns the entry lines of the valid lines, and the invalid ones as {number: reason}."""
    status, output, errors = run_pipe(
        ["ingest", "--records"], b"\n".join(lines), stderr=subprocess.PIPE)
    # ingest prints the first ten reasons only. It copies data unchanged, so a line that is missing was rejected.
    reasons = {int(number): reason for number, reason in REJECTED.findall(errors)}
    entries, bad = output.split(b"\n")[:-1], {}
    for number, line in enumerate(lines, 1):
        index = number - len(bad) - 1
        if index >= len(entries) or entries[index].partition(b',"data":')[2] != line + b"}":
            bad[number] = reasons.get(number, b"not JSON")
    if status not in (0, 65) or len(entries) + len(bad) != len(lines) or not reasons.keys() <= bad.keys():
        sys.stderr.buffer.write(errors)
        sys.exit(status or 70)
    return entries, bad


def enqueue(lines, count, window):
    status, receipts, _ = run_pipe(["enqueue", "--wait", "1m", "--dedup", window], lines)
    if status or receipts.count(b"\n") != count:
        sys.exit(status or 70)


def run_pipe(arguments, lines, **more):
    """Returns the exit status, for a signal as a shell reports it, and the output."""
    try:
        done = subprocess.run(
            ["pipe", *arguments], input=lines, stdout=subprocess.PIPE, check=False, **more)
    except OSError as error:
        die(69, f"cannot run pipe: {error.strerror}")
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return status, done.stdout, done.stderr


def append_durably(path, data):
    """Appends a refused record to a file. On return the data and the file's name are on disk."""
    try:
        with open(path, "ab") as file:
            file.write(data + b"\n")
            file.flush()
            os.fsync(file.fileno())
        directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    except OSError as error:
        die_unwritable(error)
