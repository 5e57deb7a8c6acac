"""Draw principal axes with how sure they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from sklearn.utils.validation import check_is_fitted

from holonomy._core.random import RandomState
from holonomy._core.validation import check_int
from holonomy.plot._axes import GREY, LINES, axes_for, without_axes
from holonomy.stats.subspace_inference import PCASubspaceInference

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def principal_axes(
    inference: PCASubspaceInference,
    *,
    variables: Sequence[int] = (0, 1),
    n_draws: int = 200,
    random_state: RandomState = 0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the axes of single eigenvalues in two or three variables, with cones of axes that the region holds.

    The axes are those of flags drawn from the boundary of the confidence region, seen in the chosen variables; axes of
    repeated eigenvalues are left out, since only their span is identified.

    Parameters
    ----------
    inference : PCASubspaceInference
        After ``fit``.
    variables : sequence of int, default (0, 1)
        Two variables, or three for a picture in space.
    n_draws : int, default 200
        Flags drawn from the boundary.
    random_state : int, Generator, RandomState or None, default 0
        Seed of the draws.
    ax : matplotlib Axes, optional
        Where to draw, with ``projection="3d"`` for three variables; new ones by default.

    Returns
    -------
    matplotlib Axes
        Where it was drawn.

    Raises
    ------
    ValueError
        If the variables are not two or three that exist, or no axis is single.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.plot import principal_axes
    >>> from holonomy.stats import PCASubspaceInference
    >>> X = np.random.default_rng(0).standard_normal((300, 2)) * [3.0, 1.0]
    >>> ax = principal_axes(PCASubspaceInference(1).fit(X), n_draws=20)
    >>> len(ax.get_legend().get_texts())
    2
    """
    check_is_fitted(inference, "flag_")
    p = len(inference.flag_)
    chosen = [check_int(v, "variables", minimum=0, maximum=p - 1) for v in variables]
    if len(chosen) not in (2, 3) or len(set(chosen)) < len(chosen):
        raise ValueError(f"variables must be two or three different ones, got {tuple(variables)}.")
    count = check_int(n_draws, "n_draws", minimum=1)
    single = np.flatnonzero(np.repeat(np.array(inference.type_) == 1, inference.type_))
    if not len(single):
        raise ValueError(f"inference has no axis of its own: its type is {inference.type_}.")
    draws = inference.sample_region(count, boundary=True, random_state=random_state)
    ax = _space(ax) if len(chosen) == 3 else axes_for(ax, (4.2, 4.2))
    for number, axis in enumerate(single):
        color = LINES[number % len(LINES)]
        for flag in draws:
            _segment(ax, flag[chosen, axis], color=color, alpha=0.08, linewidth=1.0)
        _segment(ax, inference.flag_[chosen, axis], color=color, linewidth=2.0, label=f"axis {axis + 1}")
    if len(chosen) == 2:
        without_axes(ax)
        ax.axhline(0.0, color=GREY, linewidth=0.5)
        ax.axvline(0.0, color=GREY, linewidth=0.5)
    ax.legend(frameon=False)
    return ax


def _segment(ax: "Axes", end: np.ndarray, **style: object) -> None:
    ax.plot(*np.stack([-end, end]).T, **style)  # type: ignore[arg-type]


def _space(ax: "Axes | None") -> "Axes":
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(4.6, 4.6)).add_subplot(projection="3d")
