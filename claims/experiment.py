"""What a claim file is written with: a check is a sentence, an inequality, and a function of the seed.

A claim file ``claims/NNN_slug.py`` is nothing but checks::

    from claims.experiment import Outcome, check
    from holonomy.embed import UMAP


    @check(
        "The map of the digits keeps labels together as well as umap-learn's does.",
        "mean(measured) >= mean(baseline) - 0.01",
    )
    def label_agreement_on_digits(seed):
        return Outcome(measured=..., baseline=...)

The sentence and the inequality stand before the function because they are written before the run. The verdict is the
inequality applied to the recorded numbers and nothing else, so it can be worked out again from a result file.
"""

import ast
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

Value = float | Mapping[str, float]
"""A number, or one number for each named case (a size, a data set, a peer)."""

_OVER_SEEDS: dict[str, Callable[..., Any]] = {
    "mean": lambda values: np.mean(values, axis=0),
    "median": lambda values: np.median(values, axis=0),
    "min": lambda values: np.min(values, axis=0),
    "max": lambda values: np.max(values, axis=0),
    "std": lambda values: np.std(values, axis=0, ddof=1),
}
_OF_EACH: dict[str, Callable[..., Any]] = {"abs": np.abs, "log": np.log, "exp": np.exp, "sqrt": np.sqrt}
_FUNCTIONS = _OVER_SEEDS | _OF_EACH
_ALLOWED = (
    ast.Expression | ast.Compare | ast.Lt | ast.LtE | ast.Gt | ast.GtE | ast.BinOp | ast.operator | ast.UnaryOp
    | ast.USub | ast.Call | ast.Name | ast.Load | ast.Constant
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What one seed gave.

    Attributes
    ----------
    measured : float or dict of str to float
        Ours.
    baseline : float or dict of str to float, optional
        What the claim compares with, from the same run; None where the inequality names a constant instead. When both
        are dicts they name the same cases; when one is a number it is compared with every case of the other.
    """

    measured: Value
    baseline: Value | None = None


@dataclass(frozen=True)
class Check:
    """One experiment: see :func:`check`."""

    name: str
    statement: str
    inequality: str
    function: Callable[[int], Outcome]
    seeds: tuple[int, ...]
    reason: str

    def __call__(self, seed: int) -> Outcome:
        """Run the experiment for one seed."""
        outcome = self.function(seed)
        if not isinstance(outcome, Outcome):
            raise TypeError(f"a check must return an Outcome, got {type(outcome).__name__}.")
        return outcome


def check(
    statement: str,
    inequality: str,
    *,
    name: str | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    reason: str = "",
) -> Callable[[Callable[[int], Outcome]], Check]:
    """Declare an experiment; decorates a function of the seed that returns an :class:`Outcome`.

    Parameters
    ----------
    statement : str
        What is claimed, in one sentence a reader understands without the code.
    inequality : str
        The same, exactly: one ``<``, ``<=``, ``>`` or ``>=`` between expressions of ``measured`` and ``baseline``. It
        holds when it is true of every seed and case. ``mean``, ``median``, ``min``, ``max`` and ``std`` reduce over
        the seeds; ``abs``, ``log``, ``exp`` and ``sqrt`` work on each number.
    name : str, optional
        Short name for tables; by default the function's name with spaces.
    seeds : sequence of int
        At least three different seeds.
    reason : str
        Why the claim does not hold, once that has been found out; recorded only while it does not hold.
    """
    _parse(inequality)
    if len(set(seeds)) != len(seeds) or len(seeds) < 3:
        raise ValueError(f"seeds must be at least three different integers, got {tuple(seeds)}.")

    def declare(function: Callable[[int], Outcome]) -> Check:
        return Check(name or function.__name__.replace("_", " "), statement, inequality, function, tuple(seeds), reason)

    return declare


def verdict(inequality: str, measured: Sequence[Value | None], baseline: Sequence[Value | None]) -> bool:
    """Apply an inequality to the recorded numbers of all seeds; a missing number never satisfies it."""
    ours, ours_cases = _table(measured)
    theirs, theirs_cases = _table(baseline)
    if ours_cases and theirs_cases and ours_cases != theirs_cases:
        raise ValueError(f"measured and baseline must name the same cases, got {ours_cases} and {theirs_cases}.")
    names = {**_FUNCTIONS, "measured": ours, "baseline": theirs}
    code = compile(_parse(inequality), "inequality", "eval")
    with np.errstate(all="ignore"):
        return bool(np.all(eval(code, {"__builtins__": {}}, names)))  # noqa: S307 - _parse lets arithmetic through only


def alternately(*contenders: Callable[[], Any], repeats: int = 3) -> tuple[float, ...]:
    """Return the median wall seconds of each contender, run in turn ``repeats`` times after one unmeasured round."""
    seconds: list[list[float]] = [[] for _ in contenders]
    for repeat in range(repeats + 1):
        for spent, contender in zip(seconds, contenders, strict=True):
            start = time.perf_counter()
            contender()
            if repeat:
                spent.append(time.perf_counter() - start)
    return tuple(median(spent) for spent in seconds)


def _parse(inequality: str) -> ast.Expression:
    try:
        tree = ast.parse(inequality, mode="eval")
    except SyntaxError as error:
        raise ValueError(f"inequality {inequality!r} is not an expression: {error.msg}.") from error
    if not isinstance(tree.body, ast.Compare) or len(tree.body.ops) != 1:
        raise ValueError(f"inequality must be one comparison with <, <=, > or >=, got {inequality!r}.")
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if unknown := names - {"measured", "baseline", *_FUNCTIONS}:
        raise ValueError(f"inequality {inequality!r} uses unknown names: {', '.join(sorted(unknown))}.")
    if "measured" not in names:
        raise ValueError(f"inequality {inequality!r} says nothing about what is measured.")
    for node in ast.walk(tree):
        if not isinstance(node, _ALLOWED):
            raise ValueError(f"inequality {inequality!r} may not use {type(node).__name__}.")
    return tree


def _table(values: Sequence[Value | None]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the numbers as an array of shape (seeds, cases), NaN where missing, and the names of the cases."""
    cases = {tuple(value) if isinstance(value, Mapping) else () for value in values if value is not None}
    if len(cases) > 1:
        raise ValueError(f"every seed must give the same cases, got {sorted(cases)}.")
    names = next(iter(cases), ())
    rows = [
        [value[name] for name in names] if isinstance(value, Mapping) else [value] * max(len(names), 1)
        for value in values
    ]
    return np.array([[math.nan if number is None else number for number in row] for row in rows], dtype=float), names
