"""Real data by name: embedded in scikit-learn, in a mirror folder, or downloaded once and checked."""

import difflib
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import datasets as sklearn_datasets
from sklearn.utils import Bunch

from holonomy._core.validation import check_option
from holonomy.datasets._graph_files import (
    load_airport,
    load_disease,
    load_edges,
    load_gml,
    load_matrix,
    load_pajek,
)
from holonomy.datasets._image_files import load_images
from holonomy.datasets._mesh_files import load_mesh
from holonomy.datasets._planetoid import load_planetoid
from holonomy.datasets._point_files import (
    load_air_quality,
    load_branching_diffusion,
    load_earth,
    load_temperatures,
    load_torsions,
)
from holonomy.datasets._registry import DataSet, data_sets, names
from holonomy.datasets._single_cell import load_anndata
from holonomy.datasets._wordnet import load_wordnet

READERS: dict[str, Callable[[DataSet], dict[str, Any]]] = {
    "airport": load_airport,
    "anndata": load_anndata,
    "branching_diffusion": load_branching_diffusion,
    "disease": load_disease,
    "earth": load_earth,
    "edges": load_edges,
    "gml": load_gml,
    "matrix": load_matrix,
    "mesh": load_mesh,
    "pajek": load_pajek,
    "planetoid": load_planetoid,
    "temperatures": load_temperatures,
    "torsions": load_torsions,
    "wordnet": load_wordnet,
}


def titles() -> dict[str, str]:
    """Return what each of the `names` is, in one line.

    Examples
    --------
    >>> from holonomy import datasets
    >>> datasets.titles()["iris"]
    "scikit-learn's iris data"
    """
    registered = data_sets()
    return {
        name: registered[name].title if name in registered else f"scikit-learn's {name.replace('_', ' ')} data"
        for name in names()
    }


def load(name: str, *, split: str | None = None, complete: bool = False) -> Bunch:
    """Load a real data set by name.

    Parameters
    ----------
    name : str
        One of `names`: scikit-learn's small sets; ``mnist`` and ``fashion_mnist``; ``earth_*`` events on the globe;
        graphs, from ``karate`` to ``wordnet_nouns``; ``mesh_*``; and tables such as ``rna_torsions``.
    split : {"test", "train"} or None
        For ``mnist`` and ``fashion_mnist``: the 10,000 test images (what None means) or the 60,000 others.
    complete : bool, default False
        For ``air_quality``: keep only the rows without a missing value.

    Returns
    -------
    Bunch
        ``name``; ``DESCR``, with source, licence and citation; and, as far as the set has them:

        - ``X`` (n, d): the points, and their ``feature_names``; of a graph, the features of its nodes;
        - ``adjacency`` (n, n): of a graph, float64 CSR, row to column where it is directed; ``node_names`` (n,);
        - ``target`` (n,): class numbers with ``target_names``, or values;
        - ``metadata``: further columns, a dictionary of arrays (n,);
        - ``image_shape`` of images, ``vertices`` and ``faces`` of meshes, ``location`` (latitude and longitude in
          degrees), and what the set's ``DESCR`` explains.

    Raises
    ------
    ValueError
        If there is no such set (close names are given), an option does not belong to it, or a file is not the one
        that was registered: checksums are verified at every load.
    ConnectionError
        If a file is neither on this machine nor to be had from its sources.
    FileNotFoundError
        If a file has no public source, and the mirror does not hold it.
    ImportError
        If the set needs a package that is not installed.

    Notes
    -----
    A file is taken from the folder named by the environment variable ``HOLONOMY_DATA_MIRROR`` if it is there, used in
    place; else from the folder of downloads, which is ``HOLONOMY_DATA`` or the user's cache; else it is downloaded.
    No file is ever unpickled here.

    Examples
    --------
    >>> from holonomy import datasets
    >>> iris = datasets.load("iris")
    >>> iris.X.shape, iris.target_names.tolist()
    ((150, 4), ['setosa', 'versicolor', 'virginica'])
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {name!r} of type {type(name).__name__}.")
    if name not in names():
        close = difflib.get_close_matches(name.lower(), names(), n=3, cutoff=0.5)
        hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else "See holonomy.datasets.names()."
        raise ValueError(f"There is no data set called {name!r}. {hint}")
    entry = data_sets().get(name)
    splits = entry.splits if entry is not None else {}
    if split is not None:
        if not splits:
            raise ValueError(f"{name!r} has no splits, got split={split!r}.")
        check_option(split, "split", splits)
    if complete and name != "air_quality":
        raise ValueError(f"complete belongs to 'air_quality', where values are missing; {name!r} has none.")
    if entry is None:
        return _load_embedded(name)
    if splits:
        content = load_images(entry, split or next(iter(splits)))
    elif entry.reader == "air_quality":
        content = load_air_quality(entry, complete)
    else:
        content = READERS[entry.reader](entry)
    return Bunch(name=name, DESCR=entry.descr, **content)


def _load_embedded(name: str) -> Bunch:
    source = getattr(sklearn_datasets, f"load_{name}")()
    content = {"X": source.data, "feature_names": list(map(str, source.feature_names)), "target": source.target}
    if "target_names" in source:
        content["target_names"] = np.array([str(label) for label in source.target_names])
    if "images" in source:
        content["image_shape"] = source.images.shape[1:]
    return Bunch(name=name, DESCR=source.DESCR, **content)
