"""The noun hierarchy of WordNet, from the database's own files."""

import csv
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from holonomy.datasets._fetch import fetch, find
from holonomy.datasets._registry import DataSet
from holonomy.graphs import transitive_closure

MAMMAL = "mammal.n.01"
HYPERNYM, INSTANCE_HYPERNYM = "@", "@i"


def load_wordnet(entry: DataSet) -> dict[str, Any]:
    """Return the hierarchy of all nouns, or of the mammals, which a mirror may hold as pairs of names as well."""
    archive, data, index, *pairs = entry.files
    data_place, index_place = find(data), find(index)
    if data_place is not None and index_place is not None:
        names, adjacency = parse_nouns(data_place.read_text("utf-8"), index_place.read_text("utf-8"))
    else:
        try:
            names, adjacency = _from_archive(fetch(archive))
        except ConnectionError as error:
            place = find(pairs[0]) if pairs else None
            if place is None:
                raise ConnectionError(f"{error} The Debian package wordnet-base brings the same data.") from error
            return _from_pairs(place)
    closure = transitive_closure(adjacency, allow_cycles=True)
    if pairs:
        root = int(np.flatnonzero(names == MAMMAL)[0])
        kept = np.flatnonzero(closure[:, [root]].toarray().ravel() | (np.arange(len(names)) == root))
        names, adjacency, closure = names[kept], adjacency[kept][:, kept], closure[kept][:, kept]
    return {"adjacency": adjacency.astype(np.float64), "closure": closure, "node_names": names}


def parse_nouns(data: str, index: str) -> tuple[np.ndarray, sparse.csr_array]:
    """Parse the WordNet files ``data.noun`` and ``index.noun``.

    Returns
    -------
    names : ndarray of str, shape (n,)
        ``lemma.n.sense`` for each synset: its first word, and the number of that word's sense that it is.
    adjacency : csr_array of bool, shape (n, n)
        An entry leads from a synset to a direct hypernym, as a kind or as an instance.
    """
    senses = {}
    for line in _entries(index):
        lemma, _, n_synsets, *rest = line.split()
        senses[lemma] = rest[-int(n_synsets) :]
    rows: dict[str, int] = {}
    names, children, parents = [], [], []
    for line in _entries(data):
        fields = line.partition(" | ")[0].split()
        synset, lemma = fields[0], fields[4].lower()
        names.append(f"{lemma}.n.{senses[lemma].index(synset) + 1:02d}")
        rows[synset] = len(rows)
        first = 5 + 2 * int(fields[3], 16)
        for at in range(first, first + 4 * int(fields[first - 1]), 4):
            if fields[at] in (HYPERNYM, INSTANCE_HYPERNYM):
                children.append(synset)
                parents.append(fields[at + 1])
    edges = ([rows[child] for child in children], [rows[parent] for parent in parents])
    adjacency = sparse.csr_array((np.ones(len(children), dtype=bool), edges), shape=(len(rows), len(rows)))
    return np.array(names), adjacency


def _entries(text: str) -> list[str]:
    """Return the lines of a WordNet file after its licence, whose lines are indented."""
    return [line for line in text.splitlines() if line and not line.startswith("  ")]


def _from_archive(path: Path) -> tuple[np.ndarray, sparse.csr_array]:
    with zipfile.ZipFile(path) as archive:
        data, index = (archive.read(f"wordnet/{name}.noun").decode("utf-8") for name in ("data", "index"))
    return parse_nouns(data, index)


def _from_pairs(path: Path) -> dict[str, Any]:
    """Read the closure as pairs of names in which every sense is number one, so that some synsets are one node."""
    warnings.warn(
        f"The WordNet database could not be downloaded, and {path.name} calls every synset lemma.n.01: synsets with "
        "the same first word are one node here, so that a few nodes and pairs are lost. Install the Debian package "
        "wordnet-base, or put wordnet/wordnet.zip into the mirror.",
        UserWarning,
        stacklevel=5,
    )
    with open(path, encoding="utf-8", newline="") as lines:
        pairs = [(row[0], row[1]) for row in list(csv.reader(lines))[1:] if row[0] != row[1]]
    names, numbers = np.unique(np.array(pairs), return_inverse=True)
    numbers = numbers.reshape(-1, 2)
    closure = sparse.csr_array(
        (np.ones(len(numbers), dtype=bool), (numbers[:, 0], numbers[:, 1])), shape=(len(names), len(names))
    )
    direct = closure.astype(np.int8) - closure.multiply(closure @ closure).astype(np.int8)
    direct.eliminate_zeros()
    return {"adjacency": direct.astype(np.float64), "closure": closure, "node_names": names}
