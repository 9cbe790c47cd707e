"""Prints mannwhitney.tsv: two samples as value:count,…; U of the first and the two-sided p of the normal
approximation with the corrections for ties and continuity, by SciPy."""

import random
from collections import Counter

import numpy
from scipy.stats import mannwhitneyu

random.seed(20)


def drawn(count, scale, shift, digits):
    return Counter(round(random.expovariate(1 / scale) + shift, digits) for _ in range(count))


# The first is the example of SciPy's manual.
CASES = [
    (Counter([19, 22, 16, 29, 24]), Counter([20, 11, 17, 12])),
    (Counter([1]), Counter([2])),
    (Counter([1, 2]), Counter([1, 2])),
    (Counter([1, 2, 3]), Counter([4, 5, 6])),
    (Counter({5: 20}), Counter({5: 30})),
    (Counter({5: 20, 6: 1}), Counter({5: 30})),
    (drawn(40, 1, 0, 1), drawn(60, 1, 0.3, 1)),
    (drawn(500, 1, 0, 1), drawn(700, 1, 0.05, 1)),
    (drawn(3, 1, 0, 3), drawn(1000, 1, 0, 1)),
    (Counter({1: 900_000, 2: 100_000}), Counter({1: 1_200_000, 2: 134_000, 3: 10})),
    (Counter({1: 900_000, 2: 100_000}), Counter({1: 700_000, 2: 300_000})),
]

for first, second in CASES:
    one, two = (numpy.array(sorted(sample.elements()), dtype=float) for sample in (first, second))
    found = mannwhitneyu(one, two, method="asymptotic", alternative="two-sided")
    texts = [",".join(f"{v}:{n}" for v, n in sorted(c.items())) for c in (first, second)]
    print(*texts, repr(float(found.statistic)), repr(float(found.pvalue)), sep="\t")
