"""Prints servers.tsv: λ, µ, c; Erlang's C from the Poisson distribution; and the median and the 99th percentile
of waiting and service in M/M/c, from the integral of the sum's distribution, by SciPy."""

from math import exp

from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import poisson

CASES = [
    (2, 3, 1), (0.001, 1000, 1), (0.999, 1, 1), (1, 1, 2), (2, 1, 3), (1, 2, 2), (1.999, 1, 2),
    (8, 1, 10), (3.99, 0.4, 10), (0.3, 0.1, 5), (90, 1, 100), (995, 1, 1000),
]


def longer(t, waiting, rate, drain):
    if t == 0:
        return 1
    after, _ = quad(
        lambda s: rate * exp(-rate * s) * exp(-drain * (t - s)), 0, t, epsabs=1e-13, epsrel=1e-12,
        points=[x / rate for x in (0.1, 1, 5, 20) if x / rate < t], limit=500)
    return (1 - waiting) * exp(-rate * t) + waiting * (exp(-rate * t) + after)


for arrivals, rate, servers in CASES:
    load = arrivals / rate
    full = poisson.pmf(servers, load) * servers / (servers - load)
    waiting = full / (poisson.cdf(servers - 1, load) + full)
    drain = servers * rate - arrivals
    row = [arrivals, rate, servers, waiting]
    for part in (0.5, 0.01):
        end = 100 * (1 / rate + 1 / drain)
        row.append(brentq(lambda t: longer(t, waiting, rate, drain) - part, 0, end, xtol=1e-14))
    print(*(repr(float(value)) for value in row), sep="\t")
