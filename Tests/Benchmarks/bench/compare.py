"""Interleaved repetitions (A B A B …) and the figures computed from them.

A contestant is a function that runs once and returns a list of samples (one wall time is a list of one). The samples
of A and B in one repetition are a pair. A ratio is the median of the ratios of the pairs, so that a slow minute of the
machine, which affects both, counts for little.
"""
import statistics

from .process import Failed, Missing


def percentile(samples, p):
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * p))]


def p50(samples):
    return percentile(samples, 0.50)


def p99(samples):
    return percentile(samples, 0.99)


mean = statistics.fmean


class Results:
    def __init__(self):
        self.rounds = {}  # contestant -> a list of samples per repetition
        self.absent = {}  # contestant -> the reason why it has no samples

    def add(self, name, samples):
        self.rounds.setdefault(name, []).append(samples)

    def has(self, *names):
        return all(n in self.rounds and n not in self.absent for n in names)

    def why(self, *names):
        return next((self.absent[n] for n in names if n in self.absent), "not measured")

    def pooled(self, name, figure):
        """Returns the figure over the samples of all repetitions."""
        return figure([s for r in self.rounds[name] for s in r])

    def median(self, name, figure):
        """Returns the median of the figures of the repetitions."""
        return statistics.median(map(figure, self.rounds[name]))

    def ratio(self, a, b, figure):
        return statistics.median(figure(x) / figure(y) for x, y in zip(self.rounds[a], self.rounds[b]))


def interleave(context, repetitions, contestants):
    """Runs the contestants in turn, repeatedly. One that cannot run drops out with a reason; the others continue."""
    results = Results()
    for i in range(repetitions):
        for name, run in contestants.items():
            if name in results.absent:
                continue
            try:
                results.add(name, run())
            except Missing as e:
                results.absent[name] = "SKIPPED: %s" % e
            except Failed as e:
                results.absent[name] = "FAILED: %s" % e
            if name in results.absent:
                context.say("  %s: %s" % (name, results.absent[name]))
        context.say("  %d of %d" % (i + 1, repetitions))
    return results
