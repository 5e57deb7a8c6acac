"""Intrinsic sliced Wasserstein tests: calibration, power beside tests of pooled points, real days, simulations.

Two collections of distributions are compared by permutation of labels (199 resamples in simulations) and by combined t
tests of coordinates (Cauchy unless said otherwise). Rejection rates are at the level 5 %.

Every contender permutes whole distributions, so that all keep their level; what differs is the statistic. The three
baselines compare the groups after pooling: maximum mean discrepancy of pooled points (a Gaussian kernel with the median
distance; on the graph the heat kernel), Euclidean distance of mean histograms (24 bins on the circle, the 12 nearest
directions of an icosahedron on the sphere, nodes of the graph), and sliced Wasserstein of pooled points along 20 random
directions of the surrounding space (circle and sphere).

The published example, thefts of Chicago by police beat, needs a file that is not among the data sets here. The same
question is asked of benzene over the hours of the day in an Italian city: each complete day is a distribution over a
cycle of 24 hours, with the settings of the published script (biharmonic weights, 20 eigenvectors, 5 quantiles).
"""

import itertools
from functools import cache

import numpy as np
from scipy import sparse, stats

from claims.experiment import Outcome, check
from holonomy.datasets import load
from holonomy.stats import IntrinsicSlices, collection_test
from holonomy.stats._push_forward import split_statistics

DOMAINS = ("circle", "sphere", "grid")
REPEATS = 400
POWER_REPEATS = 40
SIZES = (20, 30)
POINTS = 50
RESAMPLES = 199
LEVEL = 0.05
SIDE = 10
DELTAS = (0.0, 5.0, 10.0, 20.0, 30.0)
SETTINGS = {"n_slices": 15, "n_quantiles": 20}


@cache
def grid_graph():
    """Return the adjacency of a square grid, and the places of its nodes."""
    path = sparse.diags_array([np.ones(SIDE - 1)] * 2, offsets=[-1, 1])
    eye = sparse.eye_array(SIDE)
    places = np.stack(np.divmod(np.arange(SIDE**2), SIDE), axis=1).astype(float)
    return sparse.csr_array(sparse.kron(path, eye) + sparse.kron(eye, path)), places


@cache
def slices(domain):
    """Return the slices of a domain."""
    return IntrinsicSlices(grid_graph()[0] if domain == "grid" else domain, **SETTINGS)


def cloud(domain, rng, center, spread, n):
    """Return n points around a center: an angle, a unit vector, or a place on the grid."""
    if domain == "circle":
        return center + spread * rng.standard_normal(n)
    if domain == "sphere":
        x = center + spread * rng.standard_normal((n, 3))
        return x / np.linalg.norm(x, axis=1, keepdims=True)
    at = np.clip(np.rint(center + 3.0 * spread * rng.standard_normal((n, 2))), 0, SIDE - 1).astype(int)
    return at[:, 0] * SIDE + at[:, 1]


CENTERS = {
    "circle": (-0.8, 0.8),
    "sphere": (np.array([0.6, 0.0, 0.8]), np.array([-0.6, 0.0, 0.8])),
    "grid": (np.array([2.5, 4.5]), np.array([6.5, 4.5])),
}


def mixture(domain, rng, shift=0.0, spread=0.5, share=None):
    """Return a sample of two clouds with a random share; ``shift`` moves both in one direction."""
    share = rng.beta(3.0, 3.0) if share is None else share
    first = rng.binomial(POINTS, share)
    move = {"circle": shift, "sphere": np.array([0.0, shift, 0.0]), "grid": np.array([0.0, 3.0 * shift])}[domain]
    jitter = 0.1 * rng.standard_normal(() if domain == "circle" else 3 if domain == "sphere" else 2)
    jitter = jitter * (3.0 if domain == "grid" else 1.0)
    parts = [
        cloud(domain, rng, center + move + jitter, spread, n)
        for center, n in zip(CENTERS[domain], (first, POINTS - first), strict=True)
    ]
    return np.concatenate(parts)


def groups(domain, case, n, rng):
    """Return two collections of n distributions each."""
    if case == "mixture":  # shares near 1/2, or near 0 and 1: the pooled points have one law
        sides = rng.permutation(np.resize([0.1, 0.9], n))
        return [mixture(domain, rng, share=0.5) for _ in range(n)], [mixture(domain, rng, share=s) for s in sides]
    change = {"null": {}, "location": {"shift": 0.08}, "dispersion": {"spread": 0.6}}[case]
    return [mixture(domain, rng) for _ in range(n)], [mixture(domain, rng, **change) for _ in range(n)]


@cache
def null_pvalues(domain, seed):
    """Return p-values of both tests for collections of one law, (REPEATS, 2)."""
    rng = np.random.default_rng((seed, DOMAINS.index(domain)))
    cut, found = slices(domain), []
    for _ in range(REPEATS):
        rows = [cut.transform(group) for group in groups(domain, "null", 30, rng)]
        options = {"embedded": True, "n_resamples": RESAMPLES, "random_state": rng}
        found.append([collection_test(*rows, cut, method, **options).pvalue for method in ("permutation", "combine")])
    return np.array(found)


def both(function):
    """Return a number for each domain and test."""
    return {
        f"{domain}, {method}": function(domain, column)
        for domain in DOMAINS
        for column, method in enumerate(("permutation", "combined t"))
    }


@check(
    "Both tests keep their level: of 400 comparisons of 30 with 30 distributions of one random mixture law, on circle, "
    "sphere and a 10 x 10 grid, between 3 and 7.5 % are rejected at 5 %.",
    "abs(measured - 0.0525) <= 0.0225",
)
def calibration(seed):
    """Count p-values of at most 0.05."""
    return Outcome(both(lambda domain, column: float((null_pvalues(domain, seed)[:, column] <= LEVEL).mean())))


@check(
    "The p-values of both tests are uniform where nothing differs: Kolmogorov and Smirnov's test of 400 has p at least "
    "0.01.",
    "measured >= 0.01",
    reason="The permutation test is uniform but for chance (one of nine is below 0.01). The Cauchy combination "
    "of dependent p-values is calibrated in its tail only, which is what it promises: of 300 independent p-values "
    "it is uniform (Kolmogorov-Smirnov p = 0.74 in 400 repetitions), of 300 with correlation 0.25 it is not (p = "
    "9e-17, median 0.69), and quantiles of one slice depend on each other more than that. Rejections at 5 % are "
    "right (see calibration).",
)
def uniform_pvalues(seed):
    """Compare with the uniform distribution."""
    return Outcome(
        both(lambda domain, column: float(stats.kstest(null_pvalues(domain, seed)[:, column], "uniform").pvalue))
    )


def permuted_pvalue(gram, n, rng):
    """Return the p-value of the squared difference of group means by permutation of labels, for a Gram matrix."""
    signs = np.concatenate([np.full(n, 1.0 / n), np.full(n, -1.0 / n)])
    every = np.concatenate([signs[None], rng.permuted(np.tile(signs, (RESAMPLES, 1)), axis=1)])
    values = np.einsum("bi,bi->b", every @ gram, every)
    return float((values >= values[0] * (1.0 - 1e-12)).mean())


def ambient(domain, points):
    """Return coordinates in the surrounding space."""
    if domain == "circle":
        return np.stack([np.cos(points), np.sin(points)], axis=-1)
    return grid_graph()[1][points] if domain == "grid" else points


@cache
def heat_kernel():
    """Return the heat kernel of the grid."""
    graph = grid_graph()[0].toarray()
    values, vectors = np.linalg.eigh(np.diag(graph.sum(axis=1)) - graph)
    return (vectors * np.exp(-values)) @ vectors.T


def histograms(domain, samples):
    """Return shares in bins, one row a sample."""
    if domain == "circle":
        edges = np.linspace(-np.pi, np.pi, 25)
        return np.array([np.histogram((s + np.pi) % (2 * np.pi) - np.pi, edges)[0] for s in samples]) / POINTS
    if domain == "grid":
        return np.array([np.bincount(s, minlength=SIDE**2) for s in samples]) / POINTS
    golden = (1.0 + 5.0**0.5) / 2.0
    corners = np.array([np.roll((0, a, b * golden), k) for k in range(3) for a in (-1, 1) for b in (-1, 1)])
    return np.array([np.bincount((s @ corners.T).argmax(axis=1), minlength=12) for s in samples]) / POINTS


def pooled_mmd(domain, samples, n, rng):
    """Return the p-value of the discrepancy of pooled points."""
    if domain == "grid":
        shares = histograms(domain, samples)
        return permuted_pvalue(shares @ heat_kernel() @ shares.T, n, rng)
    x = np.concatenate([ambient(domain, s) for s in samples]).astype(np.float32)
    squares = np.maximum(2.0 - 2.0 * x @ x.T, 0.0)  # all have length 1
    kernel = np.exp(-squares / np.median(squares[::17, ::17]))
    means = kernel.reshape(len(samples), POINTS, len(samples), POINTS).mean(axis=(1, 3))
    return permuted_pvalue(means.astype(np.float64), n, rng)


def mean_histograms(domain, samples, n, rng):
    """Return the p-value of the distance of mean histograms."""
    shares = histograms(domain, samples)
    return permuted_pvalue(shares @ shares.T, n, rng)


def pooled_slices(domain, samples, n, rng):
    """Return the p-value of sliced Wasserstein of pooled points; it does not exist on a graph."""
    x = np.concatenate([ambient(domain, s) for s in samples])
    directions = rng.standard_normal((x.shape[1], 20))
    labels = np.arange(2 * n) < n
    every = np.concatenate([labels[None], rng.permuted(np.tile(labels, (RESAMPLES, 1)), axis=1)])
    values = x @ (directions / np.linalg.norm(directions, axis=0))
    found = split_statistics(values, (np.arange(50) + 0.5) / 50, np.repeat(every, POINTS, axis=1), np.ones(20))
    return float((found >= found[0] * (1.0 - 1e-12)).mean())


BASELINES = {"mmd": pooled_mmd, "histograms": mean_histograms, "sliced": pooled_slices}


@cache
def powers(domain, case, n, seed):
    """Return how often each test rejects."""
    rng = np.random.default_rng((seed, DOMAINS.index(domain), n, len(case)))
    cut, rejected = slices(domain), {}
    for _ in range(POWER_REPEATS):
        A, B = groups(domain, case, n, rng)
        rows = [cut.transform(group) for group in (A, B)]
        options = {"embedded": True, "n_resamples": RESAMPLES, "random_state": rng}
        found = {m: collection_test(*rows, cut, m, **options).pvalue for m in ("permutation", "combine")}
        for name, baseline in BASELINES.items():
            if name != "sliced" or domain != "grid":
                found[name] = baseline(domain, [*A, *B], n, rng)
        for name, pvalue in found.items():
            rejected[name] = rejected.get(name, 0.0) + (pvalue <= LEVEL) / POWER_REPEATS
    return rejected


def beside_baselines(case, method, seed):
    """Return our power and the best of the baselines for each domain and size."""
    measured, baseline = {}, {}
    for domain in DOMAINS:
        for n in SIZES:
            power = powers(domain, case, n, seed)
            measured[f"{domain}, {n} each"] = power[method]
            baseline[f"{domain}, {n} each"] = max(power[name] for name in BASELINES if name in power)
    return Outcome(measured, baseline)


@check(
    "Where the spread of the clouds grows, the permutation test rejects at least as often as the best of the tests of "
    "pooled points.",
    "mean(measured) >= mean(baseline)",
    reason="It fails on the circle only. The statistic sums squares that are not scaled by their spread, and there the "
    "random shares of the two clouds move the slices sin(x) and sin(2x), which hold 64 % of the variance of the "
    "embedding, while most of what the spread of the clouds changes lies elsewhere. With every coordinate divided "
    "by its standard deviation the same permutation test finds 77 % instead of 17 %, and the combined t tests, "
    "which do just that, find 97 %.",
)
def dispersion_by_permutation(seed):
    """Compare power."""
    return beside_baselines("dispersion", "permutation", seed)


@check(
    "Where the spread of the clouds grows, the combined t tests reject at least as often as the best of the tests of "
    "pooled points.",
    "mean(measured) >= mean(baseline)",
)
def dispersion_by_combination(seed):
    """Compare power."""
    return beside_baselines("dispersion", "combine", seed)


@check(
    "Where both groups have the same pooled law, and only the shares of the clouds differ, the permutation test "
    "rejects at least as often as the best of the tests of pooled points.",
    "mean(measured) >= mean(baseline)",
)
def mixtures_by_permutation(seed):
    """Compare power."""
    return beside_baselines("mixture", "permutation", seed)


@check(
    "Where both groups have the same pooled law, and only the shares of the clouds differ, the combined t tests reject "
    "in at least half of the cases.",
    "mean(measured) >= 0.5",
    reason="Groups of 20 and 30 are small for it: the shares of one group are all near 0.1 or 0.9, so that its mean "
    "embedding varies much. Power grows from 10 % with 20 to 98 % with 30 on the circle, and with 60 "
    "distributions each the combined t tests reject all of twelve on the sphere and on the grid.",
)
def mixtures_by_combination(seed):
    """Count rejections."""
    return Outcome(beside_baselines("mixture", "combine", seed).measured)


@check(
    "Where the clouds move, both tests reject at least as often as the best of the tests of pooled points.",
    "mean(measured) >= mean(baseline)",
    reason="No test finds these shifts often (3 to 25 %): ours is the lower of two and the baseline the best of "
    "three, and they are at most 0.05 apart on average, which is the standard error of 40 comparisons.",
)
def location(seed):
    """Compare power; ours is the lower of the two tests."""
    found = {m: beside_baselines("location", m, seed) for m in ("permutation", "combine")}
    lower = {case: min(f.measured[case] for f in found.values()) for case in found["combine"].measured}
    return Outcome(lower, found["combine"].baseline)


@cache
def days():
    """Return benzene by hour for complete days, shares of the day, and the day of the week, Monday 0."""
    data = load("air_quality")
    column = list(data.feature_names).index("C6H6(GT)")
    times = np.asarray(data.time).astype("datetime64[h]")
    first = times.min().astype("datetime64[D]")
    day = (times.astype("datetime64[D]") - first).astype(int)
    hour = (times - times.astype("datetime64[D]")).astype(int)
    table = np.full((day.max() + 1, 24), np.nan)
    table[day, hour] = data.X[:, column]
    weekday = (first.astype(int) + 3 + np.arange(len(table))) % 7  # the first of January 1970 was a Thursday
    whole = np.isfinite(table).all(axis=1) & (table.min(axis=1) >= 0)
    return table[whole] / table[whole].sum(axis=1, keepdims=True), weekday[whole]


@cache
def hours():
    """Return the slices of the cycle of hours."""
    cycle = np.roll(np.eye(24), 1, axis=0) + np.roll(np.eye(24), -1, axis=0)
    return IntrinsicSlices(cycle, 20, "biharmonic", n_quantiles=5, quantiles="reference")


def compared(A, B, seed):
    """Return p-values of three tests."""
    rows = [hours().transform(group) for group in (A, B)]
    return {
        "permutation": collection_test(*rows, hours(), n_resamples=19_999, embedded=True, random_state=seed).pvalue,
        "cauchy": collection_test(*rows, hours(), "combine", embedded=True).pvalue,
        "harmonic": collection_test(*rows, hours(), "combine", combine="harmonic", embedded=True).pvalue,
    }


@check(
    "Benzene over the hours of Tuesdays and of Thursdays does not differ: p is above 0.2.",
    "measured > 0.2",
    reason="These days do differ in this city, other than thefts in Chicago. From midnight to four a Thursday has more "
    "of its benzene than a Tuesday (at midnight 30 instead of 20 thousandths), and from ten to two less: Welch's test "
    "of a single hour has p below 0.001 in most of these hours, with no distance of distributions involved.",
)
def tuesdays_and_thursdays(seed):
    """Compare days of the week."""
    shares, weekday = days()
    return Outcome(compared(shares[weekday == 1], shares[weekday == 3], seed))


@check("Benzene over the hours of Tuesdays and of Saturdays differs: p is below 1e-4.", "measured < 0.0001")
def tuesdays_and_saturdays(seed):
    """Compare days of the week."""
    shares, weekday = days()
    return Outcome(compared(shares[weekday == 1], shares[weekday == 5], seed))


@check(
    "With labels of Tuesdays and Saturdays shuffled, between 3 and 7.5 % of 400 comparisons are rejected at 5 %.",
    "abs(measured - 0.0525) <= 0.0225",
)
def shuffled_days(seed):
    """Count rejections."""
    shares, weekday = days()
    rng = np.random.default_rng(seed)
    rows = hours().transform(shares[(weekday == 1) | (weekday == 5)])
    count, rejected = int((weekday == 1).sum()), {"permutation": 0.0, "combine": 0.0}
    for _ in range(REPEATS):
        order = rng.permutation(len(rows))
        parts = rows[order[:count]], rows[order[count:]]
        for method in rejected:
            options = {"embedded": True, "n_resamples": RESAMPLES, "random_state": rng}
            rejected[method] += (collection_test(*parts, hours(), method, **options).pvalue <= LEVEL) / REPEATS
    return Outcome(rejected)


@cache
def von_mises_rates(delta, repeats, seed):
    """Return the rejection rates of the published simulation on the circle: 60 and 40 samples of 100 points."""
    rng = np.random.default_rng((seed, int(10 * delta)))
    cut = IntrinsicSlices("circle", 20, n_quantiles=20, quantiles="reference")
    rejected = {"permutation": 0.0, "combine": 0.0}
    for _ in range(repeats):
        rows = [
            cut.transform([rng.vonmises(mean, 2.0, 100) for mean in rng.normal(np.radians(shift), 0.1, n)])
            for shift, n in ((0.0, 60), (delta, 40))
        ]
        for method in rejected:
            options = {"embedded": True, "n_resamples": RESAMPLES, "random_state": rng}
            rejected[method] += (collection_test(*rows, cut, method, **options).pvalue <= LEVEL) / repeats
    return rejected


@check(
    "Published simulation on the circle (60 and 40 samples of 100 points, concentration 2): without a shift between 3 "
    "and 7.5 % of 400 are rejected.",
    "abs(measured - 0.0525) <= 0.0225",
)
def size_on_the_circle(seed):
    """Count rejections."""
    return Outcome(von_mises_rates(0.0, REPEATS, seed))


@check(
    "Published simulation on the circle: power rises with the shift from 0 to 5, 10, 20 and 30 degrees.",
    "mean(measured) >= mean(baseline)",
)
def rising_power_on_the_circle(seed):
    """Compare the power at each shift with that at the next smaller one."""
    rates = {delta: von_mises_rates(delta, REPEATS if delta == 0 else 60, seed) for delta in DELTAS}
    measured, baseline = {}, {}
    for smaller, larger in itertools.pairwise(DELTAS):
        for method in ("permutation", "combine"):
            measured[f"{larger:g} degrees, {method}"] = rates[larger][method]
            baseline[f"{larger:g} degrees, {method}"] = rates[smaller][method]
    return Outcome(measured, baseline)


@check("Published simulation on the circle: a shift of 30 degrees is found in 95 % and more.", "measured >= 0.95")
def large_shifts_on_the_circle(seed):
    """Count rejections."""
    return Outcome(von_mises_rates(30.0, 60, seed))


@cache
def line_rates(delta, repeats, seed):
    """Return rejection rates on the line: counts of 1,000 at 30 places, whose intensity is a random Fourier series."""
    rng = np.random.default_rng((seed, int(1000 * delta)))
    cut = IntrinsicSlices("interval", **SETTINGS)
    x = (np.arange(30) + 0.5) / 30

    def sample(shift):
        waves = np.stack([f(2.0 * np.pi * k * (x - shift)) for k in (1, 2) for f in (np.cos, np.sin)])
        intensity = np.exp(np.array([1.0, 0.5, 0.3, 0.2]) * (1.0 + 0.3 * rng.standard_normal(4)) @ waves)
        return rng.multinomial(1000, intensity / intensity.sum())

    rejected = {"permutation": 0.0, "combine": 0.0}
    for _ in range(repeats):
        rows = [cut.transform(np.array([sample(shift) for _ in range(30)])) for shift in (0.0, delta)]
        for method in rejected:
            options = {"embedded": True, "n_resamples": RESAMPLES, "random_state": rng}
            rejected[method] += (collection_test(*rows, cut, method, **options).pvalue <= LEVEL) / repeats
    return rejected


@check(
    "Simulation on the line (30 places, counts of 1,000, random Fourier intensity): without a shift between 3 and "
    "7.5 % of 400 are rejected.",
    "abs(measured - 0.0525) <= 0.0225",
    reason="The permutation test keeps its level (4 to 5 %). The combined t tests reject too seldom (1.3 to 3 %): they "
    "err on the safe side, and find the shift of 0.02 nearly always. Counts on 30 places have few different "
    "quantiles, which may be why; it was not tried with more places.",
)
def size_on_the_line(seed):
    """Count rejections."""
    return Outcome(line_rates(0.0, REPEATS, seed))


@check(
    "Simulation on the line: power rises with the shift from 0 to 0.01, 0.02 and 0.04.",
    "mean(measured) >= mean(baseline)",
)
def rising_power_on_the_line(seed):
    """Compare the power at each shift with that at the next smaller one."""
    shifts = (0.0, 0.01, 0.02, 0.04)
    rates = {shift: line_rates(shift, REPEATS if shift == 0 else 60, seed) for shift in shifts}
    measured, baseline = {}, {}
    for smaller, larger in itertools.pairwise(shifts):
        for method in ("permutation", "combine"):
            measured[f"{larger:g}, {method}"] = rates[larger][method]
            baseline[f"{larger:g}, {method}"] = rates[smaller][method]
    return Outcome(measured, baseline)
