"""Collections of distributions: samples, weighted samples and histograms, brought to one form and checked."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.validation import as_numpy
from holonomy.stats._harmonics import GraphHarmonics, Harmonics, MeshHarmonics

ROWS_AT_ONCE = 1 << 18
"""Points of which eigenfunctions are worked out at a time."""


class Distributions:
    """Distributions as points and weights, one after the other."""

    def __init__(self, parts: list[tuple[np.ndarray, np.ndarray]]) -> None:
        self._parts = parts

    def __len__(self) -> int:
        return len(self._parts)

    def chunks(self) -> Iterator[tuple[slice, np.ndarray, np.ndarray, np.ndarray]]:
        """Yield (which distributions, points, weights, where each starts) in pieces that fit into memory."""
        first = 0
        while first < len(self._parts):
            last, rows = first, 0
            while last < len(self._parts) and (last == first or rows + len(self._parts[last][1]) <= ROWS_AT_ONCE):
                rows += len(self._parts[last][1])
                last += 1
            points = np.concatenate([part[0] for part in self._parts[first:last]])
            mass = np.concatenate([part[1] for part in self._parts[first:last]])
            starts = np.concatenate([[0], np.cumsum([len(part[1]) for part in self._parts[first:last]])])
            yield slice(first, last), points, mass, starts
            first = last


def take_distributions(given: Any, support: Any, harmonics: Harmonics) -> Distributions:
    """Return checked distributions from samples or histograms.

    Raises
    ------
    TypeError, ValueError
        If there is none, or one is empty, off the domain, has negative weights or no mass.
    """
    if sparse.issparse(given) or (isinstance(given, np.ndarray) and given.ndim == 2 and given.dtype.kind in "fiub"):
        return Distributions(_histograms(given, support, harmonics))
    if isinstance(given, str | bytes) or not hasattr(given, "__len__") or len(given) == 0:
        raise ValueError("distributions must be a matrix of histograms or a sequence of at least one sample.")
    return Distributions([_sample(one, number, support, harmonics) for number, one in enumerate(given)])


def _histograms(given: Any, support: Any, harmonics: Harmonics) -> list[tuple[np.ndarray, np.ndarray]]:
    table = sparse.csr_array(given, dtype=np.float64)
    places = harmonics.bins(table.shape[1]) if support is None else harmonics.points(support, "support")
    if len(places) != table.shape[1]:
        raise ValueError(f"support must hold a point for each of the {table.shape[1]} columns, got {len(places)}.")
    if not np.isfinite(table.data).all() or (table.data < 0).any():
        raise ValueError(
            "histograms must be finite and not negative. Rows of a two-dimensional array are taken for histograms; "
            "pass a list of arrays if they are samples."
        )
    sums = np.asarray(table.sum(axis=1)).ravel()
    if (sums <= 0).any():
        raise ValueError(f"histograms must have mass, and row {int((sums <= 0).argmax())} has none.")
    table.eliminate_zeros()
    ends = table.indptr
    return [(places[table.indices[a:b]], table.data[a:b]) for a, b in itertools.pairwise(ends)]


def _sample(given: Any, number: int, support: Any, harmonics: Harmonics) -> tuple[np.ndarray, np.ndarray]:
    name = f"distributions[{number}]"
    if isinstance(given, tuple) and len(given) == 2:
        points, mass = harmonics.points(given[0], name), np.asarray(as_numpy(given[1]), dtype=np.float64)
        if mass.shape != (len(points),):
            raise ValueError(f"{name} must have one weight for each of its {len(points)} points, got {mass.shape}.")
    else:
        rows = np.asarray(as_numpy(given))
        by_node = isinstance(harmonics, GraphHarmonics | MeshHarmonics) and rows.dtype.kind == "f" and rows.ndim == 1
        if support is not None or by_node:
            return _histograms(rows.reshape(1, -1), support, harmonics)[0]
        points = harmonics.points(rows, name)
        mass = np.ones(len(points))
    if not len(points):
        raise ValueError(f"{name} must hold at least one point, and is empty.")
    if not np.isfinite(mass).all() or (mass < 0).any() or mass.sum() <= 0:
        raise ValueError(f"{name} must have finite weights, not negative and not all 0.")
    kept = mass > 0
    return points[kept], mass[kept]
