"""Models in files: arrays and JSON in one zip archive, with a version, and read without running any code.

A class that inherits `Persistent` can be saved and loaded. What a file can hold: numbers, text, None, lists, tuples,
dicts, arrays, sparse matrices, torch tensors, random generators, data classes and manifolds of this library, and other
persistent objects. Functions are refused, because reading them back would mean running what the file says.
"""

import dataclasses
import importlib
import json
import math
import os
import zipfile
from typing import Any, Self

import numpy as np
from scipy import sparse

from holonomy._core.files import replacing

FORMAT = "holonomy model"
VERSION = 1
HEADER = "model.json"

SPARSE_KINDS = ("csr_array", "csr_matrix", "csc_array", "csc_matrix")
BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


class Persistent:
    """Objects with scikit-learn's parameters whose state can be saved, and loaded by `load_model`.

    A class may name attributes that can be made again in ``_not_saved``, raise ``_state_version`` when the meaning of
    its attributes changes, and then bring older states up to date in ``_restore_state``.
    """

    _state_version = 1
    _not_saved: tuple[str, ...] = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save this object with what it was fitted to, without pickle; see `load_model`.

        Parameters
        ----------
        path : str or path
            The file to write. It is replaced as a whole, or left as it is where saving fails.

        Raises
        ------
        TypeError
            If a parameter or attribute is something that a file cannot hold, such as a function.
        FileNotFoundError
            If the folder does not exist.
        """
        save_model(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Load an object of this class that `save` has written.

        Raises
        ------
        ValueError
            If the file holds something else, is damaged, or was written by a later version.
        """
        model = load_model(path)
        if not isinstance(model, cls):
            raise ValueError(f"{os.fspath(path)!r} holds a {type(model).__name__}, not a {cls.__name__}.")
        return model

    def _saved_state(self) -> dict[str, Any]:
        """Everything beside the parameters."""
        parameters = self.get_params(deep=False)  # type: ignore[attr-defined]
        return {
            name: value
            for name, value in vars(self).items()
            if name not in parameters and name not in self._not_saved and not name.startswith("_sklearn")
        }

    def _restore_state(self, state: dict[str, Any], version: int) -> None:
        """Take over a saved state; ``version`` is the ``_state_version`` of the class that saved it."""
        del version
        vars(self).update(state)


class Remade:
    """Torch modules of this library that files hold as the arguments they were made with, and their ``state_dict``.

    The arguments are kept as they are given, so that a subclass writes its constructor as any other.
    """

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Keep the arguments; past a module's own ``__setattr__``, which would register modules among them."""
        made = super().__new__(cls)
        object.__setattr__(made, "_arguments", (args, kwargs))
        return made


def save_model(model: Persistent, path: str | os.PathLike[str]) -> None:
    """Write a model to a file that `load_model` reads.

    Parameters
    ----------
    model : Persistent
        Any object with a method ``save``.
    path : str or path
        The file to write.

    Raises
    ------
    TypeError
        If the model holds something that a file cannot.
    """
    import holonomy

    arrays: list[np.ndarray] = []
    content = {
        "format": FORMAT,
        "version": VERSION,
        "written_by": f"holonomy {holonomy.__version__}",
        "model": _encoded(model, type(model).__name__, arrays),
    }
    with replacing(path) as part, zipfile.ZipFile(part, "w") as archive:
        archive.writestr(HEADER, json.dumps(content, indent=1, allow_nan=False))
        for number, array in enumerate(arrays):
            with archive.open(f"{number}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def load_model(path: str | os.PathLike[str]) -> Any:
    """Load a model that its method ``save`` has written.

    Files of earlier versions of this library can be read. No code in the file is run.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    object
        The model, fitted as it was.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is no saved model, is damaged, or was written by a later version.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import holonomy
    >>> from sklearn.datasets import load_iris
    >>> umap = holonomy.embed.UMAP(n_epochs=20, random_state=0).fit(load_iris().data)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     umap.save(Path(folder, "iris.holonomy"))
    ...     again = holonomy.load_model(Path(folder, "iris.holonomy"))
    >>> bool((again.transform(load_iris().data) == umap.transform(load_iris().data)).all())
    True
    """
    name = os.fspath(path)
    try:
        with zipfile.ZipFile(path) as archive:
            content = json.loads(archive.read(HEADER))
            if content.get("format") != FORMAT:
                raise ValueError(f"it is a {content.get('format')!r}")
            if content["version"] > VERSION:
                raise ValueError(
                    f"it was written by {content['written_by']}, in format {content['version']}; this version reads "
                    f"formats up to {VERSION}, so update holonomy"
                )
            return _Reader(archive).decoded(content["model"])
    except (zipfile.BadZipFile, KeyError, EOFError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{name!r} is no saved model, or it is damaged: {error}.") from error
    except ValueError as error:
        raise ValueError(f"{name!r} cannot be loaded: {error}.") from error


def _encoded(value: Any, where: str, arrays: list[np.ndarray]) -> Any:
    """Turn a value into JSON, with arrays set aside; everything but plain values becomes a dict of one tag."""
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, float) and not isinstance(value, np.generic):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, np.ndarray | np.generic):
        return _encoded_array(value, where, arrays)
    if isinstance(value, list | tuple):
        items = [_encoded(item, f"{where}[{i}]", arrays) for i, item in enumerate(value)]
        return {type(value).__name__ if type(value) in (list, tuple) else "tuple": items}
    if isinstance(value, dict):
        pairs = [
            [_encoded(key, f"{where} key", arrays), _encoded(item, f"{where}[{key!r}]", arrays)]
            for key, item in value.items()
        ]
        return {"dict": pairs}
    if sparse.issparse(value):
        return _encoded_sparse(value, arrays)
    if isinstance(value, np.random.Generator):
        return {"generator": _encoded(value.bit_generator.state, where, arrays)}
    if isinstance(value, np.random.RandomState):
        return {"random_state": _encoded(value.get_state(legacy=False), where, arrays)}
    if isinstance(value, Persistent):
        state = value._saved_state()
        return {
            "object": _path_of(type(value)),
            "version": value._state_version,
            "parameters": _fields(value.get_params(deep=False), where, arrays),  # type: ignore[attr-defined]
            "state": _fields(state, where, arrays),
        }
    if dataclasses.is_dataclass(value) and type(value).__module__.startswith("holonomy."):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        return {"dataclass": _path_of(type(value)), "fields": _fields(fields, where, arrays)}
    if isinstance(value, Remade) and type(value).__module__.startswith("holonomy."):
        args, kwargs = value._arguments
        return {
            "remade": _path_of(type(value)),
            "arguments": _encoded(args, where, arrays),
            "keywords": _fields(kwargs, where, arrays),
            "state": _fields(value.state_dict(), where, arrays),  # type: ignore[attr-defined]
        }
    if type(value).__module__.startswith("torch") and hasattr(value, "detach"):
        arrays.append(value.detach().cpu().numpy())
        return {"tensor": len(arrays) - 1}
    if type(value).__module__ == "torch" and type(value).__name__ == "device":
        # Parameters take the name of a device as well.
        return str(value)
    raise TypeError(
        f"{where} is {value!r} of type {type(value).__name__}, which a file cannot hold; a function must be "
        "replaced by its name."
    )


def _fields(values: dict[str, Any], where: str, arrays: list[np.ndarray]) -> dict[str, Any]:
    return {name: _encoded(value, f"{where}.{name}", arrays) for name, value in values.items()}


def _encoded_array(value: Any, where: str, arrays: list[np.ndarray]) -> dict[str, Any]:
    if value.dtype.hasobject:
        items = [_encoded(item, f"{where}[{i}]", arrays) for i, item in enumerate(value.ravel())]
        return {"objects": items, "shape": list(value.shape)}
    arrays.append(np.asarray(value))
    return {"scalar" if isinstance(value, np.generic) else "array": len(arrays) - 1}


def _encoded_sparse(value: Any, arrays: list[np.ndarray]) -> dict[str, Any]:
    kept = value if type(value).__name__ in SPARSE_KINDS else value.tocsr()
    arrays += [kept.data, kept.indices, kept.indptr]
    return {"sparse": type(kept).__name__, "shape": list(kept.shape), "first": len(arrays) - 3}


def _path_of(kind: type) -> str:
    """Public name of a class where it has one, which outlives moves between files."""
    room = ".".join(kind.__module__.split(".")[:2])
    if getattr(importlib.import_module(room), kind.__name__, None) is kind:
        return f"{room}.{kind.__name__}"
    return f"{kind.__module__}.{kind.__qualname__}"


class _Reader:
    """Turns what `_encoded` has written back into values."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def decoded(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        tag = next(iter(value))
        content = value[tag]
        if tag in ("object", "dataclass", "remade"):
            return self._instance(value)
        if tag in ("list", "tuple"):
            items = [self.decoded(item) for item in content]
            return items if tag == "list" else tuple(items)
        if tag == "dict":
            return {self.decoded(key): self.decoded(item) for key, item in content}
        if tag == "float":
            return float(content)
        if tag == "objects":
            result = np.empty(len(content), dtype=object)
            result[:] = [self.decoded(item) for item in content]
            return result.reshape(value["shape"])
        if tag in ("array", "scalar"):
            array = self._array(content)
            return array if tag == "array" else array[()]
        if tag == "sparse" and content in SPARSE_KINDS:
            parts = tuple(self._array(value["first"] + i) for i in range(3))
            return getattr(sparse, content)(parts, shape=tuple(value["shape"]))
        if tag == "tensor":
            import torch

            return torch.from_numpy(self._array(content))
        return self._random(tag, self.decoded(content))

    def _array(self, number: int) -> np.ndarray:
        with self._archive.open(f"{number}.npy") as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    def _random(self, tag: str, state: Any) -> Any:
        if tag == "random_state":
            made = np.random.RandomState()
            made.set_state(state)
            return made
        if tag != "generator" or state["bit_generator"] not in BIT_GENERATORS:
            raise ValueError(f"it holds something of an unknown kind, {tag!r}")
        bits = getattr(np.random, state["bit_generator"])()
        bits.state = state
        return np.random.Generator(bits)

    def _instance(self, value: dict[str, Any]) -> Any:
        path = value[next(iter(value))]
        module, _, name = path.rpartition(".")
        if module.split(".")[0] != "holonomy":
            raise ValueError(f"it names {path!r}, which is no part of holonomy")
        try:
            kind = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError):
            raise ValueError(f"it holds a {path!r}, which this version does not have") from None
        if "remade" in value and isinstance(kind, type) and issubclass(kind, Remade):
            return self._remade(kind, value)
        if "dataclass" in value and isinstance(kind, type) and dataclasses.is_dataclass(kind):
            return kind(**self._fields(value["fields"]))
        if "object" not in value or not (isinstance(kind, type) and issubclass(kind, Persistent)):
            raise ValueError(f"it names {path!r}, which cannot be loaded")
        if value["version"] > kind._state_version:
            raise ValueError(f"its {name} was written by a later version; update holonomy")
        made = kind(**self._fields(value["parameters"]))
        made._restore_state(self._fields(value["state"]), value["version"])
        return made

    def _remade(self, kind: Any, value: dict[str, Any]) -> Any:
        made = kind(*self.decoded(value["arguments"]), **self._fields(value["keywords"]))
        try:
            made.load_state_dict(self._fields(value["state"]))
        except RuntimeError as error:
            raise ValueError(f"its {kind.__name__} does not fit: {error}") from error
        return made

    def _fields(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: self.decoded(item) for name, item in values.items()}
