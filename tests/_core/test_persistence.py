"""Saved models: what comes back, what is refused, files of other versions, damaged files."""

import dataclasses
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris

import holonomy
from holonomy import load_model
from holonomy._core.persistence import FORMAT, HEADER, VERSION, Persistent, save_model
from holonomy.embed import UMAP
from holonomy.graphs import neighbors
from holonomy.manifolds import (
    SPD,
    BuresWasserstein,
    Euclidean,
    MetricField,
    PoincareBall,
    Power,
    Product,
    Sphere,
    Stiefel,
    TangentSpace,
    Torus,
)

X, LABELS = load_iris(return_X_y=True)
FILE = Path(__file__).parent / "data" / "umap_format_1.holonomy"


class Holder(Persistent, BaseEstimator):
    """Anything at all, as a parameter and as a fitted attribute."""

    def __init__(self, value=None):
        self.value = value


@pytest.fixture(autouse=True)
def holder_is_part_of_the_library(monkeypatch):
    monkeypatch.setattr(Holder, "__module__", "holonomy.embed.umap")
    monkeypatch.setattr("holonomy.embed.umap.Holder", Holder, raising=False)


def returned(value, path):
    holder = Holder(value)
    holder.fitted_ = value
    holder.save(path)
    again = load_model(path)
    return again.value, again.fitted_


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        2**62,
        0.1,
        float("inf"),
        "text ü",
        [1, "a", None],
        (1, (2.5, [])),
        {"a": 1, 2: (3,), "nested": {"b": [float("-inf")]}},
    ],
)
def test_plain_values_come_back(value, tmp_path):
    for again in returned(value, tmp_path / "model"):
        assert again == value
        assert type(again) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.array([], dtype=np.int32),
        np.array(["a", "bc"]),
        np.array([True, False]),
        np.float32(1.5),
        np.asfortranarray(np.eye(3)),
    ],
)
def test_arrays_come_back_bit_for_bit(value, tmp_path):
    for again in returned(value, tmp_path / "model"):
        assert type(again) is type(value)
        assert again.dtype == value.dtype
        np.testing.assert_array_equal(again, value)


def test_arrays_of_objects_sparse_matrices_and_generators_come_back(tmp_path):
    labels = np.array([["a", None], [-1, 2.5]], dtype=object)
    again, _ = returned(labels, tmp_path / "model")
    assert again.tolist() == labels.tolist()
    for kind in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        matrix = kind(np.array([[0, 1.5], [0, 0]], dtype=np.float32))
        again, _ = returned(matrix, tmp_path / "model")
        np.testing.assert_array_equal(again.toarray(), matrix.toarray())
        assert again.dtype == np.float32
    for generator in (np.random.default_rng(3), np.random.RandomState(3), np.random.Generator(np.random.Philox(1))):
        again, _ = returned(generator, tmp_path / "model")
        assert again.normal() == generator.normal()


def test_tensors_and_graphs_come_back(tmp_path):
    torch = pytest.importorskip("torch")
    again, _ = returned({"weight": torch.arange(3.0)}, tmp_path / "model")
    assert torch.equal(again["weight"], torch.arange(3.0))
    graph = neighbors(X, 5)
    again, _ = returned(graph, tmp_path / "model")
    assert type(again) is type(graph)
    for field in dataclasses.fields(graph):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(graph, field.name))


def test_objects_hold_objects(tmp_path):
    again, _ = returned(Holder(Holder("inner")), tmp_path / "model")
    assert again.value.value == "inner"


@pytest.mark.parametrize(
    "manifold",
    [
        Sphere(2),
        PoincareBall(2, -2.0, learnable=True),
        Product(Torus([24.0, 1.0]), Euclidean(1), weights=[1.0, 2.0]),
        SPD(2, metric=BuresWasserstein()),
        SPD(2, metric="log_euclidean"),
        Power(Stiefel(3, 2), n=2),
        TangentSpace(Sphere(2), torch.tensor([1.0, 0.0, 0.0])),
    ],
    ids=str,
)
def test_manifolds_come_back_as_they_were_made(manifold, tmp_path):
    with torch.no_grad():
        for parameter in manifold.parameters():
            parameter += 0.25
    points = manifold.random_normal(4, std=0.1, random_state=0, dtype=torch.float64).detach()
    for given in (manifold, pickle.loads(pickle.dumps(manifold))):  # noqa: S301
        again, _ = returned(given, tmp_path / "model")
        assert repr(again) == repr(manifold)
        torch.testing.assert_close(again.dist(points[:1], points), manifold.dist(points[:1], points), rtol=0, atol=0)


def test_manifolds_with_functions_are_refused(tmp_path):
    with pytest.raises(TypeError, match="file cannot hold"):
        Holder(MetricField(lambda x: torch.eye(2).expand(*x.shape, 2), n=2)).save(tmp_path / "model")


@pytest.mark.parametrize("value", [print, lambda: 0, object(), BaseEstimator(), {1, 2}])
def test_what_a_file_cannot_hold_is_named_and_leaves_the_old_file(value, tmp_path):
    path = tmp_path / "model"
    path.write_text("old")
    with pytest.raises(TypeError, match=r"Holder\.value\['inside'\] is .* which a file cannot hold"):
        Holder({"inside": value}).save(path)
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    "parameters",
    [{}, {"metric": "cosine", "n_components": 3}, {"unique": True}, {"random_state": np.random.RandomState(0)}],
)
def test_maps_come_back_and_place_rows_the_same(parameters, tmp_path):
    model = UMAP(n_epochs=30, **{"random_state": 0, **parameters}).fit(X)
    new = X[:20] + 0.05
    expected = model.transform(new)
    model.save(tmp_path / "map")
    again = load_model(tmp_path / "map")
    np.testing.assert_array_equal(again.embedding_, model.embedding_)
    np.testing.assert_array_equal(again.transform(new), expected)
    np.testing.assert_array_equal(again.inverse_transform(expected[:3]), model.inverse_transform(expected[:3]))
    assert {**again.get_params(), "random_state": 0} == {**model.get_params(), "random_state": 0}


@pytest.mark.parametrize("first", [(2, 1), (1, 1)])
def test_maps_found_by_widened_search_place_rows_the_same(first, tmp_path, monkeypatch):
    monkeypatch.setattr("holonomy.graphs.search.EXACT_WORK", 0.0)
    monkeypatch.setattr("holonomy.graphs.search.NeighborIndex._first_breadth", first)
    data = np.random.default_rng(0).normal(size=(3000, 12)).astype(np.float32)
    model = UMAP(n_epochs=2, random_state=0).fit(data)
    new = data[:200] + np.float32(0.2)
    expected = model.transform(new)
    model.save(tmp_path / "map")
    np.testing.assert_array_equal(load_model(tmp_path / "map").transform(new), expected)


def test_supervised_maps_of_data_frames_come_back_and_can_be_updated(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd"))
    model = UMAP(n_epochs=20, random_state=0).fit(frame[:120], np.array(["x", "y", "z"])[LABELS[:120]])
    model.save(tmp_path / "map")
    again = UMAP.load(tmp_path / "map")
    assert again.feature_names_in_.tolist() == list("abcd")
    again.update(frame[120:])
    model.update(frame[120:])
    np.testing.assert_array_equal(again.embedding_, model.embedding_)


def test_files_do_not_use_pickle(tmp_path):
    UMAP(n_epochs=5, random_state=0).fit(X, np.array(["x", "y", "z"])[LABELS]).save(tmp_path / "map")
    with zipfile.ZipFile(tmp_path / "map") as archive:
        json.loads(archive.read(HEADER))
        for name in set(archive.namelist()) - {HEADER}:
            with archive.open(name) as file:
                np.lib.format.read_array(file, allow_pickle=False)


def test_a_file_of_the_first_format_is_read():
    model = load_model(FILE)
    assert model.embedding_.shape == (150, 2)
    _, first = np.unique(X, axis=0, return_index=True)
    known = model.transform(X[first].astype(np.float32))
    np.testing.assert_array_equal(known, model.embedding_[first])
    placed = model.transform(X[:10] + 0.05)
    assert np.linalg.norm(placed - model.embedding_[:10], axis=1).max() < 2.0


def rewritten(tmp_path, change):
    path = tmp_path / "changed"
    with zipfile.ZipFile(FILE) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == HEADER:
                header = json.loads(content)
                change(header)
                content = json.dumps(header)
            new.writestr(name, content)
    return path


def test_manifolds_that_do_not_fit_are_named(tmp_path):
    def change(header):
        header["model"]["parameters"]["output_metric"] = {
            "remade": "holonomy.manifolds.PoincareBall",
            "arguments": {"tuple": [2]},
            "keywords": {"learnable": True},
            "state": {},
        }

    with pytest.raises(ValueError, match="its PoincareBall does not fit"):
        load_model(rewritten(tmp_path, change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header: header.update(version=VERSION + 1), "update holonomy"),
        (lambda header: header.update(format="a table"), "it is a 'a table'"),
        (lambda header: header["model"].update(version=99), "UMAP was written by a later version"),
        (lambda header: header["model"].update(object="os.system"), "no part of holonomy"),
        (lambda header: header["model"].update(object="holonomy.embed.Gone"), "which this version does not have"),
        (lambda header: header["model"].update(object="holonomy.embed.fit_curve"), "which cannot be loaded"),
        (lambda header: header["model"]["state"].update(a_={"magic": 1}), "unknown kind, 'magic'"),
        (lambda header: header["model"]["state"].update(a_={"array": 999}), "damaged"),
        (lambda header: header.pop("model"), "damaged"),
    ],
)
def test_files_that_cannot_be_read_say_why(change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        load_model(rewritten(tmp_path, change))


def test_damaged_files_and_other_files_are_named(tmp_path):
    content = bytearray(FILE.read_bytes())
    content[len(content) // 3] ^= 0xFF
    damaged, text = tmp_path / "damaged", tmp_path / "text"
    damaged.write_bytes(content)
    text.write_text("hello")
    for path in (damaged, text):
        with pytest.raises(ValueError, match="is no saved model, or it is damaged"):
            load_model(path)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        UMAP().save(tmp_path / "nowhere" / "map")
    Holder(1).save(tmp_path / "holder")
    with pytest.raises(ValueError, match="holds a Holder, not a UMAP"):
        UMAP.load(tmp_path / "holder")


def test_older_states_can_be_brought_up_to_date(tmp_path, monkeypatch):
    Holder(1).save(tmp_path / "old")
    seen = []
    monkeypatch.setattr(Holder, "_state_version", 2)
    monkeypatch.setattr(Holder, "_restore_state", lambda self, state, version: seen.append(version))
    load_model(tmp_path / "old")
    assert seen == [1]


def test_the_header_says_who_wrote_it(tmp_path):
    save_model(Holder(1), tmp_path / "model")
    with zipfile.ZipFile(tmp_path / "model") as archive:
        header = json.loads(archive.read(HEADER))
    assert header["format"] == FORMAT
    assert header["written_by"] == f"holonomy {holonomy.__version__}"
