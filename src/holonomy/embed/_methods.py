"""From the name of a method, as a person types it, to the estimator."""

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

PCA = "pca"


def method_names() -> tuple[str, ...]:
    """Return the names that `make_method` knows: the embedders of `holonomy.embed` in lower case, and ``pca``.

    Examples
    --------
    >>> from holonomy.embed._methods import method_names
    >>> "umap" in method_names()
    True
    """
    return tuple(sorted([PCA, *_classes()]))


def make_method(name: str, parameters: Mapping[str, Any] | None = None, **defaults: Any) -> Any:
    """Return the estimator of this name, which maps to two dimensions.

    Parameters
    ----------
    name : str
        One of `method_names`, in upper or lower case.
    parameters : mapping of str to object, optional
        Parameters of the estimator.
    **defaults
        What to set beside them where the estimator knows it, such as ``random_state``; None is left out.

    Raises
    ------
    ValueError
        If there is no such method, or it has no such parameter; close names are given.

    Examples
    --------
    >>> from holonomy.embed._methods import make_method
    >>> make_method("umap", {"min_dist": 0.3}, random_state=1).get_params()["min_dist"]
    0.3
    """
    made = _class_of(name)()
    known = made.get_params(deep=False)
    given = dict(parameters or {})
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(sorted(known))}."
            raise ValueError(f"params: {type(made).__name__} has no parameter {key!r}; {hint}")
    usual = {"n_components": 2} | {key: value for key, value in defaults.items() if value is not None}
    chosen = {key: value for key, value in usual.items() if key in known} | given
    return made.set_params(**chosen)


def check_method(name: str, argument: str = "method") -> None:
    """Raise unless there is a method of this name.

    Raises
    ------
    ValueError
        If there is none; close names are given.
    """
    _class_of(name, argument)


def can_be_saved(name: str) -> bool:
    """Whether the fitted models of the method of this name have a file format."""
    return hasattr(_class_of(name), "save")


def _class_of(name: str, argument: str = "method") -> Any:
    if not isinstance(name, str):
        raise TypeError(f"{argument} must be the name of a method, got {name!r} of type {type(name).__name__}.")
    if name.lower() == PCA:
        from sklearn.decomposition import PCA as LinearMap

        return LinearMap
    classes = _classes()
    if name.lower() in classes:
        return classes[name.lower()]
    known = method_names()
    close = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(close)}?" if close else f"choose one of {', '.join(known)}."
    raise ValueError(f"{argument}: there is none called {name!r}; {hint}")


def _classes() -> dict[str, Any]:
    """Return the embedders: what maps a table to coordinates of any number, and can be made without being told more."""
    from sklearn.base import TransformerMixin

    from holonomy import embed

    found = {name.lower(): getattr(embed, name) for name in embed.__all__ if name[0].isupper()}
    return {name: made for name, made in found.items() if issubclass(made, TransformerMixin) and _is_free(made)}


def _is_free(made: type) -> bool:
    """Whether the number of coordinates can be chosen, and nothing else has to be."""
    told = inspect.signature(made).parameters.values()
    needs = [parameter.name for parameter in told if parameter.default is parameter.empty]
    return not needs and any(parameter.name == "n_components" for parameter in told)
