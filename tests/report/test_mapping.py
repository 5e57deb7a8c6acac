import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from holonomy.datasets import load
from holonomy.embed import UMAP
from holonomy.report import MapReport, map_report

X = np.random.default_rng(0).normal(size=(50, 4))


def quick(data, **options):
    return map_report(data, **{"method": PCA(2), "n_neighbors": 6} | options)


def test_the_default_map_is_umap_and_the_same_every_time():
    first = map_report(X, n_neighbors=8, random_state=3)
    again = map_report(X, n_neighbors=8, random_state=3)
    assert isinstance(first, MapReport)
    assert first.method == "UMAP"
    assert first.method_call is None
    assert first.parameters["n_neighbors"] == 8
    np.testing.assert_array_equal(first.embedding, again.embedding)
    np.testing.assert_array_equal(first.trust, again.trust)
    assert "mcinnes2018umap" in first.citations
    other = map_report(X, n_neighbors=8, random_state=4)
    assert not np.array_equal(first.embedding, other.embedding)


@pytest.mark.parametrize(
    ("method", "is_shared"),
    [
        (UMAP(7, n_epochs=5, random_state=0), True),
        (UMAP(8, n_epochs=5, random_state=0), False),
        (UMAP(7, n_epochs=5, random_state=0, metric="manhattan"), False),
    ],
    ids=["enough neighbours", "too few neighbours", "another metric"],
)
def test_neighbours_are_found_once_where_the_method_needs_the_same(method, is_shared, monkeypatch):
    given = []

    def fit(self, X, y=None, *, graph=None):
        given.append(graph)
        return original(self, X, y, graph=graph)

    original = UMAP.fit
    monkeypatch.setattr(UMAP, "fit", fit)
    report = map_report(X, method=method, n_neighbors=6)
    assert (given[0] is report.profile.graph) is is_shared
    np.testing.assert_array_equal(report.embedding, original(method, X).embedding_)


def test_what_a_report_holds():
    report = quick(X, labels=["a", "b"] * 25, name="noise")
    assert report.name == "noise"
    assert report.source is None
    assert report.embedding.shape == report.baseline.shape == (50, 2)
    assert report.trust.shape == report.local_dimension.shape == (50,)
    assert report.trust.min() >= 0
    assert report.trust.max() <= 1
    assert [score.name for score in report.scores] == [
        "Trustworthiness", "Continuity", "Neighbour recall", "Label agreement",
    ]  # fmt: skip
    assert set(report.timings) == {"neighbours", "geometry", "map", "PCA", "quality", "checks"}
    assert report.profile.graph.n_neighbors == 6
    assert "levina2004maximum" in report.citations
    assert report.versions["holonomy"]


def test_pca_as_method_equals_the_baseline():
    report = quick(X)
    np.testing.assert_allclose(report.embedding, report.baseline, atol=1e-5)
    for score in report.scores:
        assert score.map == score.baseline


def test_nothing_that_is_given_is_changed():
    points, method = X.copy(), PCA(2)
    points.flags.writeable = False
    quick(points, method=method)
    assert not hasattr(method, "components_")


def test_a_data_set_by_name():
    report = quick("iris")
    assert (report.name, report.source, report.label_name) == ("iris", "iris", "target")
    assert report.labels[0].categories == ("setosa", "versicolor", "virginica")
    assert {column.name for column in report.columns} == set(load("iris").feature_names)


def test_a_bunch_and_a_frame():
    assert quick(load("wine")).n_features == 13
    frame = pd.DataFrame(X, columns=list("pqrs")).assign(kind=["u", "v"] * 25)
    report = quick(frame)
    assert [column.name for column in report.labels] == ["kind"]
    assert report.label_name is None
    assert len(report.scores) == 3
    assert quick(frame, labels="kind").label_name == "kind"


def test_a_file(tmp_path):
    path = tmp_path / "my points.csv"
    pd.DataFrame(X, columns=list("pqrs")).assign(kind=["u", "v"] * 25).to_csv(path, index=False)
    report = quick(str(path), labels="kind")
    assert (report.name, report.source) == ("my points", str(path))
    assert quick(path).source == str(path)


def test_a_quantity_as_label_is_not_scored():
    report = quick(X, labels=np.linspace(0, 1, 50))
    assert not report.labels[0].is_class
    assert len(report.scores) == 3


def test_a_named_series_keeps_its_name():
    assert quick(X, labels=pd.Series(["a", "b"] * 25, name="side")).label_name == "side"


def test_columns_by_value_and_by_name():
    report = quick(X, columns={"first": X[:, 0], "kind": ["a", "b"] * 25})
    assert [(column.name, column.is_class) for column in report.columns] == [("first", False), ("kind", True)]
    report = quick("iris", columns=["petal width (cm)"])
    assert [column.name for column in report.columns] == ["petal width (cm)"]
    assert len(quick(np.c_[X, X, X]).columns) == 8


def test_columns_that_are_no_coordinates_go_first():
    shown = [column.name for column in quick("diabetes").columns]
    assert shown[0] == "target"
    assert len(shown) == 8


def test_the_fewest_points():
    report = quick(X[:3], n_neighbors=2)
    assert len(report.summary().splitlines()) == 5
    assert "<title>Data" in report.to_html()


def test_one_column_has_a_baseline_too():
    report = map_report(np.linspace(0, 1, 30)[:, None] ** 2, method=Doubled(), n_neighbors=5)
    assert not report.baseline[:, 1].any()


class Doubled(PCA):
    def fit_transform(self, X, y=None):
        return np.c_[X[:, 0], X[:, 0]]


class ThreeDimensional(Doubled):
    def fit_transform(self, X, y=None):
        return X[:, :3]


def test_repeated_and_constant_data():
    constant = np.c_[X, np.ones(50)]
    assert any("constant" in note for note in quick(constant).notes)
    twice = quick(np.r_[X, X])
    assert np.isfinite(twice.embedding).all()
    assert len(twice.summary().splitlines()) == 5


def test_two_places_have_no_dimension():
    report = quick(np.repeat([[0.0, 1.0], [2.0, 5.0]], 10, axis=0))
    assert report.profile.mle is None
    assert "cannot be measured" in report.summary()
    assert np.isnan(report.local_dimension).all()
    assert report.evidence.metric is None
    assert "cannot be measured" in report.to_html()


def test_neighbourhoods_are_as_large_as_usual_or_as_there_are_points():
    assert map_report(X, method=PCA(2)).n_neighbors == 15
    assert map_report(X[:8], method=PCA(2)).n_neighbors == 7


def spoiled(value):
    bad = X.copy()
    bad[3, 1] = value
    return bad


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (spoiled(np.nan), {}, "missing|NaN"),
        (spoiled(np.inf), {}, "infinit"),
        (X[:1], {}, "row|sample"),
        (X[:2], {"n_neighbors": 1}, "3 points|minimum of 3"),
        (np.ones((20, 3)), {}, "all 20 rows of 'table' are equal"),
        (X[:, 0], {}, "matrix|2D|dimension"),
        ([[1.0, 2.0], [3.0]], {}, "different length|ragged"),
        (np.array([["a", "b"]] * 20), {}, "number"),
        (X, {"n_neighbors": 50}, "less than the number of points, got 50 for 50 points; choose at most 49"),
        (X, {"n_neighbors": 0}, "n_neighbors must be at least 1"),
        (X, {"labels": ["a"]}, "one value for each of the 50 points"),
        (X, {"columns": ["nope"]}, "'nope'"),
        (X, {"columns": {"a": [1]}}, "one value for each"),
        (X, {"method": ThreeDimensional()}, "two dimensions"),
        (X, {"random_state": -1}, "random_state"),
        ("iris", {"labels": "nope"}, "nope"),
        ("no such set", {}, "no data set"),
    ],
)
def test_bad_input_is_refused_with_a_reason(data, options, message):
    with pytest.raises(ValueError, match=message):
        quick(data, **options)


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError) as raised:
        quick("no/such/file.csv")
    assert raised.value.filename == "no/such/file.csv"
