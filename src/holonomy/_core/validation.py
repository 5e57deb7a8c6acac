"""What every public function checks before it computes, with one wording."""

import sys
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

Points: TypeAlias = Any
"""Anything that holds one point a row: arrays, data frames, tensors, sparse matrices."""


def as_numpy(X: Any) -> Any:
    """Bring torch tensors to NumPy; leave everything else to scikit-learn's ``check_array``."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(X, torch.Tensor):
        return X.detach().cpu().numpy()
    return X


def check_points(
    X: Points,
    *,
    name: str = "X",
    dtype: DTypeLike | Sequence[DTypeLike] = (np.float64, np.float32),
    accept_sparse: bool = False,
    min_samples: int = 1,
) -> Any:
    """Return ``X`` as a finite two-dimensional floating-point array (or CSR matrix), never written to.

    Parameters
    ----------
    X : array-like of shape (n, d)
        NumPy, pandas, polars, torch, nested lists, or SciPy sparse where ``accept_sparse``.
    name : str
        How error messages call the argument.
    dtype : dtype or list of dtypes
        A listed dtype is kept; anything else is converted to the first.
    accept_sparse : bool
        Whether sparse input is returned as CSR instead of refused.
    min_samples : int
        Fewest rows allowed.

    Raises
    ------
    ValueError
        On NaN or infinity, a wrong rank, ragged rows, text, or too few rows.
    TypeError
        On sparse input where it is not accepted.
    """
    # Imported here, because geometry checks numbers only, and scikit-learn takes as long to load as torch.
    from scipy import sparse
    from sklearn.utils.validation import check_array

    if not accept_sparse and sparse.issparse(X):
        raise TypeError(f"{name} is sparse, and this function needs dense points; pass {name}.toarray().")
    return check_array(
        as_numpy(X),
        accept_sparse="csr" if accept_sparse else False,
        dtype=list(dtype) if isinstance(dtype, Sequence) else dtype,
        ensure_min_samples=min_samples,
        input_name=name,
    )


def check_int(value: Any, name: str, *, minimum: int | None = None, maximum: int | None = None) -> int:
    """Return ``value`` as an int within the bounds, or raise naming the argument.

    Raises
    ------
    TypeError
        If ``value`` is not an integer (``True`` is not one).
    ValueError
        If it lies outside [minimum, maximum].
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, got {value!r} of type {type(value).__name__}.")
    return int(_check_bounds(value, name, minimum, maximum))


def check_float(value: Any, name: str, *, minimum: float | None = None, maximum: float | None = None) -> float:
    """Return ``value`` as a finite float within the bounds, or raise naming the argument.

    Raises
    ------
    TypeError
        If ``value`` is not a real number.
    ValueError
        If it is not finite or lies outside [minimum, maximum].
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must be a number, got {value!r} of type {type(value).__name__}.")
    if not np.isfinite(value):
        raise ValueError(f"{name} must be finite, got {value}.")
    return float(_check_bounds(value, name, minimum, maximum))


def _check_bounds(value: Any, name: str, minimum: float | None, maximum: float | None) -> Any:
    if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
        bounds = f"at least {minimum}" if maximum is None else f"at most {maximum}"
        if minimum is not None and maximum is not None:
            bounds = f"in [{minimum}, {maximum}]"
        raise ValueError(f"{name} must be {bounds}, got {value}.")
    return value


def check_option(value: Any, name: str, options: Collection[str]) -> str:
    """Return ``value`` if it is one of ``options``, or raise listing them.

    Raises
    ------
    ValueError
        If ``value`` is not among the options.
    """
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, sorted(options)))}, got {value!r}.")
    return value
