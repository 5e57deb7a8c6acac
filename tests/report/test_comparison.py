"""Several maps compared."""

import json

import numpy as np
import pytest
from rich.console import Console
from sklearn.decomposition import PCA

import holonomy
from holonomy.graphs import neighbors
from holonomy.measure import shepard_correlation, trustworthiness
from holonomy.report.comparison import Comparison


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(300, 6)) * [6, 4, 1, 1, 1, 1]


@pytest.fixture(scope="module")
def found(X):
    noise = np.random.default_rng(1).normal(size=(300, 2))
    labels = np.where(X[:, 0] > 0, "right", "left")
    methods = {"turned": X[:, 1::-1] * [1, -1] * 3, "pca": PCA(2), "<b>noise": noise}
    return holonomy.compare(X, methods, labels=labels, n_neighbors=10)


def test_good_maps_are_told_from_noise(found):
    assert isinstance(found, Comparison)
    for measure in found.measures:
        assert "<b>noise" not in found.best(measure)
        assert set(found.best(measure)) & {"turned", "pca"}
    assert len(found.measures) == 10
    assert any("best by" in sentence for sentence in found.sentences)


def test_scores_are_those_of_the_measures(X, found):
    scores = found.maps[0].scores
    Z = found.maps[0].embedding
    assert scores["trustworthiness"].value == pytest.approx(trustworthiness(X, Z, 10))
    assert scores["shepard"].value == pytest.approx(shepard_correlation(X, Z))
    assert found.maps[0].trust.mean() == pytest.approx(trustworthiness(X, Z, 10))
    assert scores["shepard"].low == scores["shepard"].high


def test_maps_are_laid_over_the_first(found):
    first, pca, noise = found.maps
    np.testing.assert_array_equal(first.aligned, first.embedding)
    np.testing.assert_allclose(pca.aligned, first.embedding, atol=0.2 * np.std(first.embedding))
    assert pca.disparity < 0.02 < 0.8 < noise.disparity


def test_large_data_are_measured_on_a_sample_with_intervals(X):
    sampled = holonomy.compare(X, {"plane": X[:, :2]}, n_neighbors=10, subsample=100)
    score = sampled.maps[0].scores["shepard"]
    assert score.low < shepard_correlation(X, X[:, :2]) < score.high
    assert sampled.n_measured == 100


def test_methods_by_name_share_the_graph_and_keep_their_seed(X):
    graph = neighbors(X, 15)
    one = holonomy.compare(X, ["umap", "PCA"], graph=graph)
    assert [each.name for each in one.maps] == ["umap", "PCA"]
    assert one.graph is graph
    assert one.maps[0].seconds > 0
    assert one.maps[0].parameters["n_neighbors"] == 15
    other = holonomy.compare(X, ["umap"], n_jobs=1)
    np.testing.assert_array_equal(one.maps[0].embedding, other.maps[0].embedding)


def test_maps_of_other_dimensions_are_measured_and_not_aligned(X):
    found = holonomy.compare(X, {"flat": X[:, :2], "deep": X[:, :3]}, n_neighbors=5)
    assert np.isnan(found.maps[1].disparity)
    assert found.to_dict()["maps"]["deep"]["disparity"] is None


def test_it_shows_itself_and_escapes_names(found):
    json.dumps(found.to_dict(), allow_nan=False)
    html = found._repr_html_()
    assert "<b>noise" not in html
    assert "&lt;b&gt;noise" in html
    console = Console(width=220, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(found)
    assert "area under R_NX" in console.export_text()
    assert "trustworthiness" in str(found)
    assert "espadoto2021toward" in holonomy.citation(found)
    with pytest.raises(KeyError, match="no measure 'beauty'"):
        found.best("beauty")


def test_an_estimator_is_left_alone(X):
    estimator = PCA(2)
    holonomy.compare(X, estimator, n_neighbors=5)
    assert not hasattr(estimator, "components_")


@pytest.mark.parametrize(
    ("methods", "arguments", "message"),
    [
        ([], {}, "at least one method"),
        (["pca", "pca"], {}, "two called 'pca'"),
        (["umpa"], {}, "umap"),
        ([np.zeros((299, 2))], {}, "has 299 rows, but X has 300"),
        ([np.full((300, 2), np.nan)], {}, "contains NaN"),
        (["pca"], {"n_neighbors": 150}, "less than half"),
        (["pca"], {"graph": neighbors(np.eye(20), 15)}, "graph has 20 points"),
        (["pca"], {"n_neighbors": 10, "labels": ["a"] * 299}, "same points"),
    ],
)
def test_bad_input(X, methods, arguments, message):
    with pytest.raises(ValueError, match=message):
        holonomy.compare(X, methods, **arguments)
