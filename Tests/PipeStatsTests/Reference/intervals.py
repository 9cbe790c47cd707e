"""Prints intervals.tsv: part, rest, and the 95 % score interval of the proportion, by SciPy."""

from scipy.stats import binomtest

CASES = [
    (0, 1), (1, 0), (1, 1), (0, 10), (10, 0), (3, 7), (81, 182), (15, 133), (0, 20), (1, 28),
    (1, 999_999), (999_999, 1), (123_456, 654_321), (5 * 10**11, 5 * 10**11), (1, 10**15),
]

for part, rest in CASES:
    interval = binomtest(part, part + rest).proportion_ci(method="wilson")
    print(part, rest, repr(float(interval.low)), repr(float(interval.high)), sep="\t")
