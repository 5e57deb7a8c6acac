"""Diffusion on a weighted graph: random walks, heat flow, their spectrum and entropy, and their reach to new points."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.special import xlogy

from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.graphs._chebyshev import chebyshev_series, heat_coefficients, power_coefficients
from holonomy.graphs._dense import eigenpairs, product, symmetric_product
from holonomy.graphs._implicit import implicit_euler
from holonomy.graphs._quadrature import SpectralMeasure, dense_measure, sampled_measure, upper_bound
from holonomy.graphs._sparse import check_affinity
from holonomy.graphs.laplacians import NORMALIZATIONS, laplacian
from holonomy.graphs.spectrum import Spectrum, leading_spectrum

DENSE_UP_TO = 5_000
"""Most points for which an n x n dense matrix (200 MB) is ever formed."""

ENTROPY_EXACT_UP_TO = 1_000
"""Most points for which the entropy is computed from all eigenvalues."""

SOURCES_AT_ONCE = 64

HEAT_METHODS = ("chebyshev", "euler", "exact")


class DiffusionOperator:
    """Diffusion of a weighted graph, applied without being formed.

    With ``W' = Q^-alpha W Q^-alpha`` (Q the degrees of W) and D the degrees of W', the walk is ``P = D^-1 W'`` and
    the heat flow is ``exp(-t L)`` of the Laplacian L of W'. A point without edges stays where it is.

    Parameters
    ----------
    affinity : sparse or array-like of shape (n, n)
        Symmetric non-negative weights W; weights on the diagonal let a walk rest.
    normalization : {"symmetric", "random_walk", "combinatorial"}, default "symmetric"
        The Laplacian of the heat flow, as in `laplacian`. Time has another unit with each: a combinatorial Laplacian
        grows with the weights.
    alpha : float, default 0.0
        How much of the sampling density to divide out, in [0, 1]; see `laplacian`.

    Attributes
    ----------
    n_points : int
        Number of points n.
    normalization, alpha
        As given.
    weights : csr_array of float64, shape (n, n)
        W', with a 1 on the diagonal of points without edges.
    degrees : ndarray, shape (n,)
        Row sums D of W'.

    Raises
    ------
    TypeError, ValueError
        If ``affinity`` is not symmetric, square, non-negative and finite, or a parameter is out of range.

    References
    ----------
    Coifman, Lafon (2006). Diffusion maps. Applied and Computational Harmonic Analysis 21, 5-30.

    Examples
    --------
    >>> from holonomy.graphs import DiffusionOperator
    >>> operator = DiffusionOperator([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> operator.walk([1.0, 0.0, 0.0], 2)
    array([0.5, 0. , 0.5])
    >>> operator.heat([1.0, 1.0, 1.0], 0.0)
    array([1., 1., 1.])
    """

    _references = ("coifman2006diffusion",)

    def __init__(self, affinity: Any, normalization: str = "symmetric", *, alpha: float = 0.0) -> None:
        self.normalization = check_option(normalization, "normalization", NORMALIZATIONS)
        self.alpha = check_float(alpha, "alpha", minimum=0.0, maximum=1.0)
        weights = check_affinity(affinity).astype(np.float64, copy=False)
        sums = weights.sum(axis=1)
        is_isolated = sums == 0
        if is_isolated.any():
            weights = (weights + sparse.diags_array(is_isolated.astype(np.float64))).tocsr()
            sums = np.where(is_isolated, 1.0, sums)
        self._discount = sums**-self.alpha
        self.weights = _scaled(weights, self._discount, self._discount) if self.alpha else weights
        self.degrees: np.ndarray = self.weights.sum(axis=1)

    @property
    def n_points(self) -> int:
        """Number of points."""
        return self.weights.shape[0]

    @property
    def stationary(self) -> np.ndarray:
        """Stationary distribution of the walk, shape (n,), sums to 1."""
        return self.degrees / self.degrees.sum()

    @cached_property
    def walk_matrix(self) -> sparse.csr_array:
        """One step of the walk P, shape (n, n); rows sum to 1."""
        return _scaled(self.weights, 1.0 / self.degrees, np.ones(self.n_points))

    @cached_property
    def laplacian(self) -> sparse.csr_array:
        """The Laplacian of W', shape (n, n)."""
        return laplacian(self.weights, self.normalization)

    @cached_property
    def largest_eigenvalue(self) -> float:
        """An upper bound of the Laplacian's eigenvalues: by Lanczos, and never above the bound from the degrees."""
        if self.normalization != "combinatorial":
            bound = 2.0
        else:
            # No eigenvalue exceeds the largest sum of the degrees of two connected points.
            entries = self.weights.tocoo()
            bound = float((self.degrees[entries.row] + self.degrees[entries.col]).max(initial=0.0))
        return min(bound, upper_bound(self._symmetric_laplacian))

    def walk(self, values: ArrayLike, t: int, *, method: str = "auto") -> np.ndarray:
        """Average values over where t steps of the walk lead: ``P^t values``.

        Parameters
        ----------
        values : array-like of shape (n,) or (n, m)
            Functions on the points, one a column.
        t : int
            Number of steps, at least 0.
        method : {"auto", "products", "series", "exact"}, default "auto"
            ``"products"`` multiplies t times; ``"series"`` is a Chebyshev series of about ``7 sqrt(t)`` products, with
            an error of 1e-12 of the values' size; ``"exact"`` diagonalises P once, up to 5,000 points. ``"auto"`` takes
            what costs least.

        Returns
        -------
        ndarray, shape of ``values``

        Raises
        ------
        TypeError, ValueError
            If the values do not fit, are not finite, or t is not an integer >= 0.
        """
        block = self._check_values(values)
        steps = check_int(t, "t", minimum=0)
        check_option(method, "method", ("auto", "products", "series", "exact"))
        if method == "exact" or (method == "auto" and self._prefers_exact(block, steps)):
            eigenvalues, vectors = self._walk_eigenpairs
            root = _as_column(np.sqrt(self.degrees), block)
            inside = _as_column(eigenvalues**steps, block) * product(vectors.T, root * block)
            return product(vectors, inside) / root
        coefficients = power_coefficients(steps)
        if method == "series" or (method == "auto" and coefficients.shape[1] <= steps):
            return chebyshev_series(lambda columns: self.walk_matrix @ columns, block, coefficients)[0]
        result = block.copy()
        for _ in range(steps):
            result = self.walk_matrix @ result
        return result

    def heat(
        self,
        values: ArrayLike,
        t: float | Sequence[float] | np.ndarray,
        *,
        method: str = "chebyshev",
        order: int | None = None,
    ) -> np.ndarray:
        """Let values flow for a time t: ``exp(-t L) values``.

        Parameters
        ----------
        values : array-like of shape (n,) or (n, m)
            Functions on the points, one a column.
        t : float or sequence of float
            Time or times, at least 0; the times of a sequence share their products.
        method : {"chebyshev", "euler", "exact"}, default "chebyshev"
            Chebyshev series; ``order`` implicit Euler steps ``(I + t/K L)^-K``, whose kernel is positive and whose
            error falls as 1/K; or all eigenpairs, up to 5,000 points.
        order : int, optional
            Degree of the series, by default what leaves an error of 1e-12; number of Euler steps, by default 32.

        Returns
        -------
        ndarray, shape of ``values``, or (len(t), *shape of values) for a sequence

        Raises
        ------
        TypeError, ValueError
            If the values do not fit, are not finite, or a parameter is out of range.

        References
        ----------
        Huguet et al. (2023). A heat diffusion perspective on geodesic preserving dimensionality reduction. NeurIPS 36.
        """
        block = self._check_values(values)
        times = np.array([check_float(time, "t", minimum=0.0) for time in np.atleast_1d(np.asarray(t))])
        check_option(method, "method", HEAT_METHODS)
        degree = None if order is None else check_int(order, "order", minimum=1)
        # exp(-t D^-1 A) is D^-1/2 exp(-t D^-1/2 A D^-1/2) D^1/2, which is symmetric in between.
        is_walk = self.normalization == "random_walk"
        root = _as_column(np.sqrt(self.degrees) if is_walk else np.ones(self.n_points), block)
        flows = self._flow(block * root, times, method, degree) / root
        return flows[0] if np.ndim(t) == 0 else flows

    def heat_kernel(self, t: float, *, method: str = "chebyshev", order: int | None = None) -> np.ndarray:
        """Return ``exp(-t L)`` as a dense matrix, up to 5,000 points; parameters as in :meth:`heat`."""
        self._check_dense("the heat kernel as a matrix")
        return self.heat(np.eye(self.n_points), t, method=method, order=order)

    def walk_kernel(self, t: int) -> np.ndarray:
        """Return ``P^t`` as a dense matrix, up to 5,000 points, by squaring: no entry is lost to cancellation.

        Beyond 1,000 points it is computed in single precision, to a relative error of about 1e-6.
        """
        self._check_dense("the walk as a matrix")
        steps = check_int(t, "t", minimum=0)
        # The walk is D^-1/2 S D^1/2 with S symmetric, whose powers take half the work.
        root = np.sqrt(self.degrees)
        power = _scaled(self.weights, 1.0 / root, 1.0 / root).toarray()
        power = power.astype(np.float64 if self.n_points <= 1_000 else np.float32, copy=False)
        result = None
        while steps:
            if steps % 2:
                result = power if result is None else symmetric_product(result, power)
            steps //= 2
            if steps:
                power = symmetric_product(power, power)
        return np.eye(self.n_points) if result is None else result.astype(np.float64) * (root / root[:, None])

    def spectrum(
        self,
        n_components: int,
        *,
        normalization: str = "random_walk",
        tol: float = 1e-4,
        max_iter: int = 2000,
        random_state: RandomState = 0,
    ) -> Spectrum:
        """Return the leading non-trivial eigenpairs of the walk; see `leading_spectrum` of the weights W'."""
        return leading_spectrum(
            self.weights,
            n_components,
            normalization=normalization,
            tol=tol,
            max_iter=max_iter,
            random_state=random_state,
        )

    def entropy(
        self, t: ArrayLike, *, of: str = "walk", n_probes: int = 8, random_state: RandomState = 0
    ) -> np.ndarray:
        """Return the von Neumann entropy of the diffusion after each time: how many directions are still alive.

        It is ``-sum p log p`` of the eigenvalues' shares p, of ``|P^t|`` or ``exp(-t L)``. Up to 1,000 points all
        eigenvalues are computed; beyond, their distribution is estimated by Lanczos quadrature from random vectors.

        Parameters
        ----------
        t : array-like of shape (m,)
            Times, at least 0.
        of : {"walk", "heat"}, default "walk"
            Which of the two.
        n_probes : int, default 8
            Random vectors of the estimate.
        random_state : int, Generator, RandomState or None, default 0
            Their seed.

        Returns
        -------
        ndarray, shape (m,)
            Entropies in [0, log n], in nats; for the walk they do not rise with t.

        References
        ----------
        Moon et al. (2019). Visualizing structure and transitions in high-dimensional biological data. Nature
        Biotechnology 37, 1482-1492.
        """
        times = np.array([check_float(time, "t", minimum=0.0) for time in np.atleast_1d(t)])
        probes = check_int(n_probes, "n_probes", minimum=1)
        if check_option(of, "of", ("walk", "heat")) == "walk":
            measure = self._walk_measure(probes, random_state)
            with np.errstate(divide="ignore"):
                logs = np.log(np.abs(measure.nodes))
        else:
            measure = self._measure(self._symmetric_laplacian, probes, random_state)
            logs = -np.maximum(measure.nodes, 0.0)
        return np.array([measure.entropy(logs, time) for time in times])

    def heat_spread(
        self,
        t: ArrayLike,
        *,
        method: str = "chebyshev",
        order: int | None = None,
        n_sources: int = 256,
        random_state: RandomState = 0,
    ) -> np.ndarray:
        """Return how widely heat has spread after each time: the mean over sources of ``-sum_j H_ij log H_ij``.

        Parameters
        ----------
        t : array-like of shape (m,)
            Times, at least 0.
        method, order
            As in :meth:`heat`.
        n_sources : int, default 256
            Points from which heat starts, drawn at random; all of them where there are fewer.
        random_state : int, Generator, RandomState or None, default 0
            Seed of the draw.

        Returns
        -------
        ndarray, shape (m,)
            Entropies in nats, 0 at time 0.

        References
        ----------
        Huguet et al. (2023). A heat diffusion perspective on geodesic preserving dimensionality reduction. NeurIPS 36.
        """
        count = min(check_int(n_sources, "n_sources", minimum=1), self.n_points)
        sources = np.sort(generator(random_state, "spread").choice(self.n_points, count, replace=False))
        times = np.atleast_1d(np.asarray(t))
        total = np.zeros(len(times))
        for first in range(0, count, SOURCES_AT_ONCE):
            some = sources[first : first + SOURCES_AT_ONCE]
            impulses = np.zeros((self.n_points, len(some)))
            impulses[some, np.arange(len(some))] = 1.0
            kernel = np.maximum(self.heat(impulses, times, method=method, order=order), 0.0)
            total -= np.sum(xlogy(kernel, kernel), axis=(1, 2))
        return total / count

    def transition(self, weights: Any) -> sparse.csr_array:
        """Return where a walk goes from new points, shape (m, n), from their weights to the n points.

        Density is divided out as among the points themselves, so that a point's own row of W gives its row of P.

        Parameters
        ----------
        weights : sparse or array-like of shape (m, n)
            Non-negative weights of m new points to the n points; every row needs a positive one.

        Returns
        -------
        csr_array of float64, shape (m, n)
            Rows sum to 1.

        Raises
        ------
        ValueError
            If shapes do not fit, a weight is negative or not finite, or a row has no positive weight.
        """
        rows = sparse.csr_array(weights, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.n_points:
            raise ValueError(f"weights must have shape (m, {self.n_points}), got {rows.shape}.")
        if not np.isfinite(rows.data).all() or (rows.data < 0).any():
            raise ValueError("weights must be finite and at least 0.")
        discounted = rows.data * self._discount[rows.indices]
        rows = sparse.csr_array((discounted, rows.indices, rows.indptr), shape=rows.shape)
        sums = rows.sum(axis=1)
        if (sums <= 0).any():
            raise ValueError(
                f"weights of {np.count_nonzero(sums <= 0)} new points (first: row {int(np.argmax(sums <= 0))}) are all "
                "0, so these points have no place in the graph; give them more neighbours or a wider kernel."
            )
        return _scaled(rows, 1.0 / sums, np.ones(self.n_points))

    def extend(self, weights: Any, values: ArrayLike, eigenvalues: ArrayLike | None = None) -> np.ndarray:
        """Extend functions on the points to new points (Nystroem).

        A function is averaged over where a walk goes from the new point; an eigenfunction of the walk, divided by its
        eigenvalue besides, keeps its values at the points themselves.

        Parameters
        ----------
        weights : sparse or array-like of shape (m, n)
            As in :meth:`transition`.
        values : array-like of shape (n,) or (n, p)
            Functions, one a column.
        eigenvalues : array-like of shape (p,), optional
            Eigenvalues of P, not 0, if the functions are its eigenfunctions.

        Returns
        -------
        ndarray, shape (m,) or (m, p)
        """
        averaged = self.transition(weights) @ self._check_values(values)
        if eigenvalues is None:
            return averaged
        divisors = np.asarray(eigenvalues, dtype=np.float64)
        if (divisors == 0).any() or divisors.shape != averaged.shape[1:]:
            raise ValueError(f"eigenvalues must be one number other than 0 a function, got {divisors}.")
        return averaged / divisors

    @cached_property
    def _conjugate(self) -> sparse.csr_array:
        """The symmetric matrix similar to the walk, ``D^-1/2 W' D^-1/2``."""
        scale = 1.0 / np.sqrt(self.degrees)
        return _scaled(self.weights, scale, scale)

    @cached_property
    def _symmetric_laplacian(self) -> sparse.csr_array:
        """The Laplacian, or the symmetric matrix similar to it."""
        if self.normalization == "combinatorial":
            return self.laplacian
        return (sparse.eye_array(self.n_points, format="csr") - self._conjugate).tocsr()

    @cached_property
    def _walk_eigenpairs(self) -> tuple[np.ndarray, np.ndarray]:
        self._check_dense("all eigenpairs of the walk")
        return eigenpairs(self._conjugate.toarray())

    @cached_property
    def _heat_eigenpairs(self) -> tuple[np.ndarray, np.ndarray]:
        if self.normalization != "combinatorial":
            eigenvalues, vectors = self._walk_eigenpairs
            return 1.0 - eigenvalues, vectors
        self._check_dense("all eigenpairs of the Laplacian")
        return eigenpairs(self.laplacian.toarray())

    def _flow(self, block: np.ndarray, times: np.ndarray, method: str, order: int | None) -> np.ndarray:
        if method == "exact":
            eigenvalues, vectors = self._heat_eigenpairs
            inside = product(vectors.T, block)
            decays = np.exp(-np.maximum(eigenvalues, 0.0) * times[:, None])
            return np.stack([product(vectors, _as_column(decay, block) * inside) for decay in decays])
        matrix = self._symmetric_laplacian
        if method == "euler":
            return np.stack([implicit_euler(matrix, block, time, 32 if order is None else order) for time in times])
        half = self.largest_eigenvalue / 2.0
        if half == 0.0:
            return np.stack([block] * len(times))
        shifted = (matrix * (1.0 / half) - sparse.eye_array(self.n_points)).tocsr()
        return chebyshev_series(lambda columns: shifted @ columns, block, heat_coefficients(times * half, order))

    def _prefers_exact(self, block: np.ndarray, steps: int) -> bool:
        """Whether all eigenpairs cost less than sparse products, of which a processor does some 30 times fewer."""
        n = self.n_points
        if n > DENSE_UP_TO:
            return False
        work = min(steps, 7 * np.sqrt(steps)) * self.weights.nnz * (block.size // n)
        dense_work = 2 * n * block.size if self._has_eigenpairs else 30 * n**3
        return 30 * work > dense_work

    @property
    def _has_eigenpairs(self) -> bool:
        return "_walk_eigenpairs" in self.__dict__

    def _walk_measure(self, n_probes: int, random_state: RandomState) -> SpectralMeasure:
        if self._has_eigenpairs:
            return SpectralMeasure(self._walk_eigenpairs[0], np.ones(self.n_points))
        return self._measure(self._conjugate, n_probes, random_state)

    def _measure(self, matrix: sparse.csr_array, n_probes: int, random_state: RandomState) -> SpectralMeasure:
        if self.n_points <= ENTROPY_EXACT_UP_TO:
            return dense_measure(matrix)
        return sampled_measure(matrix, n_probes, check_seed(random_state))

    def _check_values(self, values: ArrayLike) -> np.ndarray:
        block = np.asarray(values, dtype=np.float64)
        if block.ndim not in (1, 2) or len(block) != self.n_points:
            raise ValueError(f"values must have shape ({self.n_points},) or ({self.n_points}, m), got {block.shape}.")
        if not np.isfinite(block).all():
            raise ValueError("values must be finite, got NaN or infinity.")
        return block

    def _check_dense(self, what: str) -> None:
        if self.n_points > DENSE_UP_TO:
            raise ValueError(
                f"{what} of {self.n_points} points would take {self.n_points**2 * 8 / 1e9:.1f} GB; it is formed up to "
                f"{DENSE_UP_TO} points. Apply it to vectors instead, or compress the graph to landmarks."
            )


def _as_column(values: np.ndarray, block: np.ndarray) -> np.ndarray:
    """Return one value a point so that it broadcasts against a block of one or two axes."""
    return values.reshape(-1, *[1] * (block.ndim - 1))


def _scaled(matrix: sparse.csr_array, left: np.ndarray, right: np.ndarray) -> sparse.csr_array:
    """Return ``diag(left) M diag(right)``."""
    factors = np.repeat(left, np.diff(matrix.indptr)) * right[matrix.indices]
    return sparse.csr_array((matrix.data * factors, matrix.indices, matrix.indptr), shape=matrix.shape)
