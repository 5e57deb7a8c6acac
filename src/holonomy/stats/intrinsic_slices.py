"""Distances of distributions on manifolds and graphs, sliced along the eigenfunctions of the Laplacian."""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial.distance import cdist

from holonomy._core.citations import references
from holonomy._core.memory import check_memory
from holonomy._core.random import RandomState, generator
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.graphs._blocks import run_blocks
from holonomy.stats._collections import Distributions, take_distributions
from holonomy.stats._domains import harmonics_of
from holonomy.stats._harmonics import GraphHarmonics, MeshHarmonics
from holonomy.stats._push_forward import fill_quantiles, line_distances

WEIGHTS = ("biharmonic", "commute", "heat")
QUANTILES = ("exact", "linear", "reference")
LAST_WEIGHT = 0.05
"""Weight that heat gives the last slice by default."""
BLOCK = 16
"""Distributions that one thread does at a time."""


class IntrinsicSlices:
    """Slices of a domain along its Laplacian eigenfunctions, and the embedding of distributions that they give.

    Each eigenfunction phi_l pushes a distribution on the domain forward to the line, where the squared Wasserstein
    distance is that of quantile functions. The weighted sum over l is the squared distance::

        ISW_2(P, Q)^2 = sum_l alpha(lambda_l) W_2(phi_l # P, phi_l # Q)^2

    and the quantiles, weighted, are an embedding in which it is a Euclidean distance: means, tests, kernels follow.

    Eigenspaces are kept whole, so that ``n_slices`` can come out smaller (or larger, where the first one is). Still the
    distance depends on the basis within them, and moves a little when all distributions are rotated;
    ``average_rotations`` averages squared distances over random bases, which does not, up to sampling.

    Parameters
    ----------
    domain : {"interval", "circle", "cylinder", "sphere"}, Manifold, Mesh, or sparse or array-like of shape (n, n)
        Where distributions live: numbers in ``extent``; angles; rows (angle, height); unit vectors in three
        dimensions; points of a Sphere of dimension 1 or 2, a Torus or a Product of these; points on a mesh; or the
        nodes of a connected graph, given by its symmetric weights.
    n_slices : int, optional
        Eigenfunctions, without the constant. By default 20, or all that a mesh or graph has.
    alpha : {"heat", "biharmonic", "commute"} or callable, default "heat"
        Weights by eigenvalue: exp(-t lambda), lambda^-2, 1 / lambda, or a function of the array of eigenvalues.
    t : float, optional
        Time of heat; by default the last slice gets 0.05.
    n_quantiles : int, default 50
        Levels (k - 1/2) / S at which quantile functions are read.
    quantiles : {"exact", "linear", "reference"}, default "exact"
        Quantiles of the step function, or linear between its values; "reference" is what published scripts use: on
        graphs and meshes levels k / (S + 1) with rounding of 1e-8, elsewhere levels 0, 1/S, ..., (S - 1)/S.
    average_rotations : int, default 0
        Random bases of each eigenspace to average over; 0 keeps the one basis.
    order : {1, 2}, default 2
        Wasserstein distance on the line. With 1 the distance is the sum of weighted W_1, and not Euclidean.
    extent : (float, float), default (0, 1)
        Ends of the interval, or of the height of the cylinder.
    normalization : {"combinatorial", "random_walk"}, default "combinatorial"
        Laplacian of a graph: eigenvectors of D - W, or of I - D^-1 W.
    random_state : int, Generator, RandomState or None, default 0
        Seeds the bases.

    Attributes
    ----------
    eigenvalues : ndarray, shape (L,)
    weights : ndarray, shape (L,)
        alpha of them.
    spaces : ndarray of int, shape (L,)
        Which eigenspace each belongs to.
    levels : ndarray, shape (S,)
    n_features : int
        Length of the embedding: L * S, times the number of bases.

    Raises
    ------
    TypeError, ValueError
        If the domain is unknown, a graph is not connected, there are fewer eigenfunctions, or a parameter is out of
        range.

    References
    ----------
    Rustamov, Majumdar (2023). Intrinsic sliced Wasserstein distances for comparing collections of probability
    distributions on manifolds and graphs. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import IntrinsicSlices
    >>> slices = IntrinsicSlices("circle", n_slices=6)
    >>> night, day = np.array([23.0, 0.5, 1.0]), np.array([11.0, 12.5, 13.0])
    >>> turned = [2 * np.pi * hours / 24 for hours in (night, day)]
    >>> slices.transform(turned).shape
    (2, 300)
    >>> round(slices.distance(*turned), 2)
    2.4
    """

    _references = ("rustamov2023intrinsic",)

    def __init__(
        self,
        domain: Any,
        n_slices: int | None = None,
        alpha: str | Callable[[np.ndarray], np.ndarray] = "heat",
        t: float | None = None,
        n_quantiles: int = 50,
        *,
        quantiles: str = "exact",
        average_rotations: int = 0,
        order: int = 2,
        extent: tuple[float, float] = (0.0, 1.0),
        normalization: str = "combinatorial",
        random_state: RandomState = 0,
    ) -> None:
        count = None if n_slices is None else check_int(n_slices, "n_slices", minimum=1)
        levels = check_int(n_quantiles, "n_quantiles", minimum=1)
        self.quantiles = check_option(quantiles, "quantiles", QUANTILES)
        self.order = check_int(order, "order", minimum=1, maximum=2)
        self.average_rotations = check_int(average_rotations, "average_rotations", minimum=0)
        check_option(normalization, "normalization", ("combinatorial", "random_walk"))
        self.domain = domain
        self._harmonics = harmonics_of(domain, count, _check_extent(extent), normalization)
        self.eigenvalues, self.spaces = self._harmonics.eigenvalues, self._harmonics.spaces
        self.t = _time(self.eigenvalues, t)
        self.weights = _weights(self.eigenvalues, alpha, self.t)
        self.levels, self._slack = self._levels(levels)
        self._bases = self._rotations(random_state)
        self.n_features = len(self.eigenvalues) * levels * len(self._bases)

    def _levels(self, count: int) -> tuple[np.ndarray, float]:
        if self.quantiles != "reference":
            return (np.arange(count) + 0.5) / count, 1e-12
        if isinstance(self._harmonics, GraphHarmonics | MeshHarmonics):
            return np.arange(1, count + 1) / (count + 1.0), -1e-8
        return np.arange(count) / count, 1e-12

    def _rotations(self, random_state: RandomState) -> list[np.ndarray]:
        """Return matrices (L, L) that mix the functions of each eigenspace."""
        size = len(self.eigenvalues)
        if not self.average_rotations:
            return [np.eye(size)]
        rng = generator(random_state, "intrinsic_slices")
        bases = []
        for _ in range(self.average_rotations):
            basis = np.zeros((size, size))
            for space in range(int(self.spaces[-1]) + 1):
                members = np.flatnonzero(self.spaces == space)
                q, r = np.linalg.qr(rng.standard_normal((len(members), len(members))))
                basis[np.ix_(members, members)] = q * np.sign(np.diag(r))
            bases.append(basis)
        return bases

    def functions(self, points: Any) -> np.ndarray:
        """Return the eigenfunctions at points of the domain, (k, L); their mean square over the domain is 1."""
        return self._harmonics.values(self._harmonics.points(points, "points"))

    def transform(self, distributions: Any, support: Any = None) -> np.ndarray:
        """Embed distributions: the distance of two rows is that of the distributions.

        Parameters
        ----------
        distributions : sequence of N samples, or array or sparse matrix of N histograms, shape (N, n)
            A sample is an array of points (k, ...) of the domain, or a pair (points, weights). Rows of a
            two-dimensional NumPy array or sparse matrix are histograms.
        support : array-like of n points, optional
            Where the columns of histograms are. By default the nodes of a graph, the vertices of a mesh, or the
            middles of n equal bins of the interval or circle.

        Returns
        -------
        ndarray of float64, shape (N, n_features)
            By basis, slice and level.

        Raises
        ------
        TypeError, ValueError
            If a distribution is empty, off the domain, has negative weights or no mass.
        """
        return self._embed(take_distributions(distributions, support, self._harmonics))

    def _embed(self, given: Distributions) -> np.ndarray:
        n, size, count = len(given), len(self.eigenvalues), len(self.levels)
        check_memory(8.0 * n * self.n_features, f"the embedding of {n} distributions", "Take fewer at once.")
        result = np.empty((n, len(self._bases), size, count))
        scale = self.weights / (count * len(self._bases))
        scale = (np.sqrt(scale) if self.order == 2 else scale)[:, None]
        for part, points, mass, starts in given.chunks():
            values = self._harmonics.values(points)
            for number, basis in enumerate(self._bases):
                rotated = np.ascontiguousarray(values @ basis) if self.average_rotations else values
                here = np.empty((len(starts) - 1, size, count))
                options = (self.levels, self._slack, self.quantiles == "linear")
                fill = functools.partial(_fill_rows, (rotated, mass, starts, *options, here))
                run_blocks(fill, len(here), block=BLOCK)
                result[part, number] = here * scale
        return result.reshape(n, -1)

    def distance(self, P: Any, Q: Any, support: Any = None) -> float:
        """Return the distance of two distributions, each a sample, a pair (points, weights) or a histogram (n,)."""
        rows = [self._embed(take_distributions(_one(D), support, self._harmonics)) for D in (P, Q)]
        return float(self._cdist(*rows)[0, 0])

    def pairwise(self, distributions: Any, others: Any = None, support: Any = None) -> np.ndarray:
        """Return distances (N, N), or (N, M) to others."""
        first = self.transform(distributions, support)
        return self._cdist(first, first if others is None else self.transform(others, support))

    def kernel(
        self, distributions: Any, others: Any = None, *, bandwidth: float | None = None, support: Any = None
    ) -> np.ndarray:
        """Return the Gaussian kernel exp(-ISW^2 / (2 h^2)), positive definite, (N, N) or (N, M).

        ``bandwidth`` h is by default the median distance among ``distributions``.
        """
        if self.order != 2:
            raise ValueError("order must be 2 for a kernel: only then is the distance Euclidean.")
        first = self.transform(distributions, support)
        second = first if others is None else self.transform(others, support)
        if bandwidth is None:
            own = self._cdist(first, first)[np.triu_indices(len(first), 1)]
            bandwidth = float(np.median(own)) if own.size and np.median(own) > 0 else 1.0
        width = check_float(bandwidth, "bandwidth", minimum=0.0)
        if width == 0.0:
            raise ValueError("bandwidth must be positive, got 0.")
        return np.exp(-0.5 * (self._cdist(first, second) / width) ** 2)

    def _cdist(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return cdist(first, second, "euclidean" if self.order == 2 else "cityblock")

    def __repr__(self) -> str:
        name = repr(self.domain) if isinstance(self.domain, str) else type(self.domain).__name__
        return f"IntrinsicSlices({name}, {len(self.eigenvalues)} slices, {len(self.levels)} quantiles)"


@references("rustamov2023intrinsic")
def intrinsic_sliced_wasserstein(
    P: Any, Q: Any, slices: IntrinsicSlices | Any, *, support: Any = None, per_slice: bool = False
) -> float | np.ndarray:
    """Return the intrinsic sliced Wasserstein distance of two distributions, with exact distances on each line.

    Parameters
    ----------
    P, Q : array-like, or pairs (points, weights)
        Samples of points of the domain, or histograms (n,) given as float arrays on a graph or with ``support``.
    slices : IntrinsicSlices, or a domain
        A domain stands for ``IntrinsicSlices(domain)``. Its ``quantiles`` do not matter here.
    support : array-like of n points, optional
        Where the columns of histograms are, as in :meth:`IntrinsicSlices.transform`.
    per_slice : bool, default False
        Whether to return W_p^p of each slice (L,), not weighted, instead of the distance.

    Returns
    -------
    float or ndarray of shape (L,)
        For order 2 the root of the weighted sum of squares, for order 1 the weighted sum.

    Raises
    ------
    TypeError, ValueError
        As :meth:`IntrinsicSlices.transform`.

    References
    ----------
    Rustamov, Majumdar (2023). Intrinsic sliced Wasserstein distances for comparing collections of probability
    distributions on manifolds and graphs. ICML.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import intrinsic_sliced_wasserstein
    >>> path = np.diag([1.0, 1.0], 1) + np.diag([1.0, 1.0], -1)
    >>> left, right = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0])
    >>> round(intrinsic_sliced_wasserstein(left, right, path), 3)
    1.487
    """
    cut = slices if isinstance(slices, IntrinsicSlices) else IntrinsicSlices(slices)
    parts = []
    for given in (P, Q):
        (_, points, mass, _), *_ = take_distributions(_one(given), support, cut._harmonics).chunks()
        parts.append((cut._harmonics.values(points), mass))
    costs = np.zeros(len(cut.eigenvalues))
    for basis in cut._bases:
        (p, p_mass), (q, q_mass) = ((np.ascontiguousarray(values @ basis), mass) for values, mass in parts)
        costs += line_distances(p, p_mass, q, q_mass, cut.order) / len(cut._bases)
    if per_slice:
        return costs
    total = float(cut.weights @ costs)
    return math.sqrt(total) if cut.order == 2 else total


def _fill_rows(arguments: tuple[Any, ...], start: int, stop: int) -> None:
    kernel: Callable[..., None] = fill_quantiles
    kernel(*arguments, start, stop)


def _one(given: Any) -> Any:
    """Return one distribution as a collection: float vectors of graphs are told apart where they are checked."""
    if sparse.issparse(given):
        return given
    return [given]


def _check_extent(extent: Sequence[float]) -> tuple[float, float]:
    if len(extent) != 2:
        raise ValueError(f"extent must be a pair (low, high), got {extent}.")
    low, high = (check_float(end, "extent") for end in extent)
    if low >= high:
        raise ValueError(f"extent must be a pair (low, high) with low < high, got {extent}.")
    return low, high


def _time(eigenvalues: np.ndarray, t: float | None) -> float:
    if t is None:
        return float(-math.log(LAST_WEIGHT) / eigenvalues[-1])
    return check_float(t, "t", minimum=0.0)


def _weights(eigenvalues: np.ndarray, alpha: str | Callable[[np.ndarray], np.ndarray], t: float) -> np.ndarray:
    if callable(alpha):
        weights = np.asarray(alpha(eigenvalues.copy()), dtype=np.float64)
        if weights.shape != eigenvalues.shape or not np.isfinite(weights).all() or (weights < 0).any():
            raise ValueError(
                f"alpha must return finite weights, not negative, of shape {eigenvalues.shape}, got {weights.shape}."
            )
        return weights
    check_option(alpha, "alpha", WEIGHTS)
    if alpha == "heat":
        return np.exp(-t * eigenvalues)
    return eigenvalues**-2.0 if alpha == "biharmonic" else 1.0 / eigenvalues
