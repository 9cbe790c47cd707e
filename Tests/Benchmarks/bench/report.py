"""The figures of a run as JSON, and from it a table in Markdown and a chart in SVG."""
import datetime
import json
import math
import os
import platform
import re
import subprocess
from html import escape

from .context import filesystem

# Debian packages of the peers, and what each has done before it reports success.
PEERS = {
    "sqlite3": "SQLite: WAL, synchronous=FULL; flushed once per transaction",
    "task-spooler": "keeps its list in memory",
    "nq": "one file per job, not flushed",
    "beanstalkd": "-f 0: each job flushed",
    "findutils": "xargs: stores nothing",
    "jq": "stores nothing",
    "postgresql": "each commit flushed",
    "rabbitmq-server": "durable queue, persistent messages, acknowledged after the commit",
    "wrk": "the load of G1 and G3",
}


def save(path, context, table):
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        models = re.findall(r"^model name\s*: (.*)$", f.read(), re.M)
    with open("/proc/meminfo", encoding="ascii") as f:
        memory = int(re.search(r"MemTotal:\s*(\d+)", f.read())[1])
    machine = "%d × %s, %.0f GiB of memory, Linux %s, %s" % (
        os.cpu_count(), models[0] if models else platform.machine(), memory / 2**20, platform.release(),
        filesystem(context.dir))
    versions = {name: version(name) for name in PEERS}
    with open(path, "w", encoding="utf-8") as f:
        json.dump({
            "date": datetime.date.today().isoformat(), "machine": machine,
            "pipe": subprocess.run([context.binary, "--version"], capture_output=True, text=True).stdout.strip(),
            "versions": {name: text for name, text in versions.items() if text},
            "lines": table.lines, "compared": table.compared}, f, ensure_ascii=False, indent=1)
        f.write("\n")


def version(package):
    """Returns None if the package is not installed."""
    try:
        done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", package],
                              capture_output=True, text=True)
    except FileNotFoundError:
        return None
    found = re.fullmatch(r"ii\s+(?:\d+:)?([^+~-]+).*", done.stdout)
    return found and found[1]


def markdown(run):
    lines = [
        "# Figures", "",
        "`Tests/Benchmarks/run --save` measured these figures on %s, with pipe %s on %s. "
        "[README.md](README.md) explains each row." % (run["date"], run["pipe"], run["machine"]), "",
        "![pipe compared with its peers](figures.svg)", "",
        "| row | what | pipe | peer or floor | ratio | bar | reached |", "|---|---|--:|---|--:|---|---|"]
    for line in run["lines"]:
        lines.append("| %s |" % " | ".join(cell.strip().replace("|", "\\|").replace("\n", " ") for cell in line))
    lines += ["", "| peer | version | durability |", "|---|---|---|"]
    for name, durability in PEERS.items():
        if name in run["versions"]:
            lines.append("| %s | %s | %s |" % (name, run["versions"][name], durability))
    return "\n".join(lines) + "\n"


WIDTH, ROW, LEFT, RIGHT = 1000, 22, 430, 230
MOST = 64  # Ratios beyond this are drawn at the edge.


def chart(run):
    """Returns a bar for the first comparison with each peer of a row, on a logarithmic scale around 1, where both are
    equally fast."""
    first = {}
    for c in run["compared"]:
        first.setdefault((c["row"], c["peer"]), c)
    bars = [(speed(c), c) for c in first.values()]
    height = 64 + ROW * len(bars)
    middle, half = LEFT + (WIDTH - LEFT - RIGHT) / 2, (WIDTH - LEFT - RIGHT) / 2
    place = lambda ratio: middle + half * logarithm(ratio)
    out = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">'
        % (WIDTH, height), "<title>pipe compared with its peers</title>",
        '<rect width="%d" height="%d" fill="#fff"/>' % (WIDTH, height)]
    for ratio in (1 / 16, 1 / 4, 1, 4, 16):
        x = place(ratio)
        out.append('<line x1="%.1f" y1="30" x2="%.1f" y2="%d" stroke="%s"/>' % (
            x, x, height - 26, "#333" if ratio == 1 else "#ddd"))
        label = "equally fast" if ratio == 1 else "%d ×" % ratio if ratio > 1 else "1/%d" % (1 / ratio)
        out.append('<text x="%.1f" y="20" text-anchor="middle" fill="#555">%s</text>' % (x, label))
    for number, (ratio, c) in enumerate(bars):
        y = 34 + ROW * number
        x = place(ratio)
        out.append('<text x="%d" y="%d" text-anchor="end"><tspan fill="#888">%s</tspan> %s</text>' % (
            LEFT - 10, y + 13, c["row"], escape("%s : %s" % (c["what"].strip(), c["peer"]))))
        out.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>' % (
            min(x, middle), y + 3, max(1, abs(x - middle)), ROW - 8, "#2a7f62" if ratio >= 1 else "#b5651d"))
        out.append('<text x="%d" y="%d" fill="#333">%s</text>' % (
            WIDTH - RIGHT + 10, y + 13, escape("%.2f ×   (%s, %s)" % (ratio, *c["figures"]))))
    out.append('<text x="%d" y="%d" fill="#555">%s</text>' % (
        10, height - 8, escape("%s; %s" % (run["date"], run["machine"]))))
    return "\n".join(out + ["</svg>", ""])


def speed(comparison):
    """Returns the speed of pipe over that of its peer: of two times, the shorter one is faster."""
    return 1 / comparison["ratio"] if comparison["is_time"] else comparison["ratio"]


def logarithm(ratio):
    """Returns -1 at 1 / MOST, 0 at 1 and 1 at MOST."""
    return max(-1, min(1, math.log(ratio) / math.log(MOST)))
