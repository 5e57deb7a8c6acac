"""Edges as people have them: arrays, tables, files, graphs and matrices, turned into numbered pairs with weights."""

import os
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.validation import as_numpy

COLUMNS = ("id1", "id2", "weight")


@dataclass(frozen=True)
class EdgeList:
    """Distinct pairs of nodes.

    Attributes
    ----------
    labels : ndarray of shape (n,)
        What the nodes are called.
    links : csr_array of float64, shape (n, n)
        Weights, of pairs given twice the sum; sorted.
    """

    labels: np.ndarray
    links: sparse.csr_array


def read_edges(edges: Any, name: str = "edges") -> EdgeList:
    """Return the pairs of any of the forms that `PoincareEmbedding` takes.

    Raises
    ------
    TypeError
        If it is none of them.
    ValueError
        If there is no pair, or one joins a node to itself, is incomplete or has a weight that is not positive.
    """
    if sparse.issparse(edges):
        return _from_matrix(edges, name)
    if _is_networkx(edges):
        return _from_networkx(edges, name)
    if isinstance(edges, str | os.PathLike):
        import pandas as pd

        table = pd.read_csv(edges, keep_default_na=True)
        return _from_columns(*_columns(table, name), name)
    if hasattr(edges, "columns") and hasattr(edges, "shape"):
        return _from_columns(*_columns(edges, name), name)
    return _from_columns(*_split(edges, name), name)


def known_numbers(edges: Any, numbers: dict[Hashable, int], name: str) -> np.ndarray:
    """Return pairs (m, 2) of node numbers for edges between nodes that are known by label."""
    found = read_edges(edges, name)
    places = label_numbers(found.labels, numbers, name)
    rows, columns = found.links.nonzero()
    return np.column_stack([places[rows], places[columns]])


def label_numbers(labels: Iterable[Any], numbers: dict[Hashable, int], name: str) -> np.ndarray:
    """Return the numbers of labels; raises a ValueError with those that are unknown."""
    asked = [plain(label) for label in labels]
    unknown = [label for label in asked if label not in numbers]
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise ValueError(f"{name} must name fitted nodes; unknown: {', '.join(map(repr, unknown[:3]))}{more}.")
    return np.array([numbers[label] for label in asked], dtype=np.int64)


def plain(label: Any) -> Hashable:
    """Return a label as Python's own kind of value."""
    value = label.item() if isinstance(label, np.generic) else label
    return value if isinstance(value, Hashable) else repr(value)


def _from_matrix(matrix: Any, name: str) -> EdgeList:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name} must be a square matrix, got shape {matrix.shape}.")
    if matrix.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers, got dtype {matrix.dtype}.")
    entries = matrix.tocoo()
    labels = np.arange(matrix.shape[0])
    return _checked(labels, entries.row, entries.col, entries.data.astype(np.float64), name)


def _is_networkx(edges: Any) -> bool:
    return hasattr(edges, "is_directed") and hasattr(edges, "nodes") and hasattr(edges, "edges")


def _from_networkx(graph: Any, name: str) -> EdgeList:
    """Read a graph; an edge of an undirected one is a pair in either direction."""
    nodes = list(graph.nodes)
    numbers = {node: i for i, node in enumerate(nodes)}
    found = [(numbers[a], numbers[b], weight) for a, b, weight in graph.edges(data="weight", default=1.0)]
    rows, columns, weights = np.array(found, dtype=np.float64).reshape(-1, 3).T
    rows, columns = rows.astype(np.int64), columns.astype(np.int64)
    if not graph.is_directed():
        rows, columns, weights = np.r_[rows, columns], np.r_[columns, rows], np.r_[weights, weights]
    return _checked(_label_array(nodes), rows, columns, weights, name)


def _columns(table: Any, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return the columns called id1, id2 and weight, or else the first two or three."""
    names = list(table.columns)
    if not set(COLUMNS[:2]) <= set(names) and len(names) not in (2, 3):
        raise ValueError(f"{name} must have columns id1 and id2 (and weight), or just two or three, got {names}.")
    named = [column for column in COLUMNS if column in names]
    chosen = named if set(COLUMNS[:2]) <= set(named) else names
    arrays = [np.asarray(table[column]) for column in chosen]
    return arrays[0], arrays[1], arrays[2] if len(arrays) == 3 else None


def _split(edges: Any, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return the columns of pairs or triples."""
    given = as_numpy(edges)
    if isinstance(given, np.ndarray):
        if given.ndim != 2 or given.shape[1] not in (2, 3):
            raise ValueError(f"{name} must be pairs (m, 2), with weights (m, 3), got shape {given.shape}.")
        rows, columns = given[:, 0], given[:, 1]
        if given.dtype.kind == "f":
            rows, columns = _whole(rows, name), _whole(columns, name)
        return rows, columns, given[:, 2] if given.shape[1] == 3 else None
    if isinstance(given, bytes) or not isinstance(given, Iterable):
        raise TypeError(
            f"{name} must be pairs, a table, a path, a networkx graph or a SciPy sparse matrix, "
            f"got {type(edges).__name__}."
        )
    items = [tuple(item) if isinstance(item, Iterable) and not isinstance(item, str) else (item,) for item in given]
    sizes = {len(item) for item in items}
    if not sizes <= {2} and not sizes <= {3}:
        raise ValueError(f"{name} must be pairs, or all triples with a weight, got items of {sorted(sizes)} parts.")
    parts: list[tuple[Any, ...]] = list(zip(*items, strict=True)) if items else [(), ()]
    weights = np.array(parts[2], dtype=object) if len(parts) == 3 else None
    return _label_array(parts[0]), _label_array(parts[1]), weights


def _whole(values: np.ndarray, name: str) -> np.ndarray:
    if not np.isfinite(values).all():
        raise ValueError(f"{name} must name two nodes in every row, got NaN or infinity.")
    if (values != np.floor(values)).any():
        raise ValueError(f"{name} must have whole numbers of nodes, got {values[values != np.floor(values)][0]}.")
    return values.astype(np.int64)


def _label_array(labels: Iterable[Any]) -> np.ndarray:
    """Return labels as an array of whole numbers or of text where all are, else of objects."""
    values = list(labels)
    kinds = {type(plain(value)) for value in values}
    if kinds in ({int}, {str}):
        return np.array(values)
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result


def _from_columns(heads: np.ndarray, tails: np.ndarray, weights: np.ndarray | None, name: str) -> EdgeList:
    import pandas as pd

    ends = np.concatenate([heads, tails]) if heads.dtype.kind == tails.dtype.kind else np.r_[
        heads.astype(object), tails.astype(object)
    ]  # fmt: skip
    if pd.isna(ends).any():
        raise ValueError(f"{name} must name two nodes in every row, got a missing one.")
    try:
        codes, labels = pd.factorize(ends, sort=True)
    except TypeError:
        codes, labels = pd.factorize(ends, sort=False)
    if weights is None:
        values = np.ones(len(heads))
    else:
        try:
            values = np.asarray(weights, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValueError(f"{name} must have numbers for weights in the third column.") from None
    rows, columns = np.split(codes.astype(np.int64), 2)
    return _checked(_label_array(np.asarray(labels).tolist()), rows, columns, values, name)


def _checked(labels: np.ndarray, rows: np.ndarray, columns: np.ndarray, weights: np.ndarray, name: str) -> EdgeList:
    if len(rows) == 0:
        raise ValueError(f"{name} must hold at least one pair, got none.")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError(f"{name} must have weights that are finite and not negative, got {weights.min()}.")
    loops = np.flatnonzero(rows == columns)
    if len(loops):
        raise ValueError(f"{name} must not join a node to itself, as {plain(labels[rows[loops[0]]])!r} is.")
    links = sparse.csr_array((weights, (rows, columns)), shape=(len(labels), len(labels)))
    links.sum_duplicates()
    links.eliminate_zeros()
    links.sort_indices()
    if links.nnz == 0:
        raise ValueError(f"{name} must hold at least one pair of positive weight, got none.")
    return EdgeList(labels, links)
