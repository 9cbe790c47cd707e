"""What the sources share: store a batch of records, each under a key of its own."""
import argparse
import json
import os
import re
import signal
import subprocess
import sys

# Ctrl-C ends a source as it ends other filters, without a traceback; it goes on where it was.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

REJECTED = re.compile(rb"stdin:(\d+): (.*)")


class Arguments(argparse.ArgumentParser):
    """The text of a program is its help, and its usage errors have the status that pipe's have."""

    def __init__(self, text):
        super().__init__(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message):
        self.exit(64, f"{self.prog}: {message}; see --help\n")


def missing(error, package):
    """Of an import that failed."""
    print(f"{os.path.basename(sys.argv[0])}: {error}: install {package}", file=sys.stderr)
    sys.exit(69)


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
        if not data or b"\n" in data:
            refused[place] = "no JSON" if data else "empty"
        else:
            lines.append(data)
            places.append(place)
    ingest = subprocess.run(
        ["pipe", "ingest", "--records"], input=b"\n".join(lines), capture_output=True, check=False)
    bad = {int(number): reason for number, reason in REJECTED.findall(ingest.stderr)}
    entries = ingest.stdout.splitlines()
    if ingest.returncode not in (0, 65) or len(entries) + len(bad) != len(lines):
        sys.stderr.buffer.write(ingest.stderr)
        sys.exit(ingest.returncode or 70)
    for number, reason in bad.items():
        refused[places[number - 1]] = reason.decode(errors="replace")
    keys = [json.dumps(key).encode() for place, (key, _) in enumerate(records) if place not in refused]
    keyed = [b'{"key":%s,%s\n' % (key, entry[1:]) for key, entry in zip(keys, entries)]
    enqueue(b"".join(keyed), len(keyed), window)
    return refused


def enqueue(lines, count, window):
    command = ["pipe", "enqueue", "--wait", "1m", "--dedup", window]
    done = subprocess.run(command, input=lines, stdout=subprocess.PIPE, check=False)
    # Of a signal: as a shell says it.
    status = done.returncode if done.returncode >= 0 else 128 - done.returncode
    if status or done.stdout.count(b"\n") != count:
        sys.exit(status or 70)


def keep(path, data):
    """Appends what was refused to a file, on disk when it returns."""
    with open(path, "ab") as file:
        file.write(data + b"\n")
        file.flush()
        os.fsync(file.fileno())
