"""Maps of annotated data (AnnData), under the names that scanpy gives them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.base import clone

from holonomy._core.random import RandomState
from holonomy.embed._methods import make_method

if TYPE_CHECKING:
    from anndata import AnnData

REDUCED = "X_pca"

STEADY = "X_diffmap"
"""Where scanpy keeps diffusion maps, behind the steady state."""

NAMES = {"DiffusionMaps": "diffmap"}
"""What scanpy calls methods, where that is not their name in small letters."""

WIDE = 50
"""Number of variables from which the principal components are taken where they are there, as scanpy does."""


def annotate(
    adata: "AnnData",
    method: Any = "umap",
    *,
    use_rep: str | None = None,
    key_added: str | None = None,
    random_state: RandomState = 0,
    copy: bool = False,
    **params: Any,
) -> "AnnData | None":
    """Map annotated data and write the map into it, where scanpy's tools look for it.

    ``sc.tl.umap(adata)`` becomes ``holonomy.embed.annotate(adata)``; ``sc.pl.umap(adata)`` then draws it. So do
    ``annotate(adata, "diffusionmaps")`` and ``sc.pl.diffmap(adata)``: ``obsm["X_diffmap"]`` begins with the steady
    state, which is constant, and ``uns["diffmap_evals"]`` with its eigenvalue 1, as scanpy has them.

    Parameters
    ----------
    adata : AnnData of shape (n, d)
        The data; written to, unless ``copy`` is set.
    method : str or estimator, default "umap"
        Name of an embedder, or an estimator with ``fit_transform``, which is not changed.
    use_rep : str, optional
        What to map: a key of ``obsm``, or ``"X"``. By default ``obsm["X_pca"]`` where it is there and ``X`` has more
        than 50 variables, else ``X``.
    key_added : str, optional
        Writes ``obsm[key_added]`` and ``uns[key_added]``. By default ``obsm["X_umap"]`` and ``uns["umap"]``, after
        the method.
    random_state : int, Generator, RandomState or None, default 0
        Seed of a method given by name.
    copy : bool, default False
        Return a copy with the map, instead of writing to ``adata``.
    **params
        Parameters of a method given by name, such as ``min_dist=0.3``.

    Returns
    -------
    AnnData or None
        The copy where one is asked for.

    Raises
    ------
    TypeError
        If ``adata`` is no AnnData.
    ValueError
        If there is no such representation, method or parameter, or the map would take the place of what it is made
        from.

    Examples
    --------
    >>> import anndata
    >>> import numpy as np
    >>> import holonomy
    >>> cells = anndata.AnnData(np.random.default_rng(0).normal(size=(60, 8)).astype("float32"))
    >>> holonomy.embed.annotate(cells, n_epochs=20)
    >>> cells.obsm["X_umap"].shape, cells.uns["umap"]["params"]["use_rep"]
    ((60, 2), 'X')
    """
    if not all(hasattr(adata, part) for part in ("obsm", "uns", "n_vars")):
        raise TypeError(f"adata must be an AnnData, got {type(adata).__name__}.")
    if isinstance(method, str):
        embedder = make_method(method, params, random_state=random_state)
    elif params:
        raise ValueError(f"{', '.join(params)} must be set on the estimator: parameters go with a method's name.")
    else:
        embedder = clone(method)
    representation = _representation(adata, use_rep)
    target = adata.copy() if copy else adata
    points = _points(target, representation)
    name = NAMES.get(type(embedder).__name__, type(embedder).__name__.lower())
    key = key_added or f"X_{name}"
    if key == representation:
        raise ValueError(f"the map would replace obsm[{key!r}], from which it is made; name another key_added.")
    places = np.asarray(embedder.fit_transform(points))
    if key == STEADY:
        places = np.column_stack([np.full(len(places), len(places) ** -0.5), places])
        target.uns["diffmap_evals"] = np.concatenate([[1.0], embedder.eigenvalues_])
    target.obsm[key] = places
    told = {"method": type(embedder).__name__, "use_rep": representation, **_storable(embedder.get_params(deep=False))}
    target.uns[key_added or name] = {"params": told}
    return target if copy else None


def _representation(adata: "AnnData", use_rep: str | None) -> str:
    if use_rep is None:
        return REDUCED if adata.n_vars > WIDE and REDUCED in adata.obsm else "X"
    if use_rep != "X" and use_rep not in adata.obsm:
        raise ValueError(f"use_rep must be 'X' or a key of obsm ({', '.join(adata.obsm) or 'none'}), got {use_rep!r}.")
    return use_rep


def _points(adata: "AnnData", representation: str) -> np.ndarray:
    if representation != "X":
        return np.asarray(adata.obsm[representation])
    if adata.X is None:
        raise ValueError("use_rep must name an entry of obsm: X is empty.")
    if sparse.issparse(adata.X) and adata.n_vars > WIDE:
        raise ValueError(
            f"X is sparse with {adata.n_vars:,} variables: reduce it first, as with scanpy.pp.pca, which writes "
            f"obsm[{REDUCED!r}]."
        )
    return adata.X.toarray() if sparse.issparse(adata.X) else np.asarray(adata.X)


def _storable(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that an H5AD file can hold: None is left out, and what it does not know becomes text."""
    kept = {name: value for name, value in params.items() if value is not None}
    return {name: value if isinstance(value, str | int | float | bool) else str(value) for name, value in kept.items()}
