"""Prints student.tsv: degrees of freedom, t, the two-sided p and the quantile of 97.5 %, by SciPy."""

from scipy.stats import t as student

for freedom in [1, 1.37, 2, 4.5, 9, 30, 58.6, 1000, 123_456.7, 999_999, 1_000_001, 1e8, 1e12]:
    for t in [0, 1e-9, 0.001, 0.3, 1, 1.96, 2.5, 5, 12, 40]:
        p = 2 * student.sf(t, freedom)
        print(freedom, t, repr(float(p)), repr(float(student.ppf(0.975, freedom))), sep="\t")
