import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from holonomy.datasets import _single_cell, as_table, read_table
from holonomy.datasets._single_cell import points_of, read_h5ad

anndata = pytest.importorskip("anndata")


def cells(X=None, with_pca=False):
    X = np.arange(12.0, dtype=np.float32).reshape(4, 3) if X is None else X
    obs = pd.DataFrame(
        {
            "type": pd.Categorical(["B", "T", None, "B"]),
            "counts": [10, 20, 30, 40],
            "score": [0.5, np.nan, 0.1, 0.2],
            "kept": [True, False, True, True],
        },
        index=[f"cell-{i}" for i in range(4)],
    )
    result = anndata.AnnData(X, obs=obs, var=pd.DataFrame(index=["gène", "<b>", "g3"]))
    if with_pca:
        result.obsm["X_pca"] = np.arange(8.0).reshape(4, 2)
    return result


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_file(tmp_path, make):
    X = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    cells(make(X)).write_h5ad(tmp_path / "cells.h5ad")
    table = read_table(tmp_path / "cells.h5ad", label="type")
    np.testing.assert_array_equal(table.X, X)
    assert table.X.dtype == np.float32
    assert table.feature_names == ("gène", "<b>", "g3")
    assert table.labels["type"].tolist() == ["B", "T", "(missing)", "B"]
    assert table.labels["cell"].tolist() == [f"cell-{i}" for i in range(4)]
    assert table.numeric["counts"].tolist() == [10, 20, 30, 40]
    assert table.numeric["kept"].tolist() == [1, 0, 1, 1]
    assert "score" not in table.numeric
    assert any("'score'" in note and "1 of its values" in note for note in table.notes)
    assert table.name == "cells"


def test_in_memory():
    assert as_table(cells(), name="mine").X.shape == (4, 3)


def test_numeric_annotation_as_label():
    table = as_table(cells(), label="counts")
    assert table.labels["counts"].tolist() == ["10", "20", "30", "40"]
    assert table.X.shape == (4, 3)


def test_large_sparse_matrix_gives_way_to_its_principal_components(monkeypatch):
    monkeypatch.setattr(_single_cell, "DENSE_LIMIT", 47)
    X, names, notes = points_of(cells(sparse.csr_matrix(np.eye(4, 3, dtype=np.float32)), with_pca=True))
    assert X.shape == (4, 2)
    assert names == ["PC 1", "PC 2"]
    assert "obsm['X_pca']" in notes[0]


def test_large_sparse_matrix_without_principal_components(monkeypatch):
    monkeypatch.setattr(_single_cell, "DENSE_LIMIT", 47)
    with pytest.raises(ValueError, match=r"X would take .* GiB.*no obsm\['X_pca'\]"):
        points_of(cells(sparse.csr_matrix(np.eye(4, 3, dtype=np.float32))))


def test_without_matrix():
    empty = cells(with_pca=True)
    empty.X = None
    assert as_table(empty).X.shape == (4, 2)
    del empty.obsm["X_pca"]
    with pytest.raises(ValueError, match="X is empty"):
        as_table(empty)


def test_missing_expression_is_counted():
    X = np.ones((4, 3), dtype=np.float32)
    X[1, 2] = np.nan
    with pytest.raises(ValueError, match="'g3' 1 missing"):
        as_table(cells(X))


def test_damaged_file(tmp_path):
    (tmp_path / "cells.h5ad").write_bytes(b"not HDF5")
    with pytest.raises(ValueError, match=r"cells\.h5ad is not a whole H5AD file"):
        read_h5ad(tmp_path / "cells.h5ad")


def test_other_hdf5_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "cells.h5ad", "w") as file:
        file["something"] = [1, 2]
    with pytest.raises(ValueError, match=r"cells|points|matrix|H5AD"):
        read_table(tmp_path / "cells.h5ad")


def test_without_anndata_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "cells.h5ad").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "anndata", None)
    with pytest.raises(ImportError, match=r"read cells\.h5ad.*holonomy\[bio\]"):
        read_table(tmp_path / "cells.h5ad")


def test_open_file_is_refused(tmp_path):
    path = tmp_path / "cells.h5ad"
    path.write_bytes(b"")
    with open(path, "rb") as stream, pytest.raises(TypeError, match="read from a path"):
        read_table(stream)
