"""What a hypothesis test returns."""

from dataclasses import dataclass
from typing import Any, ClassVar

from holonomy._core.render import html_table, rich_table


@dataclass(frozen=True)
class TestResult:
    """The outcome of a hypothesis test.

    Attributes
    ----------
    statistic : float
        Large where data and hypothesis disagree.
    df : int
        Degrees of freedom: the dimension of what is tested.
    pvalue : float
        Probability of a statistic at least as large if the hypothesis is true.
    calibration : str
        Where the probability comes from: "chi2", "F" or "bootstrap".

    Examples
    --------
    >>> from holonomy.stats import TestResult
    >>> TestResult(statistic=3.84, df=1, pvalue=0.05, calibration="chi2").rejects(0.1)
    True
    """

    __test__: ClassVar[bool] = False

    statistic: float
    df: int
    pvalue: float
    calibration: str

    def rejects(self, alpha: float = 0.05) -> bool:
        """Say whether the hypothesis is rejected at level ``alpha``."""
        return self.pvalue < alpha

    def _facts(self) -> dict[str, Any]:
        return {
            "statistic": f"{self.statistic:.4g}",
            "degrees of freedom": self.df,
            "p-value": f"{self.pvalue:.3g} ({self.calibration})",
        }

    def __rich__(self) -> Any:
        return rich_table("Test", self._facts())

    def _repr_html_(self) -> str:
        return html_table("Test", self._facts())
