"""Prints ratios.tsv: part and rest of two proportions, and p of Pearson's test without the correction for
continuity, by SciPy."""

from scipy.stats import chi2_contingency

CASES = [
    (56, 14, 48, 32), (9, 1, 3, 7), (10, 0, 0, 10), (1, 999_999, 3, 999_997),
    (999_990, 10, 999_900, 100), (10**9, 10**6, 10**9, 10**6 + 3000), (5, 5, 5, 5), (0, 10, 1, 9),
]

for first, others, second, rest in CASES:
    p = chi2_contingency([[first, others], [second, rest]], correction=False).pvalue
    print(first, others, second, rest, repr(float(p)), sep="\t")
