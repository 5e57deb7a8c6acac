"""Averages of rotations and of rigid motions."""

import itertools
import math
from typing import Any

import torch
from torch import Tensor

from holonomy._core.citations import references
from holonomy._core.validation import check_float, check_option
from holonomy.manifolds import SpecialOrthogonal
from holonomy.manifolds.numerics import tolerances, widen
from holonomy.manifolds.scalars import stumpff
from holonomy.stats._inputs import ArrayLike, as_tensor, restorer, take_points, take_weights
from holonomy.stats.centers import frechet_mean, frechet_median
from holonomy.stats.flag_centers import flag_mean, flag_median

METHODS = ("chordal_l2", "flag_mean", "flag_median", "geodesic_mean", "geodesic_median")
"""Kinds of averages."""

_LARGEST = 8
"""Largest rotations: 2^(n - 1) signs of the columns are tried."""


@references("mankovich2023chordal", "hartley2013rotation")
def rotation_average(
    R: ArrayLike, method: str = "flag_mean", weights: ArrayLike | None = None, *, random_state: int = 0
) -> Any:
    """Return an average of rotations.

    As a flag, a rotation is the nested sequence of the spans of its first columns, which forgets their signs. The signs
    of an average flag are those of the rotation with the least weighted sum of (squared) angles to the given ones.

    Parameters
    ----------
    R : array-like or tensor of shape (m, n, n)
        Rotations of R^n, ``2 <= n <= 8``.
    method : str, default "flag_mean"
        "flag_mean" and "flag_median": chordal averages of flags of type (1, 2, ..., n - 1; n); "geodesic_mean" and
        "geodesic_median": least sum of squared angles, of angles; "chordal_l2": the rotation nearest to the mean
        matrix. Medians withstand outliers.
    weights : array-like or tensor of shape (m,), optional
        Not negative, not all 0; equal by default.
    random_state : int, default 0
        Seed of the random starts of flag averages.

    Returns
    -------
    array or tensor of shape (n, n)
        A rotation.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If matrices are no rotations, their size is out of range, or an option is unknown.

    References
    ----------
    Mankovich & Birdal (2023), "Chordal Averaging on Flag Manifolds and Its Applications".
    Hartley, Trumpf, Dai & Li (2013), "Rotation averaging".

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.spatial.transform import Rotation
    >>> from holonomy.stats import rotation_average
    >>> turns = Rotation.from_rotvec([[0.0, 0.0, angle] for angle in (0.3, 0.5, 0.7)]).as_matrix()
    >>> Rotation.from_matrix(rotation_average(turns)).as_rotvec().round(3) + 0.0
    array([0. , 0. , 0.5])
    """
    check_option(method, "method", METHODS)
    x = as_tensor(R, "R")
    if x.ndim != 3 or x.shape[-1] != x.shape[-2] or not 2 <= x.shape[-1] <= _LARGEST or len(x) == 0:
        raise ValueError(f"R must have shape (m, n, n) with m >= 1 and 2 <= n <= {_LARGEST}, got {tuple(x.shape)}.")
    space = SpecialOrthogonal(x.shape[-1])
    x = take_points(space, x, name="R")
    w = take_weights(weights, x, 2)
    with torch.no_grad():
        return restorer(R)(_average(space, widen(x), widen(w), method, random_state).to(x.dtype))


def _average(space: SpecialOrthogonal, x: Tensor, w: Tensor, method: str, random_state: int) -> Tensor:
    if method == "chordal_l2":
        return space.project((w[:, None, None] * x).sum(0) / w.sum())
    if method == "geodesic_mean":
        return frechet_mean(x, space, w).point
    if method == "geodesic_median":
        return frechet_median(x, space, w).point
    n = space.n
    center = flag_mean if method == "flag_mean" else flag_median
    frame = center(x[..., : n - 1], tuple(range(1, n)), w, random_state=random_state).point
    return _oriented(space, frame, x, w, 2.0 if method == "flag_mean" else 1.0)


def _oriented(space: SpecialOrthogonal, frame: Tensor, x: Tensor, w: Tensor, power: float) -> Tensor:
    """Return the rotation of a full flag whose signs give the least weighted sum of powers of angles."""
    complement = torch.linalg.svd(frame, full_matrices=True).U[:, -1:]
    whole = torch.cat([frame, complement], dim=1)
    whole = torch.cat([frame, complement * torch.linalg.det(whole).sign()], dim=1)
    rows = torch.tensor(list(itertools.product((1.0, -1.0), repeat=space.n)), dtype=x.dtype, device=x.device)
    candidates = whole * rows[rows.prod(-1) > 0].unsqueeze(-2)
    costs = (w * space.dist(candidates.unsqueeze(1), x) ** power).sum(-1)
    return candidates[int(costs.argmin())]


@references("mankovich2023chordal", "ozyesil2018synchronization")
def motion_average(
    T: ArrayLike,
    method: str = "flag_mean",
    weights: ArrayLike | None = None,
    *,
    scale: float | None = None,
    random_state: int = 0,
) -> Any:
    """Return an average of rigid motions, through rotations of one dimension more.

    A motion (R, t) becomes the rotation ``exp([[0, t / s], [-t^T / s, 0]]) [[R, 0], [0, 1]]``: the larger the scale s,
    the flatter the piece of the sphere on which translations lie. The average rotation is mapped back the same way.
    Translations are first taken relative to their median, coordinate by coordinate.

    Parameters
    ----------
    T : array-like or tensor of shape (m, n + 1, n + 1)
        Homogeneous matrices ``[[R, t], [0, 1]]`` of motions of R^n.
    method : str, default "flag_mean"
        As in :func:`rotation_average`.
    weights : array-like or tensor of shape (m,), optional
        Not negative, not all 0; equal by default.
    scale : float, optional
        The scale s, in units of the translations: an error of one radian counts as much as one of s. By default 10
        times the median length of relative translations. For means it must exceed their lengths divided by pi, and is
        at least 1.1 times that by default; for medians longer ones, which are outliers, are taken at the length
        ``pi s / 2``.
    random_state : int, default 0
        Seed of the random starts of flag averages.

    Returns
    -------
    array or tensor of shape (n + 1, n + 1)
        A motion.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If matrices are no motions, the scale is too small, or an option is unknown.

    References
    ----------
    Ozyesil, Sharon & Singer (2018), "Synchronization over Cartan motion groups via contraction".

    Examples
    --------
    >>> import numpy as np
    >>> from holonomy.stats import motion_average
    >>> T = np.stack([np.eye(4)] * 3)
    >>> T[:, 0, 3] = [1.0, 2.0, 3.0]
    >>> motion_average(T).round(6)[0] + 0.0
    array([1., 0., 0., 2.])
    """
    check_option(method, "method", METHODS)
    x = as_tensor(T, "T")
    if x.ndim != 3 or x.shape[-1] != x.shape[-2] or not 3 <= x.shape[-1] <= _LARGEST or len(x) == 0:
        raise ValueError(
            f"T must have shape (m, n + 1, n + 1) with m >= 1 and 2 <= n < {_LARGEST}, got {tuple(x.shape)}."
        )
    n = x.shape[-1] - 1
    last = torch.eye(n + 1, dtype=x.dtype, device=x.device)[-1]
    if not bool(((x[:, -1] - last).abs() <= tolerances(x.dtype).belongs).all()):
        raise ValueError("T must hold homogeneous matrices, whose last rows are 0, ..., 0, 1.")
    SpecialOrthogonal(n).check_point(x[:, :n, :n], "the rotations of T")
    w = widen(take_weights(weights, x, 2))
    turns, shifts = widen(x[:, :n, :n]), widen(x[:, :n, n])
    with torch.no_grad():
        center = shifts.median(0).values
        relative = shifts - center
        lengths = relative.norm(dim=-1, keepdim=True)
        robust = method in ("flag_median", "geodesic_median")
        s = _scale(lengths, scale, robust)
        if robust:
            longest = 0.5 * math.pi * s
            relative = torch.where(lengths > longest, relative * (longest / lengths.clamp_min(longest)), relative)
        raised = _turn(relative, s) @ _padded(turns)
        found = _average(SpecialOrthogonal(n + 1), raised, w, method, random_state)
        shift = _fallen(found[:, -1], s)
        turn = SpecialOrthogonal(n).project((_turn(shift, s).mT @ found)[:n, :n])
        result = _padded(turn)
        result[:n, n] = shift + center
    return restorer(T)(result.to(x.dtype))


def _scale(lengths: Tensor, scale: float | None, robust: bool) -> float:
    longest = float(lengths.max())
    if scale is None:
        usual = 10.0 * float(lengths.median())
        # A sphere is met once within half its circumference.
        return (usual if robust and usual > 0.0 else max(usual, 1.1 * longest / math.pi)) or 1.0
    if check_float(scale, "scale", minimum=0.0) == 0.0 or (not robust and longest >= math.pi * scale):
        raise ValueError(
            f"scale must exceed the longest translation from the median divided by pi, {longest / math.pi:.4g}, "
            f"got {scale}."
        )
    return scale


def _turn(shift: Tensor, scale: float) -> Tensor:
    """Return the rotations (..., n + 1, n + 1) that translations (..., n) become: they turn the last axis to them."""
    v = shift / scale
    z = v.square().sum(-1)[..., None, None]
    n = v.shape[-1]
    turn = torch.zeros(*v.shape[:-1], n + 1, n + 1, dtype=v.dtype, device=v.device)
    turn[..., :n, n] = v
    turn[..., n, :n] = -v
    identity = torch.eye(n + 1, dtype=v.dtype, device=v.device)
    return identity + stumpff(z, 1) * turn + stumpff(z, 2) * (turn @ turn)


def _fallen(axis: Tensor, scale: float) -> Tensor:
    """Return the translation that turns the last axis to where it is."""
    across = axis[:-1]
    sine = across.norm()
    angle = torch.atan2(sine, axis[-1])
    return scale * across * (angle / sine if float(sine) > 0.0 else 1.0)


def _padded(turns: Tensor) -> Tensor:
    """Return ``[[R, 0], [0, 1]]``."""
    padded = torch.nn.functional.pad(turns, (0, 1, 0, 1))
    padded[..., -1, -1] = 1.0
    return padded
