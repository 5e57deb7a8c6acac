"""Confidence regions and hypothesis tests for the subspaces of principal component analysis."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import chi2
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from holonomy._core.random import RandomState, check_seed, generator
from holonomy._core.validation import as_numpy, check_float, check_int, check_option, check_points
from holonomy.stats._flag_coordinates import KINDS, FlagChart
from holonomy.stats._principal_flags import ASSUMPTIONS, COVARIANCES, PrincipalFlag, differences, statistics
from holonomy.stats._region_bounds import largest_angle, loading_half_widths
from holonomy.stats._sample_moments import SampleMoments
from holonomy.stats._subspace_type import as_sizes, as_which, hypothesis, warn_of_ties
from holonomy.stats._tangent_covariance import TangentCovariance
from holonomy.stats.eigenvalue_tests import propose_type
from holonomy.stats.hypothesis_tests import TestResult


def _needs_moments_only(inference: "PCASubspaceInference") -> bool:
    if inference.assume == "gaussian" and inference.method == "asymptotic":
        return True
    raise AttributeError(
        'partial_fit needs assume="gaussian" and method="asymptotic", since it keeps no rows, got '
        f"assume={inference.assume!r} and method={inference.method!r}; use fit on all rows."
    )


class PCASubspaceInference(BaseEstimator):
    """Confidence regions and tests for principal subspaces: one of them, some, or the whole flag.

    Eigenvectors whose eigenvalues coincide are not identified, but the subspaces that they span are; grouped by
    eigenvalue these form a flag. The logarithm of the true flag at the estimated one is asymptotically normal, with a
    covariance that follows from that of the sample covariance matrix. What is inferred rests on n being large next to p
    and on gaps between the eigenvalues of different groups; a tie inside the requested split is warned of.

    Parameters
    ----------
    type : int or tuple of int, optional
        Dimensions of the subspaces by descending eigenvalue, with sum p; a number k stands for (k, p - k). By default
        it is proposed by tests for equal eigenvalues at level 1 - ``level``.
    level : float, default 0.95
        Confidence, in (0, 1).
    assume : {"none", "elliptical", "gaussian"}, default "none"
        What is known of the data. Gaussian data have independent coordinates with known variances; elliptical ones the
        same times one plus their kurtosis. "none" needs finite fourth moments only, and estimates the covariance.
    method : {"asymptotic", "bootstrap"}, default "asymptotic"
        Whether probabilities come from the chi-square limit, or from resampling the studentised statistic, which is
        better for small n.
    coordinates : {"log", "projector", "frame"}, default "log"
        How the flag that is asked about is written around the estimate: by the Riemannian logarithm, by the difference
        of projectors, or by the difference of aligned bases. They agree to first order; "frame" makes the Gaussian test
        of one eigenvector the one of Anderson, exactly.
    covariance : {"auto", "full", "block", "shrunk"}, default "auto"
        With ``assume="none"``: the empirical covariance of the coordinates; without the part between different pairs of
        subspaces; or drawn towards its diagonal by Ledoit and Wolf's intensity. "auto" is full when there are five
        observations for each coordinate, shrunk otherwise.
    correlation : bool, default False
        Whether the subspaces are those of the correlation matrix; needs ``assume="none"``.
    n_resamples : int, default 499
        Resamples of the bootstrap.
    random_state : int, Generator, RandomState or None, default None
        Seed of the bootstrap.

    Attributes
    ----------
    flag_ : ndarray of shape (p, p)
        Eigenvectors in columns by descending eigenvalue: the columns of each group span its subspace.
    eigenvalues_ : ndarray of shape (p,)
        Of the covariance matrix with divisor n - 1.
    type_ : tuple of int
        Dimensions of the subspaces.
    covariance_ : ndarray of shape (m, m)
        Covariance of sqrt(n) times the tangent coordinates of the flag, m its dimension.
    covariance_used_ : str
        Which estimate of it was used.
    kurtosis_ : float
        Excess kurtosis, 0 for Gaussian data; NaN after ``partial_fit``.
    n_samples_ : int
        Number of observations.

    References
    ----------
    Anderson (1963), Tyler (1981) for one eigenvector or subspace; the geometric framework for all together, by the
    delta method through the spectral projectors, is that of flags with Gaussian data and known type.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import PCASubspaceInference
    >>> X = np.random.default_rng(0).standard_normal((500, 4)) * [3.0, 2.0, 1.0, 1.0]
    >>> inference = PCASubspaceInference(type=(1, 1, 2)).fit(X)
    >>> inference.test(np.eye(4)).df
    5
    """

    _references = ("anderson1963asymptotic", "tyler1981asymptotic")

    def __init__(
        self,
        type: int | tuple[int, ...] | None = None,
        *,
        level: float = 0.95,
        assume: str = "none",
        method: str = "asymptotic",
        coordinates: str = "log",
        covariance: str = "auto",
        correlation: bool = False,
        n_resamples: int = 499,
        random_state: RandomState = None,
    ) -> None:
        self.type = type
        self.level = level
        self.assume = assume
        self.method = method
        self.coordinates = coordinates
        self.covariance = covariance
        self.correlation = correlation
        self.n_resamples = n_resamples
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> "PCASubspaceInference":
        """Estimate the flag and the law of its error from data (n, p).

        Raises
        ------
        ValueError
            If a parameter is out of range, the data are not finite, constant in a direction, or too few for the
            covariance that was asked for.
        """
        self._check_parameters()
        X = validate_data(self, as_numpy(X), dtype=np.float64, ensure_min_samples=3, ensure_min_features=2)
        flag = PrincipalFlag.of(X, correlation=self.correlation)
        self._moments = flag.moments(X.mean(0)) if self.assume == "gaussian" else None
        return self._estimate(flag.signed())

    @available_if(_needs_moments_only)
    def partial_fit(self, X: Any, y: Any = None) -> "PCASubspaceInference":
        """Take in more rows (n, p), of which only their mean and scatter are kept: memory is p^2 whatever their number.

        After any number of calls the estimate is that of :meth:`fit` on all rows up to rounding, also after ``fit``. It
        exists with ``assume="gaussian"`` and ``method="asymptotic"`` only: all else needs the rows themselves. The
        kurtosis is not known, and taken for 0.

        Raises
        ------
        ValueError
            If a parameter is out of range, the data are not finite or have another number of columns, the first rows
            are fewer than three, or a direction is constant in all of them.
        AttributeError
            If a parameter asks for the rows themselves.
        """
        self._check_parameters()
        known: SampleMoments | None = getattr(self, "_moments", None)
        least = 3 if known is None else 1
        X = validate_data(
            self, as_numpy(X), dtype=np.float64, reset=known is None, ensure_min_samples=least, ensure_min_features=2
        )
        more = SampleMoments.of(X)
        self._moments = more if known is None else known.joined(more)
        return self._estimate(PrincipalFlag.of_moments(self._moments).signed())

    def _estimate(self, flag: PrincipalFlag) -> "PCASubspaceInference":
        self._check_spread(flag)
        self.n_samples_ = flag.count
        self.kurtosis_ = flag.kurtosis() if len(flag.scores) else np.nan
        self.type_ = self._sizes(flag)
        if len(self.type_) == 1:
            raise ValueError(
                f"type is {self.type_}: all eigenvalues were taken for equal, and then every direction is as good as "
                "any other; give a type to insist."
            )
        self._flag = flag.grouped(self.type_)
        warn_of_ties(self._flag, 1.0 - self.level, 0.0 if np.isnan(self.kurtosis_) else self.kurtosis_)
        self.flag_, self.eigenvalues_ = flag.basis, flag.eigenvalues
        self._chart = FlagChart(self.type_, tuple(range(len(self.type_) - 1)))
        self._check_size(self._chart)
        self._law, self.covariance_used_ = self._flag.covariance(self._chart, self.assume, self.covariance)
        self._seed = check_seed(self.random_state)
        self._resampled: dict[tuple[int, ...], np.ndarray] = {}
        return self

    @property
    def covariance_(self) -> np.ndarray:
        """Covariance (m, m) of sqrt(n) times the coordinates of the flag."""
        check_is_fitted(self, "flag_")
        return self._law.dense()

    def test(self, Q0: Any, which: int | Sequence[int] | None = None) -> TestResult:
        """Test that the true subspaces are those of Q0.

        Parameters
        ----------
        Q0 : array-like of shape (p, p) or (p, k)
            Orthonormal: a basis grouped like ``flag_``, or only the columns of the subspaces that are tested, side by
            side (those of all but the last, by default).
        which : int or sequence of int, optional
            The subspaces tested, counted from 0; all by default.

        Returns
        -------
        TestResult
            The statistic, the dimension of what is tested, and the probability.

        Raises
        ------
        ValueError
            If Q0 has another shape or is not orthonormal, or ``which`` names no subspace.
        """
        check_is_fitted(self, "flag_")
        chart, law = self._looked_at(which)
        Q = hypothesis(Q0, chart)
        b = chart.coordinates(self.flag_, Q, self.coordinates)
        statistic = self.n_samples_ * float(law.quadratic(b))
        if self.method == "asymptotic":
            return TestResult(statistic, chart.dim, float(chi2.sf(statistic, chart.dim)), "chi2")
        drawn = self._resampled_statistics(chart)
        pvalue = (1.0 + float((drawn >= statistic).sum())) / (len(drawn) + 1.0)
        return TestResult(statistic, chart.dim, pvalue, "bootstrap")

    def contains(self, Q0: Any, which: int | Sequence[int] | None = None) -> bool:
        """Say whether the confidence region holds the subspaces of Q0; arguments as in :meth:`test`."""
        chart, law = self._looked_at(which)
        b = chart.coordinates(self.flag_, hypothesis(Q0, chart), self.coordinates)
        return bool(self.n_samples_ * float(law.quadratic(b)) <= self._critical(chart))

    def region_radii(self) -> tuple[float, float]:
        """Return the radii of the largest geodesic ball inside the region, and of the smallest around it."""
        check_is_fitted(self, "flag_")
        low, high = self._law.extremes()
        reach = self._critical(self._chart) / self.n_samples_
        return float(np.sqrt(reach * low)), float(np.sqrt(reach * high))

    def angles_interval(self) -> np.ndarray:
        """Return intervals (r, 2), all at once at the level, of the largest angle between each subspace and the truth.

        The lower ends are 0, since the estimate lies in its region; the upper ones are at most pi / 2.
        """
        check_is_fitted(self, "flag_")
        reach = np.sqrt(self._critical(self._chart) / self.n_samples_)
        upper = [reach * largest_angle(self._law, self._chart, a) for a in range(len(self.type_))]
        return np.column_stack([np.zeros(len(upper)), np.minimum(upper, 0.5 * np.pi)])

    def loadings_interval(self) -> np.ndarray:
        """Return intervals (p, p, 2), all at once at the level, of the loadings: entry (i, j) of variable i on axis j.

        The largest and smallest values that the loading, to first order, has in the region. NaN for axes in a group of
        several: only their span is identified.
        """
        check_is_fitted(self, "flag_")
        reach = np.sqrt(self._critical(self._chart) / self.n_samples_)
        half = reach * loading_half_widths(self._law, self._chart, self.flag_)
        interval = np.clip(np.stack([self.flag_ - half, self.flag_ + half], axis=-1), -1.0, 1.0)
        interval[:, np.repeat(np.array(self.type_) > 1, self.type_)] = np.nan
        return interval

    def sample_region(self, n: int, *, boundary: bool = False, random_state: RandomState = None) -> np.ndarray:
        """Return flags (n, p, p) drawn from the confidence region: uniform in its ellipsoid, pushed on by ``exp``.

        Parameters
        ----------
        n : int
            How many, at least 1.
        boundary : bool, default False
            Whether to draw from its boundary.
        random_state : int, Generator, RandomState or None, default None
            Seed.
        """
        check_is_fitted(self, "flag_")
        count = check_int(n, "n", minimum=1)
        rng = generator(random_state, "subspace region")
        z = rng.standard_normal((count, self._chart.dim))
        z /= np.linalg.norm(z, axis=1, keepdims=True)
        if not boundary:
            z *= rng.random((count, 1)) ** (1.0 / self._chart.dim)
        reach = np.sqrt(self._critical(self._chart) / self.n_samples_)
        return self._chart.flag(self.flag_, reach * self._law.root(z))

    def two_sample(self, X: Any, Y: Any, which: int | Sequence[int] | None = None) -> TestResult:
        """Test that two populations have the same principal subspaces; their eigenvalues may differ.

        Both flags are written around that of the pooled covariance; each sample has the covariance of its coordinates.
        Needs no fit when ``type`` is given.

        Parameters
        ----------
        X, Y : array-like of shape (n, p), (m, p)
            Independent samples.
        which : int or sequence of int, optional
            The subspaces tested; all by default.

        Raises
        ------
        ValueError
            If the samples have different numbers of columns, or a parameter is out of range.
        """
        self._check_parameters()
        samples = [check_points(one, name=name, dtype=np.float64, min_samples=3) for one, name in ((X, "X"), (Y, "Y"))]
        if samples[0].shape[1] != samples[1].shape[1]:
            raise ValueError(
                f"X and Y must have the same columns, got {samples[0].shape[1]} and {samples[1].shape[1]} of them."
            )
        pooled = PrincipalFlag.of(np.vstack([one - one.mean(0) for one in samples]), correlation=self.correlation)
        sizes = self.type_ if hasattr(self, "type_") else self._sizes(pooled)
        chart = FlagChart(sizes, as_which(which, len(sizes)))
        self._check_size(chart, min(map(len, samples)))
        flags = [PrincipalFlag.of(one, sizes, correlation=self.correlation) for one in samples]
        statistic = float(differences([(pooled, *flags)], chart, self.assume, self.covariance, self.coordinates)[0])
        if self.method == "asymptotic":
            return TestResult(statistic, chart.dim, float(chi2.sf(statistic, chart.dim)), "chi2")
        drawn = self._resampleddifferences(flags, samples, pooled, chart)
        pvalue = (1.0 + float((drawn >= statistic).sum())) / (len(drawn) + 1.0)
        return TestResult(statistic, chart.dim, pvalue, "bootstrap")

    def _check_parameters(self) -> None:
        check_float(self.level, "level", minimum=0.0, maximum=1.0)
        if self.level in (0, 1):
            raise ValueError(f"level must lie inside (0, 1), got {self.level}.")
        check_option(self.assume, "assume", ASSUMPTIONS)
        check_option(self.method, "method", ("asymptotic", "bootstrap"))
        check_option(self.coordinates, "coordinates", KINDS)
        check_option(self.covariance, "covariance", COVARIANCES)
        check_int(self.n_resamples, "n_resamples", minimum=19)
        if self.correlation and self.assume != "none":
            raise ValueError(f'correlation=True needs assume="none", got {self.assume!r}.')

    def _check_spread(self, flag: PrincipalFlag) -> None:
        n, p = flag.count, len(flag.basis)
        if not np.isfinite(flag.eigenvalues).all() or flag.eigenvalues[0] <= 0:
            raise ValueError("X must vary: a column is constant, or all rows are equal.")
        if p * 4 > n:
            warnings.warn(
                f"X has {n} rows for {p} columns: the asymptotics need many more rows than columns, and eigenvalues "
                'are biased otherwise; method="bootstrap" helps a little.',
                UserWarning,
                stacklevel=4,
            )

    def _sizes(self, flag: PrincipalFlag) -> tuple[int, ...]:
        p = flag.basis.shape[0]
        if self.type is not None:
            return as_sizes(self.type, p)
        n = flag.count
        if flag.eigenvalues[-1] <= flag.eigenvalues[0] * np.finfo(float).eps * max(n, p):
            raise ValueError(
                "type must be given where the covariance matrix is singular, for instance type=(1, p - 1)."
            )
        excess = 0.0 if self.assume == "gaussian" else flag.kurtosis()
        return propose_type(flag.eigenvalues, n, alpha=1.0 - self.level, kurtosis=excess)

    def _check_size(self, chart: FlagChart, n: int | None = None) -> None:
        n = self.n_samples_ if n is None else n
        if self.assume == "none" and self.covariance == "full" and n <= chart.dim + 1:
            raise ValueError(
                f'covariance="full" needs more than {chart.dim + 1} rows for {chart.dim} coordinates, got {n}; use '
                'covariance="shrunk", assume="gaussian", or fewer subspaces.'
            )

    def _looked_at(self, which: int | Sequence[int] | None) -> tuple[FlagChart, TangentCovariance]:
        check_is_fitted(self, "flag_")
        if which is None:
            return self._chart, self._law
        chart = FlagChart(self.type_, as_which(which, len(self.type_)))
        self._check_size(chart)
        return chart, self._flag.covariance(chart, self.assume, self.covariance)[0]

    def _critical(self, chart: FlagChart) -> float:
        if self.method == "asymptotic":
            return float(chi2.ppf(self.level, chart.dim))
        return float(np.quantile(self._resampled_statistics(chart), self.level, method="higher"))

    def _resampled_statistics(self, chart: FlagChart) -> np.ndarray:
        """Return the statistics of the estimate against what is estimated from resampled rows."""
        if chart.which not in self._resampled:
            data = self._flag.scores @ self.flag_.T
            found: list[np.ndarray] = []
            for first in range(0, self.n_resamples, _CHUNK):
                flags = []
                for b in range(first, min(first + _CHUNK, self.n_resamples)):
                    rows = generator(self._seed, "resample", b).integers(len(data), size=len(data))
                    flags.append(PrincipalFlag.of(data[rows], self.type_, correlation=self.correlation))
                found.append(statistics(flags, self.flag_, chart, self.assume, self.covariance, self.coordinates))
            self._resampled[chart.which] = np.concatenate(found)
        return self._resampled[chart.which]

    def _resampleddifferences(
        self, flags: list[PrincipalFlag], samples: list[np.ndarray], pooled: PrincipalFlag, chart: FlagChart
    ) -> np.ndarray:
        """Return statistics between samples drawn with equal flags: each is turned onto the pooled one first."""
        seed = check_seed(self.random_state)
        turned = [one.scores @ pooled.basis.T for one in flags]
        pairs = []
        for b in range(self.n_resamples):
            rng = generator(seed, "two samples", b)
            again = [one[rng.integers(len(one), size=len(one))] for one in turned]
            both = PrincipalFlag.of(np.vstack([one - one.mean(0) for one in again]), correlation=self.correlation)
            resampled = [PrincipalFlag.of(one, chart.sizes, correlation=self.correlation) for one in again]
            pairs.append((both, *resampled))
        return differences(pairs, chart, self.assume, self.covariance, self.coordinates)


_CHUNK = 50
"""Resamples held at once."""
