"""Citation graphs, read by PyTorch Geometric: their files are pickles, which this library does not open."""

import contextlib
import io
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from holonomy._core.optional import import_optional
from holonomy.datasets._fetch import fetch
from holonomy.datasets._registry import DataSet


def load_planetoid(entry: DataSet) -> dict[str, Any]:
    """Return a citation graph with words as features, topics as target and the public split as masks."""
    purpose = f"read the data set {entry.name!r}, whose files are pickles"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Its import warns of what PyTorch deprecates.
        datasets = import_optional("torch_geometric.datasets", extra="graph", purpose=purpose)
    title = Path(entry.files[0]).parts[1]
    # A folder of its own each time: what is processed there is never read back, so that nobody can exchange it.
    with tempfile.TemporaryDirectory() as root:
        raw = Path(root, title, "raw")
        raw.mkdir(parents=True)
        for path in entry.files:
            shutil.copyfile(fetch(path), raw / Path(path).name)
        with contextlib.redirect_stderr(io.StringIO()):
            data = datasets.Planetoid(root=root, name=title)[0]
    n_nodes = data.num_nodes
    rows, columns = data.edge_index.numpy()
    adjacency = sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(n_nodes, n_nodes))
    adjacency.data[:] = 1.0
    target = data.y.numpy()
    return {
        "adjacency": adjacency,
        "X": data.x.numpy(),
        "feature_names": [f"word_{column}" for column in range(data.num_features)],
        "target": target,
        "target_names": np.array([f"topic {topic}" for topic in range(target.max() + 1)]),
        "train_mask": data.train_mask.numpy(),
        "validation_mask": data.val_mask.numpy(),
        "test_mask": data.test_mask.numpy(),
    }
