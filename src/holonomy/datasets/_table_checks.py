"""What every table must be, and what is filled in where that is asked for."""

from collections import Counter

import numpy as np

from holonomy.datasets._table_columns import quoted


def check_names(names: list[str], title: str) -> None:
    """Raise where two columns have the same name."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{title} has several columns with the same name: {quoted(twice)}. Rename them.")


def check_rows(n_rows: int, title: str) -> None:
    """Raise where there are fewer than two rows."""
    if n_rows < 2:
        raise ValueError(f"{title} must have at least two rows, got {n_rows}.")


def check_finite(X: np.ndarray, names: list[str], title: str) -> None:
    """Raise where coordinates are missing or infinite, with the count of each column."""
    if np.isfinite(X).all():
        return
    n_missing, n_infinite = np.isnan(X).sum(axis=0), np.isinf(X).sum(axis=0)
    counts = [
        f"{name!r} " + " and ".join(f"{n} {what}" for n, what in ((missing, "missing"), (infinite, "infinite")) if n)
        for name, missing, infinite in zip(names, n_missing, n_infinite, strict=True)
        if missing or infinite
    ]
    more = f" and {len(counts) - 10} more columns" if len(counts) > 10 else ""
    raise ValueError(
        f"{title} has values that are missing or infinite, in {(~np.isfinite(X)).any(axis=1).sum()} of {len(X)} rows: "
        f"{', '.join(counts[:10])}{more}. Remove those rows, choose other columns, or fill what is missing in with "
        "medians: --impute on the command line, impute=True in Python."
    )


def imputed(X: np.ndarray, names: list[str], title: str) -> tuple[np.ndarray, str]:
    """Return a copy with the median of its column for every missing value, and a note that counts them."""
    is_missing = np.isnan(X)
    empty = [name for name, is_empty in zip(names, is_missing.all(axis=0), strict=True) if is_empty]
    if empty:
        raise ValueError(f"{title} has columns without any value, which cannot be filled in: {quoted(empty)}.")
    filled = X.copy()
    affected = np.flatnonzero(is_missing.any(axis=0))
    for column in affected:
        filled[is_missing[:, column], column] = np.nanmedian(X[:, column])
    counts = [f"{names[column]!r} {is_missing[:, column].sum()}" for column in affected[:10]]
    more = f" and {len(affected) - 10} more columns" if len(affected) > 10 else ""
    total = int(is_missing.sum())
    return filled, f"Missing values filled in with the median of their column: {total} ({', '.join(counts)}{more})."
