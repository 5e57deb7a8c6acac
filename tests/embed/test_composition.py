"""Combined models: their graphs against umap-learn's, what they show, and bad input."""

import numpy as np
import pytest

from holonomy.embed import UMAP
from holonomy.graphs import fuzzy_difference, fuzzy_intersection, fuzzy_union, restore_connectivity
from holonomy.measure import label_agreement

RNG = np.random.default_rng(0)
COLOR, SHAPE = np.repeat([0, 1], 60), np.tile([0, 1], 60)


@pytest.fixture(scope="module")
def views():
    """Two views of the same rows, each of which separates them otherwise."""
    shared = RNG.normal(size=(120, 2))
    return tuple(np.column_stack([8.0 * label, shared]) + 0.3 * RNG.normal(size=(120, 3)) for label in (COLOR, SHAPE))


@pytest.fixture(scope="module")
def models(views):
    return tuple(UMAP(n_epochs=100, random_state=seed).fit(view) for seed, view in enumerate(views))


def test_graphs_are_combined_and_keep_their_mass(models):
    # The parts are compared with umap-learn's where they are defined.
    one, two = (model.graph_ for model in models)
    for combined, graph in (
        (models[0] * models[1], fuzzy_intersection(one, two)),
        (models[0] + models[1], fuzzy_union(one, two)),
    ):
        expected = restore_connectivity(graph, n_neighbors=15)
        np.testing.assert_array_equal(combined.graph_.toarray(), expected.toarray())


def test_union_shows_what_either_view_shows(models):
    both = models[0] + models[1]
    edges = both.graph_.toarray()
    for model in models:
        assert (edges[model.graph_.toarray() == 1] > 0.9).all()


def test_intersection_separates_what_either_view_separates(models):
    both = (models[0] * models[1]).embedding_
    groups = 2 * COLOR + SHAPE
    assert label_agreement(both, groups, n_neighbors=5) > 0.9
    assert label_agreement(models[0].embedding_, groups, n_neighbors=5) < 0.8


def test_contrast_keeps_edges_the_other_model_lacks(models):
    contrast = models[0] - models[1]
    expected = restore_connectivity(fuzzy_difference(models[0].graph_, models[1].graph_))
    np.testing.assert_array_equal(contrast.graph_.toarray(), expected.toarray())
    assert np.isfinite(contrast.embedding_).all()


def test_combinations_are_reproducible_and_combine_again(models):
    one, two = (models[0] * models[1] for _ in range(2))
    np.testing.assert_array_equal(one.embedding_, two.embedding_)
    again = one + models[0]
    assert again.embedding_.shape == (120, 2)
    np.testing.assert_allclose((again.a_, again.b_), (models[0].a_, models[0].b_))
    assert again.n_epochs_ == 100


def test_parameters_of_the_layout_follow_from_both():
    X = RNG.normal(size=(60, 3))
    one = UMAP(n_components=3, n_epochs=10, min_dist=0.5, random_state=0).fit(X)
    two = UMAP(n_components=2, n_epochs=20, negative_sample_rate=8, random_state=0).fit(X)
    both = one + two
    assert both.embedding_.shape == (60, 2)
    assert both.n_epochs_ == 20
    assert both.negative_sample_rate == 6
    np.testing.assert_allclose(both.a_, (one.a_ + two.a_) / 2)


def test_combinations_are_saved_and_place_no_rows(models, tmp_path):
    both = models[0] * models[1]
    both.save(tmp_path / "both")
    np.testing.assert_array_equal(UMAP.load(tmp_path / "both").embedding_, both.embedding_)
    with pytest.raises(ValueError, match="has no rows of its own"):
        both.transform(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="or combined"):
        both.inverse_transform(np.zeros((1, 2)))
    with pytest.raises(ValueError, match="update needs the rows"):
        both.update(np.zeros((1, 3)))


def test_bad_operands_are_named(models):
    X = RNG.normal(size=(40, 3))
    with pytest.raises(ValueError, match="models must be of the same rows"):
        models[0] * UMAP(n_epochs=5, random_state=0).fit(X)
    with pytest.raises(ValueError, match="Only fitted models"):
        models[0] + UMAP()
    with pytest.raises(ValueError, match="unique=True cannot be combined"):
        models[0] - UMAP(n_epochs=5, unique=True, random_state=0).fit(np.vstack([X, X, X]))
    with pytest.raises(TypeError, match="unsupported operand"):
        models[0] * 2
