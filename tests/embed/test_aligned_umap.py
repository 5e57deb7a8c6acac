"""Aligned UMAP: alignment against quality, umap-learn, limits, rows added later, and bad input."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.utils.estimator_checks import (
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
)

import holonomy
from holonomy.embed import UMAP, AlignedUMAP
from holonomy.graphs import neighbors
from holonomy.measure import label_agreement, trustworthiness


@pytest.mark.parametrize(
    "check",
    [
        check_get_params_invariance,
        check_no_attributes_set_in_init,
        check_parameters_default_constructible,
        check_set_params,
    ],
)
def test_scikit_learn_contract(check):
    """What applies of it: all other checks pass a single array to ``fit``, which here takes a list of them."""
    check("AlignedUMAP", AlignedUMAP())


@pytest.fixture(scope="module")
def slices():
    X = load_iris().data + 1e-3 * np.random.default_rng(0).normal(size=(150, 4))
    return [X[:100], X[25:125], X[50:]]


RELATIONS = [{25 + i: i for i in range(75)}] * 2


@pytest.fixture(scope="module")
def fitted(slices):
    return AlignedUMAP(n_epochs=60, random_state=0).fit(slices, relations=RELATIONS)


def gap(maps, relations=RELATIONS):
    """Mean distance of the same row on consecutive maps, in units of the maps' spread."""
    return np.mean(
        [
            np.linalg.norm(one[list(rel)] - two[list(rel.values())], axis=1).mean() / one.std()
            for one, two, rel in zip(maps[:-1], maps[1:], relations, strict=True)
        ]
    )


@pytest.fixture(scope="module")
def unheld(slices):
    return AlignedUMAP(n_epochs=60, alignment_regularisation=0.0, random_state=0).fit_transform(
        slices, relations=RELATIONS
    )


def test_same_rows_lie_at_the_same_places(fitted, unheld):
    assert gap(fitted.embeddings_) < 0.4 * gap(unheld)


def test_hold_brings_maps_together(slices):
    gaps = [
        gap(
            AlignedUMAP(n_epochs=60, random_state=0, alignment_regularisation=hold).fit_transform(
                slices, relations=RELATIONS
            )
        )
        for hold in (0.0, 0.001, 0.01, 1.0)
    ]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] < 0.02
    assert gaps[0] > 0.1


@pytest.mark.slow
def test_digits_are_mapped_and_aligned_as_well_as_by_umap_learn():
    umap = pytest.importorskip("umap")
    X, y = load_digits(return_X_y=True)
    order = np.argsort(y, kind="stable")
    rows = [order[200 * i : 200 * i + 400] for i in range(3)]
    relations = [{200 + i: i for i in range(200)}] * 2
    data = [X[index] for index in rows]
    ours = AlignedUMAP(n_epochs=100, random_state=0).fit_transform(data, relations=relations)
    peer = umap.AlignedUMAP(n_epochs=100, random_state=0).fit(data, relations=relations)
    theirs = [np.asarray(Z) for Z in peer.embeddings_]
    quality = [
        (
            np.mean([trustworthiness(A, Z) for A, Z in zip(data, maps, strict=True)]),
            np.mean([label_agreement(Z, y[index]) for Z, index in zip(maps, rows, strict=True)]),
        )
        for maps in (ours, theirs)
    ]
    assert quality[0][0] >= quality[1][0] - 0.005
    assert quality[0][1] >= quality[1][1] - 0.01
    # Either is tighter on some sequences: 0.080 against 0.086 on ten slices of digits, 0.053 against 0.044 on four.
    assert gap(ours, relations) <= 1.3 * gap(theirs, relations)


def test_same_seed_same_bits_for_any_number_of_threads(slices, fitted, monkeypatch):
    monkeypatch.setattr("holonomy.embed._aligned_layout.BLOCK", 17)
    for jobs in (1, 2):
        again = AlignedUMAP(n_epochs=60, random_state=0, n_jobs=jobs).fit(slices, relations=RELATIONS)
        for one, two in zip(again.embeddings_, fitted.embeddings_, strict=True):
            np.testing.assert_array_equal(one, two)


def test_graphs_are_those_of_umap(slices, fitted):
    for rows, mapper in zip(slices, fitted.mappers_, strict=True):
        expected = UMAP(n_epochs=1, random_state=0).fit(rows).graph_
        np.testing.assert_allclose(mapper.graph_.toarray(), expected.toarray(), atol=1e-6)
        assert isinstance(mapper, UMAP)


def test_each_data_set_has_its_own_parameters(slices):
    model = AlignedUMAP(
        n_neighbors=[5, 10, 20],
        min_dist=(0.0, 0.1, 0.5),
        learning_rate=np.array([1.0, 0.5, 1.0]),
        n_epochs=20,
        random_state=0,
    ).fit(slices, relations=RELATIONS)
    assert [mapper.knn_.n_neighbors for mapper in model.mappers_] == [4, 9, 19]
    assert [mapper.learning_rate for mapper in model.mappers_] == [1.0, 0.5, 1.0]
    assert model.mappers_[0].a_ > model.mappers_[2].a_


def test_data_sets_may_differ_in_features_and_form(slices):
    other = np.exp(slices[1][:, :3])
    model = AlignedUMAP(n_epochs=20, random_state=0)
    model.fit([slices[0], sparse.csr_matrix(other), slices[2].tolist()], relations=RELATIONS)
    assert [Z.shape for Z in model.embeddings_] == [(100, 2)] * 3
    given = [neighbors(rows, 14) for rows in slices]
    again = AlignedUMAP(n_epochs=20, random_state=0).fit(slices, relations=RELATIONS, graphs=given)
    plain = AlignedUMAP(n_epochs=20, random_state=0).fit(slices, relations=RELATIONS)
    np.testing.assert_array_equal(again.embeddings_[2], plain.embeddings_[2])
    distances = AlignedUMAP(metric="precomputed", n_epochs=20, random_state=0)
    assert gap(distances.fit_transform([cdist(A, A) for A in slices], relations=RELATIONS)) < 0.5


def test_targets_separate_their_classes(slices):
    y = load_iris().target
    targets = [y[:100], None, y[50:]]
    plain, supervised = (
        AlignedUMAP(n_epochs=100, random_state=0).fit_transform(slices, labels, relations=RELATIONS)
        for labels in (None, targets)
    )

    def separation(Z):
        middle = [Z[y[50:] == label].mean(axis=0) for label in (1, 2)]
        return np.linalg.norm(middle[0] - middle[1]) / Z.std()

    assert separation(supervised[2]) > separation(plain[2])


def test_window_reaches_through_data_sets_between(slices):
    model = AlignedUMAP(n_epochs=2, alignment_window_size=2, random_state=0).fit(slices, relations=RELATIONS)
    near, far = model._couplings(0)
    assert (near.other, far.other) == (1, 2)
    np.testing.assert_array_equal(far.related[50:], np.arange(50))
    assert (far.related[:50] == -1).all()
    assert far.weights.max() <= np.exp(-1) + 1e-12
    assert (
        len(
            AlignedUMAP(n_epochs=2, alignment_window_size=1, random_state=0)
            .fit(slices, relations=RELATIONS)
            ._couplings(0)
        )
        == 1
    )


def test_update_adds_a_map_and_leaves_the_others(slices, unheld):
    model = AlignedUMAP(n_epochs=60, random_state=0).fit(slices[:2], relations=RELATIONS[:1])
    before = [Z.copy() for Z in model.embeddings_]
    assert model.update(slices[2], relations=RELATIONS[1], n_neighbors=10) is model
    assert model.n_models_ == len(model.embeddings_) == len(model.mappers_) == 3
    assert len(model.relations_) == 2
    assert model.mappers_[2].knn_.n_neighbors == 9
    for one, two in zip(before, model.embeddings_[:2], strict=True):
        np.testing.assert_array_equal(one, two)
    assert gap(model.embeddings_) < 0.4 * gap(unheld)
    assert trustworthiness(slices[2], model.embeddings_[2]) > 0.95
    assert model.get_params()["n_neighbors"] == 15


def test_update_starts_rows_without_relatives_among_their_neighbours(slices):
    model = AlignedUMAP(n_epochs=30, random_state=0).fit(slices[:2], relations=RELATIONS[:1])
    model.update(np.vstack([slices[2], slices[2][:3] + 100]), relations={25 + i: i for i in range(10)})
    assert np.isfinite(model.embeddings_[2]).all()


def test_new_rows_are_placed_on_any_map(slices, fitted):
    for index in (0, 1, -1):
        new = slices[index] + 0.02
        placed = fitted.transform(new, index=index)
        np.testing.assert_array_equal(fitted.transform(new[7:8], index=index), placed[7:8])
        offsets = np.linalg.norm(placed - fitted.embeddings_[index], axis=1)
        assert np.median(offsets) < 0.2 * fitted.embeddings_[index].std()
    assert fitted.get_feature_names_out().tolist() == ["alignedumap0", "alignedumap1"]


def test_rows_without_neighbours_have_no_place(slices):
    lonely = np.vstack([slices[1], np.full((1, 4), 50.0)])
    model = AlignedUMAP(n_epochs=20, disconnection_distance=10.0, random_state=0).fit(
        [slices[0], lonely], relations=RELATIONS[:1]
    )
    assert np.isnan(model.embeddings_[1][-1]).all()
    assert np.isfinite(model.embeddings_[1][:-1]).all()


def test_pickle_clone_save_and_citation(slices, fitted, tmp_path):
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.transform(slices[2] + 0.1), fitted.transform(slices[2] + 0.1))
    assert clone(fitted).get_params() == fitted.get_params()
    fitted.save(tmp_path / "model")
    loaded = holonomy.load_model(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.transform(slices[0] + 0.1, index=0), fitted.transform(slices[0] + 0.1, index=0)
    )
    loaded.update(slices[2], relations={i: i for i in range(100)})
    assert "Aligned-UMAP" in holonomy.citation(fitted)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        (
            {"n_neighbors": [15, 15]},
            ValueError,
            "n_neighbors must be one value or one for each of the 3 data sets, got 2",
        ),
        ({"n_neighbors": 1}, ValueError, "n_neighbors must be at least 2"),
        ({"alignment_regularisation": -1.0}, ValueError, "alignment_regularisation must be at least 0"),
        ({"alignment_window_size": 0}, ValueError, "alignment_window_size must be at least 1"),
        ({"n_epochs": 0}, ValueError, "n_epochs must be at least 1"),
        ({"n_components": 0}, ValueError, "n_components must be at least 1"),
        ({"init": "magic"}, ValueError, "init must be"),
        ({"min_dist": 2.0}, ValueError, "min_dist must not exceed spread"),
        ({"random_state": -1}, ValueError, "random_state must lie in"),
    ],
)
def test_bad_parameters_are_named(slices, parameters, error, message):
    with pytest.raises(error, match=message):
        AlignedUMAP(**parameters).fit(slices, relations=RELATIONS)


def test_bad_data_are_named(slices, fitted):
    with pytest.raises(TypeError, match="X must be a list of data sets"):
        AlignedUMAP().fit(slices[0], relations=[])
    with pytest.raises(ValueError, match="at least two data sets, got 1"):
        AlignedUMAP().fit(slices[:1], relations=[])
    with pytest.raises(ValueError, match=r"relations must be a list of 2 relations.* got 1"):
        AlignedUMAP().fit(slices, relations=RELATIONS[:1])
    with pytest.raises(ValueError, match="got a dict"):
        AlignedUMAP().fit(slices, relations=RELATIONS[0])
    with pytest.raises(ValueError, match=r"relations\[1\] names row 100 of the later data set"):
        AlignedUMAP(n_epochs=1).fit(slices, relations=[RELATIONS[0], {0: 100}])
    with pytest.raises(ValueError, match="y must have an entry for each of the 3 data sets, got 1"):
        AlignedUMAP().fit(slices, [None], relations=RELATIONS)
    with pytest.raises(TypeError, match="unknown parameter 'n_epochs'"):
        fitted.update(slices[0], relations=RELATIONS[0], n_epochs=5)
    with pytest.raises(ValueError, match="relations is empty"):
        fitted.update(slices[0], relations={})
    with pytest.raises(ValueError, match="index must be in"):
        fitted.transform(slices[0], index=3)
    with pytest.raises(ValueError, match="not fitted"):
        AlignedUMAP().update(slices[0], relations=RELATIONS[0])
    assert fitted.n_models_ == 3
