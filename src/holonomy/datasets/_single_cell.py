"""Annotated data matrices (AnnData, H5AD): cells in rows, genes in columns."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from holonomy._core.optional import import_optional
from holonomy.datasets._fetch import fetch
from holonomy.datasets._registry import DataSet

if TYPE_CHECKING:
    from anndata import AnnData

DENSE_LIMIT = 2 * 1024**3
"""Bytes that a sparse matrix may take as a dense one."""

REDUCED = "X_pca"
"""The entry of ``obsm`` that stands in for a matrix that is missing or too large."""


def load_anndata(entry: DataSet) -> dict[str, Any]:
    """Return the cells of an H5AD file, with one annotation as target and the others as metadata."""
    cells = read_h5ad(fetch(entry.files[0]))
    X, feature_names, _ = points_of(cells)
    annotation = cells.obs[entry.target].astype("category").cat
    others = {name: cells.obs[name] for name in cells.obs if name != entry.target}
    return {
        "X": X,
        "feature_names": feature_names,
        "target": annotation.codes.to_numpy().astype(np.int64),
        "target_names": np.array(annotation.categories, dtype=str),
        "metadata": {
            "cell": np.array(cells.obs_names, dtype=str),
            **{
                name: values.to_numpy(dtype=float if values.dtype.kind in "fiu" else str)
                for name, values in others.items()
            },
        },
    }


def read_h5ad(path: Path) -> "AnnData":
    """Read an H5AD file.

    Raises
    ------
    ImportError
        If anndata is not installed.
    ValueError
        If the file is not a whole H5AD file.
    """
    anndata = import_optional("anndata", extra="bio", purpose=f"read {path.name}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # About old spellings inside the file, which a reader cannot change.
            return anndata.read_h5ad(path)
    except Exception as error:  # A damaged file makes its reader fail in any way.
        raise ValueError(f"{path} is not a whole H5AD file: {type(error).__name__}: {error}") from error


def dense_size(matrix: Any) -> int:
    """Return the bytes that a sparse matrix takes as a dense one of floats."""
    return matrix.shape[0] * matrix.shape[1] * (4 if matrix.dtype == np.float32 else 8)


def points_of(cells: "AnnData") -> tuple[np.ndarray, list[str], list[str]]:
    """Return the points (n, d) of an AnnData object, their feature names, and notes about what was chosen.

    ``X`` is taken if it is there and takes at most `DENSE_LIMIT` bytes as a dense matrix, else ``obsm["X_pca"]``.

    Raises
    ------
    ValueError
        If neither can be taken.
    """
    reason = ""
    if cells.X is None:
        reason = "X is empty"
    elif sparse.issparse(cells.X):
        size = dense_size(cells.X)
        if size > DENSE_LIMIT:
            reason = f"X would take {size / 1024**3:.1f} GiB as a dense matrix"
    if not reason:
        X = cells.X.toarray() if sparse.issparse(cells.X) else np.asarray(cells.X)
        return X, list(map(str, cells.var_names)), []
    if REDUCED not in cells.obsm:
        raise ValueError(f"{reason}, and there is no obsm[{REDUCED!r}]. Reduce it first, as with scanpy.pp.pca.")
    reduced = np.asarray(cells.obsm[REDUCED])
    note = f"{reason}, so the points are the {reduced.shape[1]} columns of obsm[{REDUCED!r}]."
    return reduced, [f"PC {column + 1}" for column in range(reduced.shape[1])], [note]
