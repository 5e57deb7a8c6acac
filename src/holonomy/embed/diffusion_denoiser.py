"""Denoising by diffusion: every feature averaged over where a random walk on the data leads."""

import warnings
from typing import Any, Self

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils.validation import check_is_fitted

from holonomy._core.parallel import threads
from holonomy._core.random import RandomState, derive_seed
from holonomy._core.validation import check_float, check_int, check_option
from holonomy.embed._diffusion_base import DiffusionBase
from holonomy.graphs import NeighborGraph, knee_point

LONGEST_AUTOMATIC = 100
"""Largest time among which the knee of the entropy is sought."""


class DiffusionDenoiser(OneToOneFeatureMixin, DiffusionBase):
    """Data diffusion along its own neighbour graph, in the space of its features (MAGIC).

    With P the random walk on the data, rows become ``P^t X``: noise, which differs between neighbours, averages out,
    and what varies along the data stays. Missing counts are filled in from similar rows. A new row takes one step onto
    the data and goes on from there.

    Parameters
    ----------
    t : int, "auto" or "entropy", default "auto"
        Steps of the walk, >= 1. ``"auto"`` stops after the first that changes the data by less than ``tol``;
        ``"entropy"`` is the knee of the walk's von Neumann entropy.
    tol : float, default 0.001
        Change, ``|P^t X - P^(t-1) X|^2`` over the centred sum of squares of X, in (0, 1), at which ``t="auto"`` stops.
    max_t : int, default 50
        Most steps for ``t="auto"``.
    n_neighbors : int, default 16
        Size of a neighbourhood, the point itself included, >= 2. Reduced with a warning where there are fewer rows.
    metric : str or callable, default "euclidean"
        See `holonomy.graphs.neighbors`.
    metric_kwds : dict, optional
        Further arguments of the metric.
    kernel : {"alpha_decay", "adaptive", "gaussian", "fuzzy", "binary"}, default "alpha_decay"
        The function of that name in `holonomy.graphs` (``"fuzzy"`` is `fuzzy_simplicial_set`). A point's weight to
        itself is 1.
    kernel_kwds : dict, optional
        Its arguments; by default ``{"neighbor": n_neighbors // 3, "decay": 2}``, the kernel of the paper.
    rescale : float, optional
        Percentile in (0, 100] of each non-negative feature that denoised values are stretched back to, 99 in the paper;
        by default they are left as they are.
    random_state : int, Generator, RandomState or None, default None
        Seed of the neighbour search.
    n_jobs : int, optional
        Threads; None and -1 use what is available.

    Attributes
    ----------
    denoised_ : ndarray of float64, shape (n, d)
        The fitted rows, denoised.
    t_ : int
        The time used.
    changes_ : ndarray, shape (t_,)
        Change at each step; empty unless ``t="auto"``.
    affinity_ : csr_array of shape (n, n)
        Weights of the edges.
    operator_ : DiffusionOperator
        The walk.
    knn_ : NeighborGraph
        The neighbours.
    n_connected_components_ : int
        Number of pieces of the graph, between which nothing flows.
    n_features_in_ : int
        Number of columns of X.

    Raises
    ------
    ValueError
        On bad data or parameters, naming what is wrong.

    Warns
    -----
    RuntimeWarning
        If ``t="auto"`` reaches ``max_t``.

    References
    ----------
    van Dijk et al. (2018). Recovering gene interactions from single-cell data using data diffusion. Cell 174, 716-729.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.embed import DiffusionDenoiser
    >>> angle = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    >>> circle = np.cos(angle[:, None] + np.arange(8))
    >>> noisy = circle + 0.1 * np.random.default_rng(0).normal(size=circle.shape)
    >>> clean = DiffusionDenoiser(t=3, random_state=0).fit_transform(noisy)
    >>> bool(np.linalg.norm(clean - circle) < 0.7 * np.linalg.norm(noisy - circle))
    True
    """

    _references = ("vandijk2018recovering",)

    def __init__(
        self,
        t: int | str = "auto",
        *,
        tol: float = 0.001,
        max_t: int = 50,
        n_neighbors: int = 16,
        metric: Any = "euclidean",
        metric_kwds: dict[str, Any] | None = None,
        kernel: str = "alpha_decay",
        kernel_kwds: dict[str, Any] | None = None,
        rescale: float | None = None,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.t = t
        self.tol = tol
        self.max_t = max_t
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.metric_kwds = metric_kwds
        self.kernel = kernel
        self.kernel_kwds = kernel_kwds
        self.rescale = rescale
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> Self:
        """Diffuse X along its neighbour graph.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n, d)
            The data. What is diffused is dense: n d numbers are held twice.
        y : ignored
            Present for scikit-learn's pipelines.
        graph : NeighborGraph, optional
            Neighbours of the rows found before, in any space (principal components, say), at least
            ``n_neighbors - 1`` for each row. New rows are still looked up by their features.

        Returns
        -------
        DiffusionDenoiser
            The fitted estimator.
        """
        self._check_parameters()
        with threads(self.n_jobs):
            rows = self._fit_operator(X, graph, alpha=0.0)
            values = np.asarray(rows.todense() if hasattr(rows, "todense") else rows, dtype=np.float64)
            self.changes_ = np.empty(0)
            if self.t == "auto":
                before, after = self._settle(values)
            else:
                self.t_ = int(self.t) if self.t != "entropy" else self._entropy_time()
                before = self.operator_.walk(values, self.t_ - 1)
                after = self.operator_.walk(before, 1)
        self._stretch = self._factors(values, after)
        self._before, self.denoised_ = before * self._stretch, after * self._stretch
        return self

    def fit_transform(self, X: Any, y: Any = None, *, graph: NeighborGraph | None = None) -> np.ndarray:
        """Diffuse X and return the denoised rows, shape (n, d); see `fit`."""
        return self.fit(X, y, graph=graph).denoised_

    def transform(self, X: Any) -> np.ndarray:
        """Denoise new rows, each by itself.

        A row at distance zero from a row of the fitted data becomes what that row became.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (m, d)
            New rows.

        Returns
        -------
        ndarray of float64, shape (m, d)
        """
        check_is_fitted(self)
        return self._placed(X, self._before, self.denoised_)

    def _check_parameters(self) -> None:
        if isinstance(self.t, str):
            check_option(self.t, "t", ("auto", "entropy"))
        else:
            check_int(self.t, "t", minimum=1)
        if not 0 < check_float(self.tol, "tol") < 1:
            raise ValueError(f"tol must lie in (0, 1), got {self.tol}.")
        check_int(self.max_t, "max_t", minimum=1)
        if self.rescale is not None and check_float(self.rescale, "rescale", maximum=100.0) <= 0:
            raise ValueError(f"rescale must be a percentile in (0, 100], got {self.rescale}.")
        if "precomputed" in (self.metric, self.kernel):
            raise ValueError(
                "metric and kernel cannot be 'precomputed', because the features themselves are denoised; pass graph= "
                "to fit."
            )

    def _kernel_arguments(self) -> dict[str, Any] | None:
        if self.kernel == "alpha_decay" and self.kernel_kwds is None:
            return {"neighbor": max(1, min(self.n_neighbors, self._X.shape[0]) // 3), "decay": 2.0}
        return self.kernel_kwds

    def _settle(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Step until a step changes little; return the data one step before and at the time chosen, which is ``t_``."""
        changes: list[float] = []
        before, after = values, values
        spread = float(((values - values.mean(axis=0)) ** 2).sum())
        for _ in range(self.max_t):
            following = self.operator_.walk(after, 1)
            changes.append(float(((following - after) ** 2).sum()) / spread if spread > 0 else 0.0)
            before, after = after, following
            if changes[-1] < self.tol:
                break
        else:
            warnings.warn(
                f"DiffusionDenoiser stopped at max_t={self.max_t} steps with changes of {changes[-1]:.2g} "
                f"(tol={self.tol:g}); raise max_t or tol, or set t.",
                RuntimeWarning,
                stacklevel=3,
            )
        self.t_, self.changes_ = len(changes), np.array(changes)
        return before, after

    def _entropy_time(self) -> int:
        times = np.arange(1, LONGEST_AUTOMATIC + 1)
        entropy = self.operator_.entropy(times, random_state=derive_seed(self._seed, "entropy"))
        return int(times[knee_point(times, entropy)])

    def _factors(self, values: np.ndarray, denoised: np.ndarray) -> np.ndarray:
        """Return what stretches each feature back to its former percentile, 1 for those with values below 0."""
        if self.rescale is None:
            return np.ones(values.shape[1])
        target, reached = (np.percentile(part, self.rescale, axis=0) for part in (values, denoised))
        usable = (values.min(axis=0) >= 0) & (reached > 0) & (target > 0)
        return np.where(usable, np.divide(target, reached, out=np.ones_like(target), where=reached > 0), 1.0)
