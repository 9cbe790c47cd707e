"""Prints welch.tsv: count, mean and variance of A and of B; t, degrees of freedom, p, and the 95 % interval of
the difference of the means (B less A), by SciPy."""

from math import sqrt

from scipy.stats import t as student
from scipy.stats import ttest_ind_from_stats

CASES = [
    ((2, 1, 0.5), (2, 2, 0.1)),
    ((2, 1, 0.5), (40, 1, 0.25)),
    ((10, 0.2, 0.01), (10, 0.2, 0.01)),
    ((15, 20.8, 7.9), (15, 23, 3.8)),
    ((10, 20.6, 9), (20, 22.1, 0.9)),
    ((30, 0.105, 0.000_004), (50, 0.102, 0)),
    ((1000, 0.0125, 0.0001), (1200, 0.011, 0.000_09)),
    ((3_000_000, 0.0125, 0.0001), (5_000_000, 0.01251, 0.0001)),
    ((10**12, 3, 4), (10**12, 3.000_01, 4)),
    ((50, 1, 1e-6), (50, 2, 1e-6)),
]

for (n, mean, variance), (m, other, spread) in CASES:
    found = ttest_ind_from_stats(other, sqrt(spread), m, mean, sqrt(variance), n, equal_var=False)
    one, two = variance / n, spread / m
    freedom = (one + two) ** 2 / (one**2 / (n - 1) + two**2 / (m - 1))
    half = student.ppf(0.975, freedom) * sqrt(one + two)
    row = [n, mean, variance, m, other, spread, found.statistic, freedom, found.pvalue]
    row += [other - mean - half, other - mean + half]
    print(*(repr(float(value)) for value in row), sep="\t")
