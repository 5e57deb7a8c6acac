import anndata
import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import PCA

from holonomy.embed import UMAP, DiffusionMaps, annotate

X = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)


def cells(**options):
    return anndata.AnnData(X.copy(), **options)


def test_the_map_is_written_where_scanpy_looks_for_it():
    adata = cells()
    assert annotate(adata, n_epochs=20, n_neighbors=10) is None
    expected = UMAP(n_epochs=20, n_neighbors=10, random_state=0).fit_transform(X)
    np.testing.assert_array_equal(adata.obsm["X_umap"], expected)
    params = adata.uns["umap"]["params"]
    assert (params["method"], params["use_rep"], params["n_neighbors"]) == ("UMAP", "X", 10)


def test_diffusion_maps_are_kept_as_scanpy_keeps_them():
    adata = cells()
    annotate(adata, "diffusionmaps", n_components=3, n_neighbors=20)
    expected = DiffusionMaps(3, n_neighbors=20, random_state=0).fit(X)
    found = adata.obsm["X_diffmap"]
    assert np.ptp(found[:, 0]) == 0
    np.testing.assert_allclose(found[:, 1:], expected.embedding_)
    np.testing.assert_allclose(adata.uns["diffmap_evals"], [1, *expected.eigenvalues_])
    annotate(adata, "diffusionmaps", key_added="plain")
    assert adata.obsm["plain"].shape == (60, 2)


def test_scanpy_draws_what_was_written():
    scanpy = pytest.importorskip("scanpy")
    adata = cells()
    annotate(adata, n_epochs=5)
    annotate(adata, "diffusionmaps")
    assert scanpy.pl.umap(adata, show=False).get_xlabel() == "UMAP1"
    assert scanpy.pl.diffmap(adata, show=False).get_xlabel() == "DC1"


def test_keys_methods_and_copies():
    adata = cells()
    made = annotate(adata, PCA(2), key_added="plane", copy=True)
    assert list(adata.obsm) == []
    np.testing.assert_allclose(np.abs(made.obsm["plane"]), np.abs(PCA(2).fit_transform(X)), rtol=1e-4)
    assert made.uns["plane"]["params"]["method"] == "PCA"
    annotate(adata, "pca")
    assert "X_pca" in adata.obsm


def test_the_representation_is_chosen_as_scanpy_does():
    adata = anndata.AnnData(np.random.default_rng(0).normal(size=(60, 80)).astype(np.float32), obsm={"X_pca": X})
    annotate(adata, "pca", key_added="a")
    assert adata.uns["a"]["params"]["use_rep"] == "X_pca"
    annotate(adata, "pca", key_added="b", use_rep="X")
    assert adata.uns["b"]["params"]["use_rep"] == "X"
    narrow = cells(obsm={"X_pca": X[:, :3]})
    annotate(narrow, "pca", key_added="c")
    assert narrow.uns["c"]["params"]["use_rep"] == "X"


def test_sparse_matrices():
    annotate(anndata.AnnData(sparse.csr_matrix(X)), "pca")
    with pytest.raises(ValueError, match=r"sparse with 80 variables: reduce it first"):
        annotate(anndata.AnnData(sparse.random(60, 80, 0.2, format="csr")), "pca")


def test_what_was_written_survives_a_file(tmp_path):
    adata = cells()
    annotate(adata, n_epochs=10)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    again = anndata.read_h5ad(tmp_path / "cells.h5ad")
    np.testing.assert_array_equal(again.obsm["X_umap"], adata.obsm["X_umap"])
    assert again.uns["umap"]["params"]["method"] == "UMAP"


@pytest.mark.parametrize(
    ("arguments", "options", "error", "reason"),
    [
        ((X,), {}, TypeError, "must be an AnnData, got ndarray"),
        ((cells(),), {"use_rep": "X_no"}, ValueError, "use_rep must be 'X' or a key of obsm"),
        ((cells(), "umpa"), {}, ValueError, "did you mean umap"),
        ((cells(obsm={"X_pca": X}), "pca"), {"use_rep": "X_pca"}, ValueError, "name another key_added"),
        ((cells(),), {"min_dst": 1}, ValueError, "has no parameter 'min_dst'"),
        ((cells(), PCA(2)), {"whiten": True}, ValueError, "whiten must be set on the estimator"),
    ],
)
def test_what_cannot_be_mapped(arguments, options, error, reason):
    with pytest.raises(error, match=reason):
        annotate(*arguments, **options)
