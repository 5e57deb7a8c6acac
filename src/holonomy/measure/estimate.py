"""A number measured on a sample, with how far it can be trusted."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from holonomy.measure._render import html_table, rich_table

ROUNDING = 1e-6
"""By how much values in [0, 1] may miss it in single precision."""


@dataclass(frozen=True)
class Estimate:
    """The mean of a quantity over all points, estimated from a random subsample of them.

    Attributes
    ----------
    value : float
        The mean over the subsample.
    low, high : float
        Interval that holds the mean over all points with probability ``level``.
    n : int
        Points in the subsample.
    level : float
        Confidence of the interval.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import Estimate
    >>> print(Estimate.from_sample(np.array([1.0, 0.0] * 50), n_population=10_000))
    0.500 (95 % interval 0.404 to 0.596, 100 points)
    """

    value: float
    low: float
    high: float
    n: int
    level: float = 0.95

    @classmethod
    def from_sample(cls, values: np.ndarray, n_population: int, level: float = 0.95) -> "Estimate":
        """Estimate a population's mean from values in [0, 1] of points drawn without replacement.

        The interval is Wilson's, with the sample size replaced by the number of yes/no answers that would carry the
        same variance: it stays in [0, 1], and does not close when all values are 0 or all are 1.

        Parameters
        ----------
        values : ndarray of shape (n,)
            Values of the sampled points, each in [0, 1].
        n_population : int
            Number of points the sample was drawn from. The interval closes as the sample nears all of them.
        level : float, default 0.95
            Confidence.

        Raises
        ------
        ValueError
            If a value lies outside [0, 1] by more than rounding.
        """
        n = len(values)
        if n and not (np.min(values) > -ROUNDING and np.max(values) < 1 + ROUNDING):
            raise ValueError(
                f"values must lie in [0, 1], got {np.min(values):.6g} to {np.max(values):.6g}; of other values, "
                "Estimate.from_influence gives the interval."
            )
        mean = float(np.clip(np.mean(values), 0.0, 1.0))
        if n >= n_population:
            return cls(mean, mean, mean, n, level)
        variance = float(np.var(values, ddof=1))
        answers = n * max(1.0, mean * (1 - mean) / variance) if variance > 0 else float(n)
        answers /= 1 - n / n_population
        doubt = float(norm.ppf((1 + level) / 2)) ** 2 / answers
        centre = (mean + doubt / 2) / (1 + doubt)
        half_width = np.sqrt(doubt * mean * (1 - mean) + doubt**2 / 4) / (1 + doubt)
        # In exact arithmetic the interval holds the mean; at 0 and 1 rounding may miss it.
        low, high = min(mean, float(centre - half_width)), max(mean, float(centre + half_width))
        return cls(mean, max(0.0, low), min(1.0, high), n, level)

    @classmethod
    def from_influence(
        cls,
        value: float,
        influence: np.ndarray,
        n_population: int,
        *,
        level: float = 0.95,
        bounds: tuple[float, float] = (-np.inf, np.inf),
    ) -> "Estimate":
        """Give a value measured on a sample the interval that follows from what each sampled point adds to it.

        The interval is Student's: the influences' standard deviation over sqrt(n), which closes as the sample nears
        all points. Correlations, with bounds -1 and 1, are measured on Fisher's scale, where intervals are even.

        Parameters
        ----------
        value : float
            The value on the sample.
        influence : ndarray of shape (n,)
            By how much the value would move, times n, if the point were counted once more.
        n_population : int
            Number of points the sample was drawn from.
        level : float, default 0.95
            Confidence.
        bounds : tuple of float, default (-inf, inf)
            Range that the value cannot leave.
        """
        n = len(influence)
        if n >= n_population or n < 2:
            return cls(value, value, value, n, level)
        error = float(np.std(influence, ddof=1)) * np.sqrt((1 - n / n_population) / n)
        reach = error * float(student.ppf((1 + level) / 2, n - 1))
        if bounds == (-1.0, 1.0) and abs(value) < 1:
            centre, reach = np.arctanh(value), reach / (1 - value**2)
            low, high = float(np.tanh(centre - reach)), float(np.tanh(centre + reach))
        else:
            low, high = max(bounds[0], value - reach), min(bounds[1], value + reach)
        # Rounding must not leave the value outside.
        return cls(value, float(min(value, low)), float(max(value, high)), n, level)

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return (
            f"{self.value:.3f} ({self.level * 100:g} % interval {self.low:.3f} to {self.high:.3f}, {self.n:,} points)"
        )

    def _facts(self) -> dict[str, str]:
        return {
            "value": f"{self.value:.4f}",
            f"{self.level * 100:g} % interval": f"{self.low:.4f} to {self.high:.4f}",
            "points": f"{self.n:,}",
        }

    def _repr_html_(self) -> str:
        return html_table("Estimate", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Estimate", self._facts())
