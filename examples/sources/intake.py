"""What the sources share: store a batch of records, each under a key of its own."""
import argparse
import codecs
import errno
import json
import os
import re
import signal
import subprocess
import sys

# Ctrl-C ends a source as it ends other filters, without a traceback; it goes on where it was.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

DENIED = (errno.EACCES, errno.EPERM)
ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)
REJECTED = re.compile(rb"stdin:(\d+): (.*)")


class Arguments(argparse.ArgumentParser):
    """The text of a program is its help, and its usage errors have the status that pipe's have."""

    def __init__(self, text):
        super().__init__(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message):
        self.exit(64, f"{self.prog}: {message}; see --help\n")


def warn(words):
    print(f"{os.path.basename(sys.argv[0])}: {words}", file=sys.stderr, flush=True)


def stop(status, words):
    warn(words)
    sys.exit(status)


def fault(error):
    """The status that pipe has for what is wrong with a file to read, and the words."""
    status = 77 if error.errno in DENIED else 66 if error.errno in ABSENT else 74
    return status, f"{error.filename}: {error.strerror}" if error.filename else error.strerror


def unwritable(error, status=74):
    """Of a file to write: the end."""
    stop(77 if error.errno in DENIED else status, fault(error)[1])


def missing(error, package):
    """Of an import that failed."""
    stop(69, f"{error}: install {package}")


def seconds(name, default):
    """A setting of the environment."""
    text = os.environ.get(name) or str(default)
    if not re.fullmatch("[0-9]{1,6}", text):
        stop(78, f"{name}: {text!r} is no number of seconds")
    return int(text)


def one_line(data):
    """JSON may be spread over lines; a record is one. What is no JSON stays as it is, and is refused."""
    data = data.strip(b" \t\r\n")
    if b"\n" in data or b"\r" in data:
        try:
            json.loads(data)
        except (ValueError, RecursionError):
            return data
        # Outside of strings, where alone JSON has them, they are white space.
        return data.replace(b"\n", b" ").replace(b"\r", b" ")
    return data


def store(records, window):
    """Takes pairs (key, bytes). When it returns all have their receipts, but those of the result:
    {index: reason}. A record whose key was stored within the window before is not stored again.
    Otherwise it ends the process with the status of pipe: nothing may be acknowledged then."""
    refused = {}
    lines, places = [], []
    for place, (_, data) in enumerate(records):
        # At the beginning of its input ingest leaves it out: it would be another's then.
        while data.startswith(codecs.BOM_UTF8):
            data = data[len(codecs.BOM_UTF8):]
        data = data.strip(b" \t\r")
        if not data or b"\n" in data:
            refused[place] = "no JSON" if data else "empty"
        else:
            lines.append(data)
            places.append(place)
    entries, bad = ingest(lines)
    for number, reason in bad.items():
        refused[places[number - 1]] = reason.decode(errors="replace")
    keys = [json.dumps(key).encode() for place, (key, _) in enumerate(records) if place not in refused]
    keyed = [b'{"key":%s,%s\n' % (key, entry[1:]) for key, entry in zip(keys, entries)]
    enqueue(b"".join(keyed), len(keyed), window)
    return refused


def ingest(lines):
    """Entry lines of the good ones; of the bad {number: reason}."""
    status, output, errors = pipe(
        ["ingest", "--records"], b"\n".join(lines), stderr=subprocess.PIPE)
    # It shows the first ten reasons. Data come as they are, so what is not among them was rejected.
    reasons = {int(number): reason for number, reason in REJECTED.findall(errors)}
    entries, bad = output.split(b"\n")[:-1], {}
    for number, line in enumerate(lines, 1):
        good = number - len(bad) - 1
        if good >= len(entries) or entries[good].partition(b',"data":')[2] != line + b"}":
            bad[number] = reasons.get(number, b"no JSON")
    if status not in (0, 65) or len(entries) + len(bad) != len(lines) or not reasons.keys() <= bad.keys():
        sys.stderr.buffer.write(errors)
        sys.exit(status or 70)
    return entries, bad


def enqueue(lines, count, window):
    status, receipts, _ = pipe(["enqueue", "--wait", "1m", "--dedup", window], lines)
    if status or receipts.count(b"\n") != count:
        sys.exit(status or 70)


def pipe(arguments, lines, **more):
    """Its status, of a signal as a shell says it, and what it has printed."""
    try:
        done = subprocess.run(
            ["pipe", *arguments], input=lines, stdout=subprocess.PIPE, check=False, **more)
    except OSError as error:
        stop(69, f"pipe cannot be run: {error.strerror}")
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return status, done.stdout, done.stderr


def keep(path, data):
    """Appends what was refused to a file, on disk when it returns, and so is its name."""
    try:
        with open(path, "ab") as file:
            file.write(data + b"\n")
            file.flush()
            os.fsync(file.fileno())
        directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
    except OSError as error:
        unwritable(error)
