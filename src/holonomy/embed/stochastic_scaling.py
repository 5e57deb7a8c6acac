"""Metric multidimensional scaling by stochastic descent on pairs: for many points, without a matrix of distances."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from holonomy._core.citations import references
from holonomy._core.parallel import in_threads, native_threads, thread_count
from holonomy._core.progress import ProgressBar, progress
from holonomy._core.random import RandomState, check_seed, derive_seed, generator
from holonomy._core.validation import check_float, check_int, check_option, check_points
from holonomy.embed._dissimilarities import check_distances, check_start, check_weights
from holonomy.embed._stress_kernels import descend_given, descend_vectors, unroll_pairs
from holonomy.embed.stress import Scaling, initial_coordinates
from holonomy.graphs._blocks import run_blocks
from holonomy.graphs._signs import orient

PAIRS = 3e7
"""Pairs after which a descent of automatic length ends, as long as every point has met enough others."""

FEWEST_ROUNDS = 400
SWEEPS = 15
"""Times that all pairs meet, where there are few."""

SMALL_ROUNDS = 20_000
"""Rounds of few points, which cost next to nothing."""

STEP_FROM_A_START = 0.2
"""First step from classical or given coordinates, which a step of 1 would forget; a random start needs the 1."""

PAIRS_PER_THREAD = 8_192
JUDGED_PAIRS = 500_000
NO_TABLE = np.empty((0, 0), dtype=np.float32)


@references("zheng2019graph")
def stochastic_mds(
    X: ArrayLike,
    n_components: int = 2,
    *,
    metric: str = "precomputed",
    weights: ArrayLike | None = None,
    weight_power: float = 0.0,
    init: Any = "classical",
    n_init: int = 1,
    n_rounds: int | None = None,
    random_state: RandomState = 0,
) -> Scaling:
    """Find coordinates whose distances are near to given ones, one pair at a time.

    In a round every point meets one other, and both move along the line between them towards their distance by a step
    that shrinks from round to round. The pairs of a round share no point, so rounds are shared out to threads and the
    same seed gives the same bits for any number of them. It escapes poor minima of the stress that majorisation ends
    in, and is quicker.

    Parameters
    ----------
    X : array-like of shape (n, n) or (n, p)
        Symmetric distances; or, with ``metric="euclidean"``, vectors whose Euclidean distances are meant (potentials of
        a diffusion, for instance), which are computed when two points meet and never stored.
    n_components : int, default 2
        Number of axes m.
    metric : {"precomputed", "euclidean"}, default "precomputed"
        What X holds.
    weights : array-like of shape (n, n), optional
        Symmetric weights of the pairs of a matrix of distances.
    weight_power : float, default 0.0
        q >= 0 of weights ``d^-q`` (times ``weights``): 0 for plain stress, 2 for relative errors, as in graph drawing.
        Distances below a thousandth of the largest count as that.
    init : {"classical", "random"} or array-like of shape (n, m), default "classical"
        Start; of vectors, ``"classical"`` are their principal components, which is the same.
    n_init : int, default 1
        Number of descents, of which the one with the least stress is kept: the first from ``init``, others from random
        coordinates, and turned to lie as the first does.
    n_rounds : int, optional
        Number of rounds. By default all pairs meet 15 times or more up to 2,000 points; beyond, about 30 million pairs
        meet, and every point at least 400 others.
    random_state : int, Generator, RandomState or None, default 0
        Seed.

    Returns
    -------
    Scaling
        The coordinates; their stress is estimated on a sample of pairs.

    Raises
    ------
    TypeError, ValueError
        If an argument has a wrong shape or value.

    References
    ----------
    Zheng, Pawar, Goodman (2019). Graph drawing by stochastic gradient descent. IEEE Transactions on Visualization and
    Computer Graphics 25, 2738-2748.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import stochastic_mds
    >>> square = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    >>> stochastic_mds(square, metric="euclidean").stress < 1e-3
    True
    """
    power = check_float(weight_power, "weight_power", minimum=0.0)
    is_given = check_option(metric, "metric", ("precomputed", "euclidean")) == "precomputed"
    target = check_distances(X, "X") if is_given else _vectors(X, weights)
    n = len(target)
    given = check_weights(weights, n) if is_given else None
    n_starts = check_int(n_init, "n_init", minimum=1)
    seed = check_seed(random_state)
    rng = generator(seed, "pairs")
    sampled, sampled_weights = _sample(target, given, is_given, rng)
    floor = 1e-3 * float(sampled.max(initial=0.0))
    if power and floor > 0:
        sampled_weights = sampled_weights * np.maximum(sampled, floor) ** -power
    rounds = _n_rounds(n) if n_rounds is None else check_int(n_rounds, "n_rounds", minimum=1)
    shifts = np.concatenate([rng.permutation(n) for _ in range(-(-rounds // n))])[:rounds]
    judged = rng.permutation(n)[: max(16, JUDGED_PAIRS // n)]
    goal = _Goal(target, given, is_given, power, floor)
    kinds = [(init, seed), *(("random", derive_seed(seed, f"start {i}")) for i in range(1, n_starts))]
    first_coordinates = initial_coordinates if is_given else _initial_from_vectors
    starts = [first_coordinates(kind, target, n_components, own) for kind, own in kinds]
    found: list[tuple[float, np.ndarray]] = [(np.inf, np.empty(0))] * n_starts

    def run(i: int) -> None:
        kind, start = kinds[i][0], starts[i]
        places = np.ascontiguousarray((start - start.mean(axis=0)).T)
        if n > 1 and floor > 0:
            step = 1.0 if isinstance(kind, str) and kind == "random" else STEP_FROM_A_START
            _descend(goal, places, shifts, _rates(sampled_weights, step, min(n, rounds), rounds), bar)
        positions = np.ascontiguousarray(places.T)
        positions -= positions.mean(axis=0)
        found[i] = goal.stress(positions, judged), positions

    with progress("Scaling", total=n_starts * rounds) as bar:
        # Descents whose rounds are too short to be shared out run beside one another instead.
        in_threads(run, range(n_starts), thread_count() if _n_threads(n) == 1 else 1)
    stress, best = min(found, key=itemgetter(0))
    return Scaling(_turned_onto(best, found[0][1]), stress, np.array([stress]), True)


class _Goal:
    """The distances and weights that coordinates shall meet, laid out for descent."""

    def __init__(
        self, target: np.ndarray, weights: np.ndarray | None, is_given: bool, power: float, floor: float
    ) -> None:
        self.target, self.weights, self.is_given = target, weights, is_given
        self.power, self.floor = power, floor
        self._distances: np.ndarray = _unrolled(target) if is_given else NO_TABLE
        self._weights: np.ndarray = _unrolled(weights)

    def descend(self, places: np.ndarray, shifts: np.ndarray, rates: np.ndarray, first: int, last: int) -> None:
        """Run rounds on the pairs from ``first`` to ``last``, in place, on coordinates of shape (m, n)."""
        rounds = (self.power, self.floor, shifts, rates, first, last)
        if self.is_given:
            descend_given(places, self._distances, self._weights, *rounds)
        else:
            descend_vectors(places, self.target, *rounds)

    def stress(self, positions: np.ndarray, shifts: np.ndarray) -> float:
        """Return the normalised stress on the pairs of some rounds."""
        n, target = len(positions), self.target
        missed = total = 0.0
        for shift in shifts:
            i, j = _pairs_of(int(shift), n)
            wanted = target[i, j] if self.is_given else np.linalg.norm(target[i] - target[j], axis=1)
            weight = np.ones(len(i)) if self.weights is None else self.weights[i, j]
            if self.power:
                weight = weight * np.maximum(wanted, self.floor) ** -self.power
            gaps = wanted - np.linalg.norm(positions[i] - positions[j], axis=1)
            missed += float(np.sum(weight * gaps**2))
            total += float(np.sum(weight * wanted.astype(np.float64) ** 2))
        return float(np.sqrt(missed / total)) if total > 0 else 0.0


def _turned_onto(positions: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return positions turned or reflected so as to lie nearest to others; themselves if they are the others."""
    if positions is others:
        return positions
    with native_threads(1):
        left, _, right = np.linalg.svd(positions.T @ others)
    return positions @ (left @ right)


def _vectors(X: ArrayLike, weights: ArrayLike | None) -> np.ndarray:
    if weights is not None:
        raise ValueError("weights need a matrix of distances; of vectors, use weight_power.")
    return np.ascontiguousarray(check_points(X), dtype=np.float32)


def _initial_from_vectors(init: Any, vectors: np.ndarray, n_components: int, random_state: RandomState) -> np.ndarray:
    m = check_int(n_components, "n_components", minimum=1)
    n, p = vectors.shape
    if not isinstance(init, str):
        return check_start(init, n, m)
    seed = derive_seed(check_seed(random_state), "start")
    if check_option(init, "init", ("classical", "random")) == "random":
        spread = float(np.sqrt(vectors.var(axis=0, dtype=np.float64).sum() / m)) or 1.0
        return spread * generator(seed).standard_normal((n, m))
    rank = min(m, p)
    start = np.zeros((n, m))
    with native_threads(1):
        centred = vectors - vectors.mean(axis=0, dtype=np.float64)
        _, axes = np.linalg.eigh(centred.T @ centred)
        start[:, :rank] = orient(centred @ axes[:, ::-1][:, :rank], axis=0)
    return start


def _n_rounds(n: int) -> int:
    return max(FEWEST_ROUNDS, min(max(SWEEPS * n, SMALL_ROUNDS), int(2 * PAIRS / n)))


def _pairs_of(shift: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs of a round: those whose indices add up to ``shift`` modulo n."""
    low, high = np.arange((shift + 1) // 2), shift + 1 + np.arange((n - 1 - shift) // 2)
    return np.concatenate([low, high]), np.concatenate([shift - low, n + shift - high])


def _unrolled(matrix: np.ndarray | None) -> np.ndarray:
    """Return the entries of a matrix by rounds and pairs, shape (n, n // 2), in single precision."""
    if matrix is None:
        return NO_TABLE
    n = len(matrix)
    table = np.zeros((n, max(n // 2, 1)), dtype=np.float32)
    run_blocks(lambda start, stop: unroll_pairs(matrix, table, start, stop), n, block=256)
    return table


def _sample(
    target: np.ndarray, weights: np.ndarray | None, is_given: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances and weights of a sample of pairs of different points."""
    n = len(target)
    i = rng.integers(n, size=20_000)
    j = (i + rng.integers(1, max(n, 2), size=len(i))) % n
    distances = target[i, j] if is_given else np.linalg.norm(target[i] - target[j], axis=1)
    return distances, np.ones(len(i)) if weights is None else weights[i, j]


def _rates(weights: np.ndarray, step: float, n_met: int, n_rounds: int) -> np.ndarray:
    """Return the step of every round for a pair of weight 1, from the weights of a sample of pairs.

    At first the lightest pairs move the share ``step`` of the way. At last a pair of mean weight moves ``1 / n_met`` of
    it, which makes a step towards the mean of what all the others ask for, and none moves more than a tenth.
    """
    light, mean, heavy = float(weights[weights > 0].min(initial=np.inf)), float(weights.mean()), float(weights.max())
    if not 0 < mean < np.inf:
        return np.ones(n_rounds)
    first = step / max(light, 1e-6 * heavy)
    return np.geomspace(first, min(first, 0.1 / heavy, 1.0 / (mean * n_met)), n_rounds)


def _n_threads(n: int) -> int:
    """Return how many threads share the pairs of a round."""
    return max(1, min(thread_count(), (n // 2 + 1) // PAIRS_PER_THREAD))


def _descend(goal: _Goal, places: np.ndarray, shifts: np.ndarray, rates: np.ndarray, bar: ProgressBar) -> None:
    """Run all rounds, in threads where they are long enough."""
    n = places.shape[1]
    n_pairs, n_threads = n // 2 + 1, _n_threads(n)
    if n_threads == 1:
        for first in range(0, len(shifts), 256):
            goal.descend(places, shifts[first : first + 256], rates[first : first + 256], 0, n_pairs)
            bar.advance(256)
        return
    bounds = np.linspace(0, n_pairs, n_threads + 1).astype(int)
    with ThreadPoolExecutor(n_threads) as pool:
        for r in range(len(shifts)):
            one = (places, shifts[r : r + 1], rates[r : r + 1])
            for part in [pool.submit(goal.descend, *one, *ends) for ends in pairwise(bounds)]:
                part.result()
            bar.advance()
