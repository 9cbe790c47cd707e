"""The lines of the report, each with its bar."""
import operator

COLUMNS = ("row", "what", "pipe", "strongest peer / floor", "ratio", "bar", "reached?")
TESTS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "==": operator.eq}


class Bar:
    """`Bar(">=", 2)` applies to the ratio, `Bar("<=", 120, "µs", own=True)` to pipe's own figure."""

    def __init__(self, test, limit, text="×", own=False):
        self.test, self.limit, self.text, self.own = test, limit, text, own

    def __str__(self):
        return "%s %g %s" % (self.test, self.limit, self.text)

    def reached(self, own, ratio):
        value = own if self.own else ratio
        return "–" if value is None else "yes" if TESTS[self.test](value, self.limit) else "NO"


class Table:
    def __init__(self):
        self.lines, self.notes, self.failed = [], [], False
        self.compared = []  # What `report` draws.

    def add(self, row, what, pipe="–", peer="–", ratio=None, bar="–", reached="–"):
        ratio = "–" if ratio is None else "%.2f" % ratio
        self.lines.append((row, what, pipe, peer, ratio, str(bar), reached))
        self.failed |= reached.startswith("FAILED")

    def compare(self, row, what, results, pipe, peer, figure, show, bar=None, pooled=False):
        """Compares two contestants by one figure, formatted by `show`."""
        value = (lambda n: results.pooled(n, figure)) if pooled else (lambda n: results.median(n, figure))
        text = [show(value(n)) if results.has(n) else "–" for n in (pipe, peer)]
        both = results.has(pipe, peer)
        ratio = results.ratio(pipe, peer, figure) if both else None
        own = value(pipe) if results.has(pipe) else None
        if both:
            self.compared.append({"row": row, "what": what, "peer": peer, "figures": text, "ratio": ratio,
                                  "is_time": show is micros})
        known = both or (bar and bar.own and own is not None)
        reached = (bar.reached(own, ratio) if bar else "–") if known else results.why(pipe, peer)
        self.add(row, what, text[0], "%s: %s" % (peer, text[1]), ratio, bar or "–", reached)

    def note(self, text):
        self.notes.append(text)

    def text(self):
        rows = [COLUMNS] + self.lines
        width = [max(len(r[i]) for r in rows) for i in range(len(COLUMNS) - 1)]
        out = []
        for i, r in enumerate(rows):
            cells = [c.rjust(w) if k in (2, 4) else c.ljust(w) for k, (c, w) in enumerate(zip(r, width))]
            out.append("  ".join(cells + [r[-1]]).rstrip())
            if i == 0:
                out.append("  ".join("-" * w for w in width + [len(COLUMNS[-1])]))
        return "\n".join(out + ([""] + self.notes if self.notes else []))


def per_second(value):
    if value >= 1e6:
        return "%.2f M/s" % (value / 1e6)
    return "%.0f k/s" % (value / 1e3) if value >= 2e4 else "%.0f/s" % value


def micros(value):
    return "%.0f µs" % value if value < 10_000 else "%.1f ms" % (value / 1e3)


def megabytes(value):
    return "%.0f MB/s" % value
