"""The profile: right sentences for known geometries, and something sensible to say about anything."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.datasets import load_digits, make_s_curve, make_swiss_roll

import holonomy
from holonomy.graphs import neighbors
from holonomy.measure import GeometryProfile, ProfileSection, profile


def gaussian(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def sphere(n, d, seed=0):
    X = gaussian(n, d + 1, seed)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def turned(X, ambient, seed=0):
    return X @ np.linalg.qr(gaussian(ambient, ambient, seed))[0][: X.shape[1]]


def tree(n, seed=0):
    rng = np.random.default_rng(seed)
    return gaussian(6, 20)[rng.integers(0, 6, n)] * 5 * rng.random((n, 1))


def flat_torus(n, seed=0):
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, (n, 2))
    return np.hstack([np.cos(angles), np.sin(angles)])


KNOWN = {
    "swiss roll": (
        make_swiss_roll(1500, random_state=0)[0],
        r"look 2-dimensional, like a surface \(TwoNN .*\), curled up in 3 linear directions\.$",
        ("UMAP", 2),
    ),
    "noisy swiss roll in 10 dimensions": (
        turned(make_swiss_roll(2000, random_state=1)[0], 10) + 0.3 * gaussian(2000, 10, 1),
        r"Seen from afar, the data look 2-dimensional, like a surface .*curled up in 3 linear.*where noise counts",
        ("UMAP", 2),
    ),
    "s-curve": (make_s_curve(800, random_state=0)[0], "look 2-dimensional.*curled up in 3 linear", ("UMAP", 2)),
    "sphere": (sphere(1000, 2), "look 2-dimensional.*curled up in 3 linear directions", ("UMAP", 2)),
    "sphere of 4 dimensions": (sphere(2000, 4), "look 4-dimensional.*curled up in 5 linear", ("UMAP", 2)),
    "torus in 4 dimensions": (flat_torus(1000), "look 2-dimensional.*curled up in 4 linear", ("UMAP", 2)),
    "circle": (sphere(500, 1), "look 1-dimensional, like a circle.*curled up in 2 linear", ("UMAP", 2)),
    "tree": (tree(1000), "look 1-dimensional, like a branching tree", ("UMAP", 2)),
    "line": (np.outer(gaussian(300, 1), np.ones(4)), r"look like a straight line \(TwoNN", ("PCA", 1)),
    "sheet": (np.random.default_rng(0).random((600, 2)) @ np.eye(2, 5), "look like a flat sheet", ("PCA", 2)),
    "subspace with noise": (
        turned(gaussian(1500, 5), 50) + 0.1 * gaussian(1500, 50, 1),
        "look like a flat cloud of 5 dimensions with noise around it",
        ("PCA", 2),
    ),
    "subspace without": (turned(gaussian(1000, 3), 50), r"look like a flat cloud of 3 dimensions \(", ("PCA", 3)),
    "Gaussian": (gaussian(1000, 10), r"look like a flat cloud of about 10 dimensions \(", ("PCA", 2)),
    "cross of line and sheet": (
        np.r_[np.outer(gaussian(400, 1), [0, 0, 1]), np.random.default_rng(1).random((400, 2)) @ np.eye(2, 3)],
        "look 1- to 2-dimensional, depending on the place",
        ("UMAP", 2),
    ),
    "digits": (load_digits().data, "Seen from afar, the data look .*dimensional.*curled up in 29 linear", ("UMAP", 2)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_geometries_are_recognised(name):
    X, pattern, (method, n_components) = KNOWN[name]
    found = profile(X)
    assert re.search(pattern, found.headline), found.headline
    assert (found.recommendation.method, found.recommendation.n_components) == (method, n_components)
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("n", [400, 2500])
def test_recognition_does_not_hang_on_a_seed_or_a_size(n, seed):
    roll = make_swiss_roll(n, random_state=seed)[0]
    assert "2-dimensional, like a surface" in profile(roll).headline
    assert "curled up in 3 linear" in profile(sphere(n, 2, seed)).headline
    assert "flat cloud of 5 dimensions" in profile(turned(gaussian(n, 5, seed), 30, seed)).headline
    assert "a straight line" in profile(turned(gaussian(n, 1, seed), 30, seed)).headline
    assert "1-dimensional" in profile(tree(n, seed)).headline


def test_far_clusters_are_parts_and_flat_each():
    X = np.r_[gaussian(500, 4), gaussian(300, 4, 1) + 100]
    found = profile(X)
    assert found.connectedness.sizes.tolist() == [500, 300]
    assert "The neighbour graph falls into 2 separate parts of 500 and 300 points." in found.sentences
    assert "a flat cloud of 4 dimensions" in found.headline
    assert any(s.startswith("Within the largest part, 95 % of the variance lies in 4 of 4") for s in found.sentences)
    assert found.recommendation.method == "UMAP"
    assert any("relative to each other" in s for s in found.recommendation.watch)


def test_many_parts_are_not_all_listed_and_small_ones_ask_for_more_neighbours():
    rng = np.random.default_rng(0)
    X = np.r_[gaussian(300, 2), *(1000 * rng.normal(size=2) + gaussian(17, 2, i) for i in range(7))]
    found = profile(X)
    assert any("8 separate parts, the largest of 300, 17, 17, 17, 17 points" in s for s in found.sentences)
    assert found.recommendation.n_neighbors == 30


def test_outliers_are_no_parts_to_map():
    X = np.r_[gaussian(600, 3), 1e4 + gaussian(16, 3, 1)]
    assert profile(X).connectedness.n_components == 2
    assert profile(X).recommendation.method == "PCA"


def test_bridged_clumps():
    X = gaussian(900, 4)
    X[450:] += 100
    X = np.r_[X, np.full((3, 4), 50.0)]
    found = profile(X)
    assert found.connectedness.is_connected
    assert found.headline.endswith("gathered in clumps.")
    assert found.recommendation.method == "UMAP"


def test_repeated_rows_are_counted_once():
    unique = gaussian(400, 3)
    found = profile(np.repeat(unique, 3, axis=0))
    assert "800 of the rows repeat another one (distance 0); dimensions count them once." in found.sentences
    assert found.two_nn.value == pytest.approx(profile(unique, n_neighbors=5).two_nn.value, rel=1e-4)
    assert "flat cloud of 3 dimensions" in found.headline
    assert any("keep one of each" in s for s in found.recommendation.watch)


def test_more_copies_than_neighbours():
    found = profile(np.repeat(make_swiss_roll(300, random_state=0)[0], 20, axis=0))
    assert any("measured on the distinct rows" in s for s in found.sentences)
    assert "2-dimensional" in found.headline
    assert found.local_dimension.shape == (6000,)
    assert np.isfinite(found.local_dimension).all()
    assert found.connectedness.labels.shape == (6000,)
    assert found.connectedness.sizes.sum() == 6000
    assert found.graph.n_points == 6000


def test_more_copies_than_neighbours_in_a_graph_of_unknown_metric():
    X = np.repeat(gaussian(30, 2), 20, axis=0)
    graph = neighbors(np.abs(X[:, None] - X[None]).sum(axis=2), 15, metric="precomputed")
    found = profile(X, graph=graph)
    assert found.mle is None
    assert found.headline.startswith("No dimension can be measured")
    assert profile(X, graph=neighbors(X, 15, metric="manhattan")).mle is not None


def test_constant_and_dominating_columns_are_named():
    X = pd.DataFrame(gaussian(300, 4), columns=["a", "b", "<big>", "d"])
    X["<big>"] *= 1000
    X["dull"] = 1.0
    found = profile(X)
    assert "1 column is constant and carries no information: dull." in found.sentences
    assert "Column <big> holds 100 % of the total variance, so that distances measure little else." in found.sentences
    assert any("standardise" in s for s in found.recommendation.watch)
    many = profile(np.c_[gaussian(100, 2), np.ones((100, 8))])
    assert "8 columns are constant and carry no information: 2, 3, 4, 5, 6 and 3 more." in many.sentences


def test_discrete_data_are_called_so():
    grid = np.stack(np.meshgrid(np.arange(25), np.arange(25)), axis=-1).reshape(-1, 2).astype(float)
    found = profile(grid)
    assert found.two_nn is None
    assert "look 2-dimensional, like a surface (maximum likelihood" in found.headline
    assert any("100 % of the points are equally far" in s for s in found.sentences)
    assert found.section("shape").values["verdict"] == "unknown"


def test_equal_rows():
    found = profile(np.ones((40, 3)))
    assert found.headline == "All 40 rows are equal: the data are a single point."
    assert found.recommendation.sentence == "There is nothing to map."
    assert np.isnan(found.local_dimension).all()


def test_points_equally_far():
    found = profile(np.eye(40))
    assert found.headline.startswith("No dimension can be measured")
    assert found.mle is None
    assert found.recommendation.n_components == 2


@pytest.mark.parametrize("n", [2, 3, 10])
def test_few_rows(n):
    found = profile(gaussian(n, 2))
    assert "too few" in found.headline
    assert any(f"With {n} points" in s for s in found.recommendation.watch)


def test_more_features_than_points():
    found = profile(gaussian(100, 3000))
    assert found.headline.startswith("The points are too few to tell the dimension")
    assert found.recommendation.method == "PCA"
    assert found.recommendation.n_components == 2


def test_a_given_graph_is_shared():
    X = make_swiss_roll(500, random_state=0)[0]
    graph = neighbors(X, 15)
    found = profile(X, graph=graph)
    assert found.graph is graph
    assert found.to_dict() == profile(X).to_dict()


@pytest.mark.parametrize("metric", ["cosine", lambda a, b: float(np.abs(a - b).sum())])
def test_other_metrics_make_no_claim_of_flatness(metric):
    found = profile(sphere(200, 2), metric=metric)
    assert found.section("shape").values == {"verdict": "unknown"}
    assert re.match(r"The data look 2-dimensional, like a surface \(.*\)\.$", found.headline)


def test_the_same_for_any_number_of_threads_and_equal_seeds():
    X = sphere(700, 2)
    assert profile(X, n_jobs=1).to_dict() == profile(X, n_jobs=2).to_dict()
    assert profile(X, random_state=1).to_dict() != profile(X).to_dict()
    assert profile(X, random_state=1).headline == profile(X).headline


def test_it_is_the_packages_own_profile_and_cites_its_papers():
    assert holonomy.profile is profile
    found = profile(gaussian(50, 2))
    assert isinstance(found, GeometryProfile)
    cited = holonomy.citation(found)
    assert "facco2017estimating" in cited
    assert cited == holonomy.citation(profile)


def test_sections():
    found = profile(gaussian(300, 3))
    assert [section.name for section in found.sections] == [
        "size",
        "connectedness",
        "linear span",
        "dimension",
        "scales",
        "shape",
        "branching",
        "hubs",
        "outliers",
    ]
    assert isinstance(found.section("dimension"), ProfileSection)
    assert found.sentences[0] == found.headline
    assert found.section("dimension").values["two_nn"]["value"] == found.two_nn.value
    with pytest.raises(KeyError, match="no section 'curvature'; there are size"):
        found.section("curvature")


def test_it_shows_itself_and_escapes_what_comes_from_the_data():
    X = pd.DataFrame({"<script>alert(1)</script>": np.ones(60), "[bold]x": np.ones(60), "y": gaussian(60, 1)[:, 0]})
    found = profile(X)
    html = found._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    console = Console(width=200, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(found)
    shown = console.export_text()
    assert "[bold]x" in shown
    assert found.headline[:60] in shown
    assert str(found).startswith(found.headline)
    assert found.recommendation.sentence in str(found)


def test_the_input_is_left_alone():
    X = sphere(200, 2)
    before = X.copy()
    profile(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize(
    ("X", "arguments", "message"),
    [
        ([[1.0, np.nan], [0, 1]], {}, "X contains NaN"),
        ([[1.0, 2.0]], {}, "minimum of 2"),
        ([["a", "b"], ["c", "d"]], {}, "string"),
        (np.eye(5), {"n_neighbors": 5}, "n_neighbors=5 needs at least 6 rows"),
        (np.eye(5), {"graph": neighbors(np.eye(4), 2)}, "X and graph must describe the same points, got 5 and 4"),
        (np.eye(4), {"graph": neighbors(np.eye(4), 2), "n_neighbors": 2}, "either graph or n_neighbors"),
        (np.eye(5), {"metric": "precomputed"}, "needs points"),
        (np.eye(5), {"metric": "inner_product"}, "measures no lengths"),
        (1e-200 * np.eye(5), {}, "rescale X"),
        (np.eye(5), {"random_state": -1}, "random_state"),
    ],
)
def test_bad_input(X, arguments, message):
    with pytest.raises(ValueError, match=message):
        profile(X, **arguments)


def test_wrong_kinds():
    from scipy import sparse

    with pytest.raises(TypeError, match="sparse"):
        profile(sparse.eye_array(5))
    with pytest.raises(TypeError, match="graph must be a NeighborGraph"):
        profile(np.eye(5), graph="knn")
    with pytest.raises(TypeError, match="n_neighbors must be an integer"):
        profile(np.eye(5), n_neighbors=2.5)
