"""Principal subspaces of one sample and the law of their estimate: eigenvalues, groups, tangent covariance."""

from dataclasses import dataclass, replace

import numpy as np

from holonomy.stats._flag_coordinates import FlagChart
from holonomy.stats._sample_moments import SampleMoments
from holonomy.stats._tangent_covariance import TangentCovariance, shrinkage

ASSUMPTIONS = ("gaussian", "elliptical", "none")
COVARIANCES = ("auto", "full", "block", "shrunk")
PER_COORDINATE = 5
"""Observations for each coordinate below which a full covariance is not estimated by itself."""


@dataclass(frozen=True)
class PrincipalFlag:
    """Eigenvectors of a covariance matrix in groups.

    Attributes
    ----------
    basis : ndarray of shape (p, p)
        Eigenvectors in columns, by descending eigenvalue.
    eigenvalues : ndarray of shape (p,)
        Eigenvalues, with divisor n - 1.
    scores : ndarray of shape (n, p)
        Centred data in the basis, scaled so that their mean squares are the eigenvalues; no rows where only moments are
        known.
    sizes : tuple of int
        Dimensions of the groups.
    correlation : bool
        Whether the matrix is that of correlations, whose scale is estimated as well.
    count : int
        Number n of observations.
    """

    basis: np.ndarray
    eigenvalues: np.ndarray
    scores: np.ndarray
    sizes: tuple[int, ...]
    correlation: bool
    count: int

    @classmethod
    def of_moments(cls, moments: SampleMoments) -> "PrincipalFlag":
        """Return the flag of the covariance matrix alone, with one group for each eigenvector."""
        values, vectors = np.linalg.eigh(moments.scatter / (moments.count - 1.0))
        basis = np.ascontiguousarray(vectors[:, ::-1])
        p = len(basis)
        return cls(basis, np.maximum(values[::-1], 0.0), np.empty((0, p)), (1,) * p, False, moments.count)

    def moments(self, mean: np.ndarray) -> SampleMoments:
        """Return the moments of the rows; ``mean`` (p,) is theirs."""
        return SampleMoments(self.count, mean, (self.basis * (self.eigenvalues * (self.count - 1.0))) @ self.basis.T)

    @classmethod
    def of(cls, X: np.ndarray, sizes: tuple[int, ...] = (), *, correlation: bool = False) -> "PrincipalFlag":
        """Return the flag of data (n, p); one group for each eigenvector unless sizes are given."""
        n, p = X.shape
        Z = (X - X.mean(0)) * np.sqrt(n / (n - 1.0))
        if correlation:
            Z = Z / np.sqrt((Z**2).mean(0))
        values, vectors = np.linalg.eigh(Z.T @ Z / n)
        basis = np.ascontiguousarray(vectors[:, ::-1])
        return cls(basis, np.maximum(values[::-1], 0.0), Z @ basis, sizes or (1,) * p, correlation, n)

    def signed(self) -> "PrincipalFlag":
        """Return the same with the largest entry of every column positive."""
        largest = np.abs(self.basis).argmax(0)
        signs = np.sign(self.basis[largest, np.arange(len(largest))])
        return replace(self, basis=self.basis * signs, scores=self.scores * signs)

    def grouped(self, sizes: tuple[int, ...]) -> "PrincipalFlag":
        """Return the same with other groups."""
        return replace(self, sizes=sizes)

    def at(self, basis: np.ndarray) -> "PrincipalFlag":
        """Return what the same data look like in another basis (p, p), with the variances along it."""
        scores = self.scores @ (self.basis.T @ basis)
        return replace(self, basis=basis, eigenvalues=(scores**2).mean(0), scores=scores)

    @property
    def group_values(self) -> np.ndarray:
        """Return the mean eigenvalue (r,) of each group."""
        ends = np.cumsum(self.sizes)
        return np.add.reduceat(self.eigenvalues, np.concatenate([[0], ends[:-1]])) / np.array(self.sizes)

    def column_values(self) -> np.ndarray:
        """Return for each column (p,) the mean eigenvalue of its group."""
        return np.repeat(self.group_values, self.sizes)

    def kurtosis(self) -> float:
        """Return the excess kurtosis of elliptical data (0 for Gaussian), from Mardia's coefficient."""
        n = len(self.scores)
        usable = self.eigenvalues > self.eigenvalues[0] * np.finfo(float).eps * n
        lengths = (self.scores[:, usable] ** 2 / self.eigenvalues[usable]).sum(1)
        q = int(usable.sum())
        return float(max((lengths**2).mean() / (q * (q + 2.0)) - 1.0, -2.0 / (q + 2.0)))

    def rows(self, chart: FlagChart) -> np.ndarray:
        """Return what each observation adds to the coordinates, (n, m): their mean is 0, their covariance V."""
        values, Y = self.column_values(), self.scores
        i, j = chart.row, chart.towards
        products = Y[:, i] * Y[:, j]
        if self.correlation:
            # The scale of each variable is estimated too: the delta method through R = D^-1/2 S D^-1/2.
            squares = (Y @ self.basis.T) ** 2
            across = self.basis[:, i] * self.basis[:, j]
            products = products - 0.5 * (values[i] + values[j]) * (squares @ across)
        return products / (values[j] - values[i])

    def covariance(self, chart: FlagChart, assume: str, kind: str) -> tuple[TangentCovariance, str]:
        """Return the covariance of sqrt(n) times the coordinates, and which estimate it is."""
        values = self.column_values()
        own, other = values[chart.row], values[chart.towards]
        normal = own * other / (own - other) ** 2
        if assume == "gaussian":
            return TangentCovariance.of_diagonal(normal), "gaussian"
        if assume == "elliptical":
            return TangentCovariance.of_diagonal((1.0 + self.kurtosis()) * normal), "elliptical"
        n = len(self.scores)
        rows = self.rows(chart)
        if kind == "auto":
            kind = "full" if chart.dim * PER_COORDINATE <= n else "shrunk"
        if kind == "full":
            return TangentCovariance(np.zeros(chart.dim), rows / np.sqrt(n)), kind
        if kind == "block":
            return _block_diagonal(rows, chart, self.sizes), kind
        target = (rows**2).mean(0)
        part = shrinkage(rows, target)
        return TangentCovariance(part * target, rows * np.sqrt((1.0 - part) / n)), kind


def _block_diagonal(rows: np.ndarray, chart: FlagChart, sizes: tuple[int, ...]) -> TangentCovariance:
    """Return the covariance with zeros between coordinates of different pairs of subspaces."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    pair = group[chart.row] * len(sizes) + group[chart.towards]
    V = np.where(pair[:, None] == pair[None, :], rows.T @ rows / len(rows), 0.0)
    values, vectors = np.linalg.eigh(V)
    return TangentCovariance(np.zeros(chart.dim), (vectors * np.sqrt(np.maximum(values, 0.0))).T)


def statistics(
    flags: list[PrincipalFlag], Q0: np.ndarray, chart: FlagChart, assume: str, kind: str, coordinates: str
) -> np.ndarray:
    """Return the statistic of each flag against the flags Q0, (p, p) or one for each."""
    bases = np.stack([one.basis for one in flags])
    b = chart.coordinates(bases, np.broadcast_to(Q0, bases.shape), coordinates)
    return np.array(
        [
            len(one.scores) * float(one.covariance(chart, assume, kind)[0].quadratic(row))
            for one, row in zip(flags, b, strict=True)
        ]
    )


def differences(
    triples: list[tuple[PrincipalFlag, ...]], chart: FlagChart, assume: str, kind: str, coordinates: str
) -> np.ndarray:
    """Return the statistics of the differences of two flags in coordinates around a third, the pooled one."""
    pooled = np.stack([triple[0].basis for triple in triples])
    b = [chart.coordinates(pooled, np.stack([t[k].basis for t in triples]), coordinates) for k in (1, 2)]
    found = np.empty(len(triples))
    for t, (base, *flags) in enumerate(triples):
        laws = [one.at(base.basis).covariance(chart, assume, kind)[0] for one in flags]
        scales = [1.0 / len(one.scores) for one in flags]
        diagonal = scales[0] * laws[0].diagonal + scales[1] * laws[1].diagonal
        rows = np.vstack([np.sqrt(scale) * law.rows for scale, law in zip(scales, laws, strict=True)])
        found[t] = TangentCovariance(diagonal, rows).quadratic(b[0][t] - b[1][t])
    return found
