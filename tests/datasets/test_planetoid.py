"""The citation graphs, with a stand-in for the package that reads their pickles."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest

from holonomy.datasets import load


class Tensor:
    def __init__(self, values):
        self.values = np.asarray(values)

    def numpy(self):
        return self.values


@pytest.fixture
def geometric(monkeypatch):
    """Put a package called torch_geometric in place; yields the folders that its Planetoid was given."""
    seen = []

    class Planetoid:
        def __init__(self, root, name):
            seen.append((Path(root), name, sorted(path.name for path in Path(root, name, "raw").iterdir())))
            print("Processing...", file=sys.stderr)

        def __getitem__(self, index):
            masks = {
                f"{key}_mask": Tensor([key == "train", key == "val", key == "test"]) for key in ("train", "val", "test")
            }
            return types.SimpleNamespace(
                num_nodes=3, num_features=2, edge_index=Tensor([[0, 1, 1, 0], [1, 0, 0, 1]]), y=Tensor([0, 2, 1]),
                x=Tensor(np.eye(3, 2, dtype=np.float32)), **masks,
            )  # fmt: skip

    package, module = types.ModuleType("torch_geometric"), types.ModuleType("torch_geometric.datasets")
    module.Planetoid = Planetoid
    monkeypatch.setitem(sys.modules, "torch_geometric", package)
    monkeypatch.setitem(sys.modules, "torch_geometric.datasets", module)
    return seen


@pytest.fixture
def files(monkeypatch, tmp_path):
    def fetch(path):
        place = tmp_path / Path(path).name
        place.write_bytes(b"not for us to open")
        return place

    monkeypatch.setattr("holonomy.datasets._planetoid.fetch", fetch)


def test_graph(geometric, files, capsys):
    cora = load("cora")
    np.testing.assert_array_equal(cora.adjacency.toarray(), [[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert cora.X.shape == (3, 2)
    assert cora.feature_names == ["word_0", "word_1"]
    assert cora.target_names[cora.target].tolist() == ["topic 0", "topic 2", "topic 1"]
    assert cora.validation_mask.tolist() == [False, True, False]
    assert capsys.readouterr().err == ""


def test_raw_files_are_laid_out_and_removed(geometric, files):
    load("citeseer")
    [(root, name, raw)] = geometric
    assert name == "CiteSeer"
    assert raw == sorted(
        f"ind.citeseer.{part}" for part in ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")
    )
    assert not root.exists()


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_geometric", None)
    monkeypatch.delitem(sys.modules, "torch_geometric.datasets", raising=False)
    with pytest.raises(ImportError, match=r"'cora', whose files are pickles.*holonomy\[graph\]"):
        load("cora")
