"""Laying one map over another: turned, mirrored, scaled and shifted to fit best."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holonomy._core.citations import references
from holonomy._core.validation import Points, as_numpy, check_int, check_points
from holonomy.measure._inputs import check_same_length
from holonomy.measure._render import html_table, rich_table


@dataclass(frozen=True, eq=False)
class Alignment:
    """A map laid over a reference.

    Attributes
    ----------
    aligned : ndarray of shape (n, p)
        ``scale * Z @ rotation + shift``.
    rotation : ndarray of shape (p, p)
        Orthogonal; may mirror.
    scale : float
        Positive, or 0 where the two have nothing in common.
    shift : ndarray of shape (p,)
        What is added.
    disparity : float
        Sum of squared misses over that of the centred reference, in [0, 1]: 0 where the two are similar.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import align
    >>> Z = np.random.default_rng(0).normal(size=(20, 2))
    >>> found = align(3 * Z[:, ::-1] + 1, Z)
    >>> bool(np.allclose(found.aligned, Z)), round(found.scale, 6)
    (True, 0.333333)
    """

    aligned: np.ndarray
    rotation: np.ndarray
    scale: float
    shift: np.ndarray
    disparity: float

    def _facts(self) -> dict[str, str]:
        mirrored = "yes" if np.linalg.det(self.rotation) < 0 else "no"
        return {"disparity": f"{self.disparity:.4f}", "scale": f"{self.scale:.4g}", "mirrored": mirrored}

    def _repr_html_(self) -> str:
        return html_table("Alignment", self._facts())

    def __rich__(self) -> Any:
        return rich_table("Alignment", self._facts())


@references("schonemann1966generalized")
def align(Z: Points, reference: Points, *, scaling: bool = True) -> Alignment:
    """Turn, mirror, scale and shift a map so that it lies over another as well as it can (Procrustes).

    Parameters
    ----------
    Z : array-like of shape (n, p)
        The map. Rows of NaN are points that it does not have, and stay so.
    reference : array-like of shape (n, p)
        What to lay it over; rows of NaN count as above.
    scaling : bool, default True
        Whether its size may change.

    Returns
    -------
    Alignment

    Raises
    ------
    ValueError
        If the shapes differ, fewer than 2 points are in both, or values are infinite.

    References
    ----------
    Schönemann (1966), A generalized solution of the orthogonal Procrustes problem.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import align
    >>> square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    >>> round(align(square @ [[0.6, -0.8], [0.8, 0.6]], square).disparity, 9)
    0.0
    """
    points, target = _map(Z, "Z"), _map(reference, "reference")
    check_same_length(len(points), len(target), "Z", "reference")
    if points.shape != target.shape:
        raise ValueError(f"Z and reference must have as many columns, got {points.shape[1]} and {target.shape[1]}.")
    common = np.isfinite(points).all(axis=1) & np.isfinite(target).all(axis=1)
    if common.sum() < 2:
        raise ValueError(f"Z and reference must have at least 2 points in common, got {common.sum()}.")
    middle, target_middle = points[common].mean(axis=0), target[common].mean(axis=0)
    centred, aim = points[common] - middle, target[common] - target_middle
    left, strengths, right = np.linalg.svd(centred.T @ aim)
    rotation = left @ right
    size, aim_size = float(np.square(centred).sum()), float(np.square(aim).sum())
    scale = 1.0
    if scaling:
        scale = float(strengths.sum()) / size if size > 0 else 0.0
    shift = target_middle - scale * middle @ rotation
    missed = float(np.square(scale * centred @ rotation - aim).sum())
    disparity = missed / aim_size if aim_size > 0 else float(missed > 0)
    return Alignment(scale * points @ rotation + shift, rotation, scale, shift, disparity)


@references("gower1975generalized")
def align_all(maps: Sequence[Points], *, n_rounds: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Lay several maps of the same points over each other and over their mean (generalised Procrustes).

    Parameters
    ----------
    maps : sequence of array-like, each of shape (n, p)
        At least two. Rows of NaN are points that a map does not have.
    n_rounds : int, default 10
        Rounds of laying all maps over their mean and taking the mean again; three usually do.

    Returns
    -------
    aligned : ndarray of shape (m, n, p)
        The maps, in the position of the first, all scaled to its size.
    mean : ndarray of shape (n, p)
        Mean place of every point over the maps that have it; NaN where none has.

    Raises
    ------
    ValueError
        If there are fewer than two maps, or their shapes differ.

    References
    ----------
    Gower (1975), Generalized Procrustes analysis.

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.measure import align_all
    >>> Z = np.random.default_rng(0).normal(size=(30, 2))
    >>> aligned, mean = align_all([Z, 2 * Z, -Z])
    >>> bool(np.allclose(mean, Z))
    True
    """
    checked = [_map(Z, f"maps[{index}]") for index, Z in enumerate(maps)]
    if len(checked) < 2:
        raise ValueError(f"maps must hold at least two maps to lay over each other, got {len(checked)}.")
    if len({Z.shape for Z in checked}) > 1:
        raise ValueError(f"maps must all have the same shape, got {', '.join(str(Z.shape) for Z in checked)}.")
    rounds = check_int(n_rounds, "n_rounds", minimum=1)
    mean = checked[0]
    size = _size(mean)
    aligned = np.stack([align(Z, mean).aligned for Z in checked])
    for _ in range(rounds):
        before, mean = mean, _mean(aligned)
        # Maps that fit badly are scaled down to fit better: keep the size, or all would shrink.
        mean = mean * (size / _size(mean)) if _size(mean) > 0 else mean
        aligned = np.stack([_as_large(align(Z, mean).aligned, mean) for Z in checked])
        if np.nansum(np.square(mean - before)) <= 1e-12 * size**2 * len(mean):
            break
    first = align(aligned[0], checked[0])
    placed = first.scale * aligned @ first.rotation + first.shift
    return placed, _mean(placed)


def _map(Z: Points, name: str) -> np.ndarray:
    """Return a map as float64, in which rows of NaN stand for points that are not there."""
    values = np.asarray(as_numpy(Z), dtype=np.float64)
    if values.ndim == 2 and np.isnan(values).all(axis=1).any():
        missing = np.isnan(values).all(axis=1)
        if missing.all():
            raise ValueError(f"{name} has no points: all rows are NaN.")
        check_points(values[~missing], name=name)
        return values
    return check_points(values, name=name)


def _mean(aligned: np.ndarray) -> np.ndarray:
    there = np.isfinite(aligned).all(axis=2)
    sums = np.where(there[:, :, None], aligned, 0.0).sum(axis=0)
    counts = there.sum(axis=0)[:, None]
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)


def _size(Z: np.ndarray) -> float:
    """Return the root mean square distance of the points to their middle."""
    return float(np.sqrt(np.nanvar(Z, axis=0).sum()))


def _as_large(Z: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return a map as large as the mean is over the map's own points, about their middle."""
    there = np.isfinite(Z).all(axis=1)
    own = _size(Z[there])
    middle = Z[there].mean(axis=0)
    return middle + (Z - middle) * (_size(mean[there]) / own) if own > 0 else Z
