"""Poincare embeddings as an estimator: quality, contract, files, scores, charts, bad input."""

import pickle

import networkx as nx
import numpy as np
import pytest
from scipy import sparse
from scipy.stats import spearmanr
from sklearn.base import clone

from holonomy import citation, load_model
from holonomy.datasets import make_balanced_tree
from holonomy.embed import PoincareEmbedding, fermi_dirac
from holonomy.graphs import hierarchy_depths, transitive_closure
from holonomy.manifolds import Euclidean, Hyperboloid, PoincareBall, Product, Sphere

EDGES = [
    ("dog", "canine"), ("wolf", "canine"), ("canine", "mammal"), ("cat", "mammal"), ("mammal", "animal"),
    ("trout", "fish"), ("fish", "animal"), ("eagle", "bird"), ("bird", "animal"),
]  # fmt: skip
QUICK = {"n_negatives": 5, "epochs": 60, "burn_in": 10, "random_state": 0}


@pytest.fixture(scope="module")
def tree():
    parents = make_balanced_tree(branching=3, depth=4).parents
    children = np.arange(1, len(parents))
    return sparse.csr_array((np.ones(len(children)), (children, parents[1:])), shape=(len(parents),) * 2)


@pytest.fixture(scope="module")
def fitted(tree):
    return PoincareEmbedding(5, closure=True, n_negatives=20, epochs=60, burn_in=10, random_state=0).fit(tree)


def test_a_tree_is_recovered_and_norms_tell_depth(tree, fitted):
    ranking = fitted.evaluate()
    assert ranking.mean_average_precision > 0.95
    assert ranking.mean_rank < 1.5
    assert (fitted.mean_rank_, fitted.map_) == (ranking.mean_rank, ranking.mean_average_precision)
    norms = np.linalg.norm(fitted.embedding_, axis=1)
    assert spearmanr(norms, hierarchy_depths(tree)).statistic > 0.6
    np.testing.assert_array_equal(fitted.links_.toarray() > 0, transitive_closure(tree).toarray())


def test_evaluation_is_that_of_all_distances(fitted):
    n = len(fitted.labels_)
    rows, columns = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    distances = fitted.distance(rows.ravel(), columns.ravel()).reshape(n, n)
    links = fitted.links_.toarray() > 0
    ranks, precisions = [], []
    for u in np.flatnonzero(links.any(axis=1)):
        negatives = distances[u, ~links[u] & (np.arange(n) != u)]
        before = np.array([(negatives < d).sum() for d in np.sort(distances[u, links[u]])])
        ranks += list(before + 1)
        precisions.append(np.mean(np.arange(1, len(before) + 1) / (np.arange(1, len(before) + 1) + before)))
    ranking = fitted.evaluate()
    assert ranking.mean_rank == pytest.approx(np.mean(ranks))
    assert ranking.mean_average_precision == pytest.approx(np.mean(precisions))
    some = fitted.evaluate(subsample=60)
    assert len(some.nodes) == 60
    assert some.mean_average_precision_estimate.low < ranking.mean_average_precision


def test_held_out_links_are_ranked_without_the_fitted_ones(fitted):
    ranking = fitted.evaluate([(0, 5)])
    row = fitted.distance(0, np.arange(len(fitted.labels_)))
    assert ranking.ranks.tolist() == [1 + np.sum(row[1:] < row[5])]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("manifold", ["poincare", "hyperboloid", "euclidean", "squared_euclidean"])
def test_same_bits_for_a_seed_and_any_threads(tree, dtype, manifold):
    options = {**QUICK, "epochs": 6, "burn_in": 2, "closure": True, "dtype": dtype, "batch_size": 300}
    one, two = (PoincareEmbedding(3, manifold=manifold, n_jobs=jobs, **options).fit(tree) for jobs in (1, 2))
    np.testing.assert_array_equal(one.embedding_, two.embedding_)
    assert one.embedding_.dtype == dtype
    assert one.embedding_.shape == (len(one.labels_), 4 if manifold == "hyperboloid" else 3)
    other = PoincareEmbedding(3, manifold=manifold, **{**options, "random_state": 1}).fit(tree)
    assert (one.embedding_ != other.embedding_).any()


def test_charts_export_to_the_ball(tree):
    model = PoincareEmbedding(2, manifold="hyperboloid", closure=True, **QUICK).fit(tree)
    ball = model.to_ball()
    assert (np.linalg.norm(ball, axis=1) < 1).all()
    q = ((ball[3] - ball[7]) ** 2).sum() / ((1 - ball[3] @ ball[3]) * (1 - ball[7] @ ball[7]))
    assert model.distance(3, 7) == pytest.approx(2 * np.arcsinh(np.sqrt(q)))
    np.testing.assert_array_equal(PoincareEmbedding(2, **QUICK).fit(EDGES).to_ball().shape, (10, 2))
    flat = PoincareEmbedding(2, manifold="euclidean", **QUICK).fit(EDGES)
    with pytest.raises(ValueError, match="only hyperbolic space has a ball"):
        flat.to_ball()


@pytest.mark.parametrize(
    "manifold",
    [
        PoincareBall(3, curvature=-0.5),
        Hyperboloid(3, curvature=-2.0),
        Euclidean(3),
        Sphere(3),
        Product(PoincareBall(2), Sphere(2)),
        PoincareBall(3, learnable=True),
    ],
)
def test_any_manifold(manifold):
    import torch

    model = PoincareEmbedding(manifold=manifold, closure=True, **QUICK).fit(EDGES)
    assert model.embedding_.shape == (10, *manifold.shape)
    assert manifold.belongs(torch.from_numpy(model.embedding_)).all()
    assert model.evaluate().mean_average_precision > 0.5
    points = torch.from_numpy(model.transform(["dog", "cat"]))
    assert model.distance("dog", "cat") == pytest.approx(float(manifold.dist(points[0], points[1]).detach()))
    np.testing.assert_array_equal(model.embedding_, clone(model).fit(EDGES).embedding_)
    assert np.isfinite(model.score_pairs([("dog", "animal")], "is_a")).all()


@pytest.mark.parametrize("optimizer", ["retraction", "radagrad", "radam", "ramsgrad"])
def test_other_optimizers(optimizer):
    options = {**QUICK, "optimizer": optimizer, "lr": 0.3 if optimizer == "retraction" else 0.05}
    model = PoincareEmbedding(3, closure=True, **options).fit(EDGES)
    assert model.evaluate().mean_average_precision > 0.7


def test_networks_have_probabilities(tree):
    graph = nx.connected_caveman_graph(6, 6)
    options = {"objective": "fermi_dirac", "n_negatives": 10, "epochs": 60, "lr": 0.1, "random_state": 0}
    edges, others = list(graph.edges), list(nx.non_edges(graph))
    for curve in ((2.0, 1.0), "learned"):
        model = PoincareEmbedding(3, curve=curve, **options).fit(graph)
        inside, outside = (model.score_pairs(pairs, "probability") for pairs in (edges, others))
        assert np.median(inside) > 2 * np.median(outside)
        d = model.distance([a for a, _ in edges], [b for _, b in edges])
        np.testing.assert_allclose(inside, fermi_dirac(d, *model.curve_))
        assert (model.curve_ == (2.0, 1.0)) == (curve != "learned")


def test_queries_by_label(fitted):
    model = PoincareEmbedding(3, closure=True, **QUICK).fit(EDGES)
    near = model.most_similar("dog", 9)
    assert [d for _, d in near] == sorted(d for _, d in near)
    assert {name for name, _ in near} == set(model.labels_.tolist()) - {"dog"}
    assert near[0][1] == model.distance("dog", near[0][0])
    np.testing.assert_array_equal(model.distance("dog", ["cat", "dog"]), [model.distance("dog", "cat"), 0.0])
    np.testing.assert_array_equal(model.transform(["cat"])[0], model.embedding_[model.labels_ == "cat"][0])
    pairs = [("dog", "animal"), ("animal", "dog")]
    down, up = model.score_pairs(pairs, "is_a")
    assert down > up
    d, norms = model.distance(*pairs[0]), np.linalg.norm(model.transform(pairs[0]), axis=1)
    assert down == pytest.approx(-(1 + 1000 * (norms[1] - norms[0])) * d)
    np.testing.assert_allclose(model.score_pairs(pairs), [-d, -d])


def test_weights_say_how_often_pairs_are_visited():
    light, heavy = (
        PoincareEmbedding(2, **QUICK).fit([("a", "b", 1), ("c", "b", weight), ("d", "e", 1)]) for weight in (1, 20)
    )
    assert heavy.distance("c", "b") < light.distance("c", "b")
    assert PoincareEmbedding(2, **QUICK).fit([("a", "b"), ("a", "b")]).links_.data.tolist() == [2.0]


def test_files_pickles_and_clones_keep_everything(tmp_path):
    model = PoincareEmbedding(3, manifold="hyperboloid", closure=True, **QUICK).fit(EDGES)
    model.save(tmp_path / "model.holonomy")
    for again in (load_model(tmp_path / "model.holonomy"), pickle.loads(pickle.dumps(model))):  # noqa: S301
        np.testing.assert_array_equal(again.embedding_, model.embedding_)
        assert again.most_similar("dog", 3) == model.most_similar("dog", 3)
        assert again.evaluate().mean_rank == model.evaluate().mean_rank
        assert again.get_params() == model.get_params()
    np.testing.assert_array_equal(clone(model).fit_transform(EDGES), model.embedding_)
    sphere = PoincareEmbedding(manifold=Sphere(2), **QUICK).fit(EDGES)
    sphere.save(tmp_path / "sphere.holonomy")
    np.testing.assert_array_equal(load_model(tmp_path / "sphere.holonomy").embedding_, sphere.embedding_)
    assert "nickel2017poincare" in citation(model)
    assert "nickel2018learning" in citation(model)


def test_the_share_at_the_boundary_is_told(tree):
    model = PoincareEmbedding(2, closure=True, dtype="float32", **{**QUICK, "lr": 5.0}).fit(tree)
    assert model.boundary_share_ == np.mean(np.linalg.norm(model.embedding_.astype(float), axis=1) > 1 - 1.1e-5)
    assert model.boundary_share_ > 0.5


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_components": 0}, ValueError, "n_components must be"),
        ({"manifold": "torus"}, ValueError, "manifold must be one of"),
        ({"manifold": 3}, TypeError, "manifold must be one of"),
        ({"objective": "loss"}, ValueError, "objective must be one of"),
        ({"n_negatives": 0}, ValueError, "n_negatives must be"),
        ({"lr": 0.0}, ValueError, "lr must be positive"),
        ({"lr": np.nan}, ValueError, "lr must be finite"),
        ({"epochs": 0}, ValueError, "epochs must be"),
        ({"burn_in": -1}, ValueError, "burn_in must be"),
        ({"burn_in_factor": -1.0}, ValueError, "burn_in_factor must be"),
        ({"dampening": -1.0}, ValueError, "dampening must be"),
        ({"batch_size": 0}, ValueError, "batch_size must be"),
        ({"batch_size": "all"}, TypeError, "batch_size must be"),
        ({"optimizer": "adam"}, ValueError, "optimizer must be one of"),
        ({"objective": "fermi_dirac", "curve": "flat"}, ValueError, "curve must be one of"),
        ({"objective": "fermi_dirac", "curve": 3}, ValueError, "curve must be a radius and a temperature"),
        ({"objective": "fermi_dirac", "curve": (1.0, 0.0)}, ValueError, "temperature must be positive"),
        ({"dtype": "float16"}, ValueError, "dtype must be one of"),
        ({"manifold": "squared_euclidean", "optimizer": "radam"}, ValueError, "compiled steps alone"),
        ({"manifold": "squared_euclidean", "lr": 1e6}, ValueError, "descent diverged"),
    ],
)
def test_bad_parameters_are_named(options, error, message):
    with pytest.raises(error, match=message):
        PoincareEmbedding(**{**QUICK, **options}).fit(EDGES)


def test_bad_edges_and_labels_are_named(fitted):
    with pytest.raises(ValueError, match="no directed cycle where closure=True, got 'a' -> 'b' -> 'a'"):
        PoincareEmbedding(closure=True).fit([("a", "b"), ("b", "a")])
    with pytest.raises(ValueError, match="join a node to itself"):
        PoincareEmbedding().fit([("a", "a")])
    model = PoincareEmbedding(2, **QUICK).fit(EDGES)
    for call in (
        lambda: model.transform(["unicorn"]),
        lambda: model.distance("unicorn", "dog"),
        lambda: model.most_similar("unicorn"),
        lambda: model.score_pairs([("unicorn", "dog")]),
        lambda: model.evaluate([("unicorn", "dog")]),
    ):
        with pytest.raises(ValueError, match="unknown: 'unicorn'"):
            call()
    with pytest.raises(ValueError, match="k must be"):
        model.most_similar("dog", 10)
    with pytest.raises(ValueError, match="two labels each"):
        model.score_pairs([("dog",)])
    with pytest.raises(ValueError, match="score must be one of"):
        model.score_pairs([("dog", "cat")], "cosine")
