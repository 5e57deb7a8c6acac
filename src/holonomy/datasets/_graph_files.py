"""Small graphs, in the formats that their collectors chose."""

import shlex
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.io import mmread

from holonomy.datasets._fetch import fetch
from holonomy.datasets._registry import DataSet

AIRPORT_POPULATION_CLASSES = np.array([7.0, 8.0, 9.0]) / 7.0
"""Where the classes of log10(population) / 7 begin: 10 million, 100 million and 1 billion people."""


def load_gml(entry: DataSet) -> dict[str, Any]:
    """Return an undirected graph; edge attribute ``value`` is the weight, one where there is none."""
    import networkx as nx

    graph = nx.read_gml(fetch(entry.files[0]), label="id")
    content = {"adjacency": nx.to_scipy_sparse_array(graph, weight="value", dtype=np.float64, format="csr")}
    names = [str(name) for _, name in graph.nodes(data="label")]
    content["node_names"] = np.array(names if any(name != "None" for name in names) else list(map(str, graph)))
    if entry.target and isinstance(entry.classes, dict):
        codes = list(entry.classes)
        content["target"] = np.array([codes.index(str(value)) for _, value in graph.nodes(data=entry.target)])
        content["target_names"] = np.array(list(entry.classes.values()))
    return content


def load_matrix(entry: DataSet) -> dict[str, Any]:
    """Return a directed graph in Matrix Market format, with a file of one class a line where there is one."""
    adjacency = sparse.csr_array(mmread(fetch(entry.files[0])), dtype=np.float64)
    adjacency.sort_indices()
    content: dict[str, Any] = {"adjacency": adjacency}
    if len(entry.files) > 1:
        content["target"] = np.loadtxt(fetch(entry.files[1]), dtype=np.int64)
        content["target_names"] = np.array(entry.classes)
    return content


def load_edges(entry: DataSet) -> dict[str, Any]:
    """Return an undirected graph given by pairs of node numbers that start at one."""
    edges = np.loadtxt(fetch(entry.files[0]), dtype=np.int64, comments="%") - 1
    return {"adjacency": undirected(edges, int(edges.max()) + 1)}


def load_pajek(entry: DataSet) -> dict[str, Any]:
    """Return the directed graph of a Pajek project, with its partition (a year each) as target."""
    names, arcs, years = read_pajek(fetch(entry.files[0]))
    adjacency = sparse.csr_array((arcs[:, 2], (arcs[:, 0], arcs[:, 1])), shape=(len(names), len(names)))
    return {"adjacency": adjacency.astype(np.float64), "node_names": names, "target": years}


def load_airport(entry: DataSet) -> dict[str, Any]:
    """Return the flight graph, with place and wealth as features and the class of population as target."""
    with np.load(fetch(entry.files[0]), allow_pickle=False) as arrays:
        features, edges, node_ids = arrays["features"], arrays["edges"], arrays["node_ids"]
    return {
        "adjacency": undirected(edges, len(features)),
        "X": features[:, :4],
        "feature_names": ["latitude", "longitude", "altitude", "gdp"],
        "target": np.digitize(features[:, 4], AIRPORT_POPULATION_CLASSES),
        "target_names": np.array(["below 10 million", "below 100 million", "below 1 billion", "1 billion or more"]),
        "population": features[:, 4],
        "node_names": node_ids,
    }


def load_disease(entry: DataSet) -> dict[str, Any]:
    """Return the tree of infections, with its features and who was infected."""
    edges_path, features_path, labels_path = map(fetch, entry.files)
    features = sparse.load_npz(features_path).toarray()
    edges = np.loadtxt(edges_path, dtype=np.int64, delimiter=",")
    return {
        "adjacency": undirected(edges, len(features)),
        "X": features,
        "feature_names": [f"feature_{column}" for column in range(features.shape[1])],
        "target": np.load(labels_path, allow_pickle=False),
        "target_names": np.array(["not infected", "infected"]),
    }


def undirected(edges: np.ndarray, n_nodes: int) -> sparse.csr_array:
    """Return the symmetric adjacency, of ones, of edges (m, 2); an edge given twice counts once."""
    rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
    adjacency = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(n_nodes, n_nodes))
    adjacency.data[:] = 1.0
    adjacency.sort_indices()
    return adjacency


def read_pajek(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read vertices, arcs and one partition of a Pajek project file.

    Returns
    -------
    names : ndarray of str, shape (n,)
    arcs : ndarray of int64, shape (m, 3)
        From, to (counted from zero) and weight.
    partition : ndarray of int64, shape (n,)
    """
    sections: dict[str, list[str]] = {}
    partition = ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("*"):
            keyword = line.split()[0].lower()
            partition = partition or ("partition " if keyword == "*partition" else "")
            rows = sections.setdefault(partition + keyword, [])
        elif line.strip():
            rows.append(line)
    names = np.array([shlex.split(line)[1] for line in sections["*vertices"]])
    arcs = np.array([line.split() for line in sections["*arcs"]], dtype=np.int64)
    years = np.array(sections["partition *vertices"], dtype=np.int64)
    return names, arcs - np.array([1, 1, 0]), years
