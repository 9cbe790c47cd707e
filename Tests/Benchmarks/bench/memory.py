"""E9: the largest resident size of each filter for the bulk file and for one huge line, and the size of the binary."""
import os
import re
import shutil
import subprocess

from .context import tool
from .process import Failed, Missing, pipeline
from .table import Bar

MIB = 1 << 20


def resident(context, command, stdin=None, stdout=None, ok=(0,)):
    """Returns MiB. The wrapper shares stderr with the command; its number is the last line."""
    with open(stdin or os.devnull, "rb") as first, open(stdout or os.devnull, "wb") as last:
        done = subprocess.run([context.client("resident"), "--", *command], stdin=first, stdout=last,
                              stderr=subprocess.PIPE, text=True)
    said = done.stderr.strip().splitlines() or [""]
    if done.returncode not in ok or not re.fullmatch(r"\d+", said[-1]):
        raise Failed("%s: status %d: %s" % (command[1], done.returncode, " / ".join(said[-2:])))
    return int(said[-1]) / 1024


def huge_line(context):
    path = os.path.join(context.dir, "huge")
    with open(path, "wb") as f:
        f.write(b'{"data":"')
        for _ in range(10 if context.quick else 100):
            f.write(b"x" * MIB)
        f.write(b'"}\n')
    return path


def measure(context, table):
    file, entries, queue = context.records(context.bulk), os.path.join(context.dir, "entries"), context.fresh("pipe")
    second, third = context.fresh("second"), context.fresh("third")
    huge = huge_line(context)
    size = "%d MiB line" % (os.path.getsize(huge) // MIB)
    jq = lambda: resident(context, [tool("jq"), "-c", "."], context.records(context.bulk // 10))
    steps = (
        ("ingest, %d records" % context.bulk, lambda: resident(context, [context.binary, "ingest"], file, entries), jq),
        ("enqueue, the same", lambda: resident(context, context.pipe("enqueue", queue, "--quiet"), entries), None),
        ("enqueue --raw, the same",
         lambda: resident(context, context.pipe("enqueue", second, "--raw", "--quiet"), file), None),
        ("consume, the same", lambda: resident(context, context.pipe("consume", queue)), None),
        ("ingest, a " + size, lambda: resident(context, [context.binary, "ingest"], huge, None, (0, 65)), None),
        ("enqueue --raw, a " + size,
         lambda: resident(context, context.pipe("enqueue", third, "--raw"), huge, None, (0, 65)), None))
    for what, run, peer in steps:
        bar = Bar("<", 64, "MiB", own=True)
        try:
            own = run()
            table.add("E9", "resident: " + what, "%.1f MiB" % own, beside(peer), None, bar, bar.reached(own, None))
        except (Missing, Failed) as e:
            word = "SKIPPED" if isinstance(e, Missing) else "FAILED"
            table.add("E9", "resident: " + what, bar=bar, reached="%s: %s" % (word, e))
    binary_size(context, table)


def beside(peer):
    try:
        return "jq: %.1f MiB" % peer() if peer else "–"
    except (Missing, Failed) as e:
        return "SKIPPED: %s" % e


def binary_size(context, table):
    bar, copy = Bar("<", 25, "MB", own=True), os.path.join(context.dir, "stripped")
    shutil.copy(context.binary, copy)
    try:
        pipeline([tool("strip"), copy])
        size = os.path.getsize(copy) / 1e6
        table.add("E9", "binary, stripped", "%.1f MB" % size, "–", None, bar, bar.reached(size, None))
    except (Missing, Failed) as e:
        table.add("E9", "binary, stripped", bar=bar, reached="SKIPPED: %s" % e)
