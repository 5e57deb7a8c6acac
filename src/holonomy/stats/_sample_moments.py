"""Mean and scatter of rows that come in batches."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SampleMoments:
    """What a covariance matrix is made of.

    Attributes
    ----------
    count : int
        Number of rows.
    mean : ndarray of shape (p,)
        Their mean.
    scatter : ndarray of shape (p, p)
        Sum of the outer products of what they differ from it by.
    """

    count: int
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, X: np.ndarray) -> "SampleMoments":
        """Return those of rows (n, p)."""
        mean = X.mean(0)
        Z = X - mean
        return cls(len(X), mean, Z.T @ Z)

    def joined(self, other: "SampleMoments") -> "SampleMoments":
        """Return those of the rows of both: no large numbers are subtracted, however far the mean is from 0."""
        count = self.count + other.count
        apart, part = other.mean - self.mean, other.count / count
        between = (self.count * part) * np.outer(apart, apart)
        return SampleMoments(count, self.mean + part * apart, self.scatter + other.scatter + between)
