"""Maps on manifolds: the estimator there, where layouts start, new rows, and bad input."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks

from holonomy import citation, load_model
from holonomy.embed import UMAP, output_geometry
from holonomy.embed._manifold_space import HYPERBOLIC, WIDEST, ManifoldSpace, reach
from holonomy.manifolds import (
    SPD,
    Euclidean,
    Hyperboloid,
    Manifold,
    PoincareBall,
    Power,
    Product,
    Sphere,
    Torus,
    convert,
)
from holonomy.measure import trustworthiness

X = load_iris().data[::2] + 1e-3 * np.random.default_rng(0).normal(size=(75, 4))
SPACES = [Sphere(2, 0.05), PoincareBall(2), Torus([20.0, 20.0]), SPD(2), Product(Sphere(1, 0.05), Euclidean(1))]


@pytest.mark.slow
@parametrize_with_checks([UMAP(n_epochs=2, output_metric=Euclidean(1), n_components=1, random_state=0)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def on(space, **parameters):
    given = {"n_epochs": 20, "random_state": 0, "n_components": space.dim, **parameters}
    return UMAP(output_metric=space, **given)


def points(space, places):
    return torch.from_numpy(places).reshape(-1, *space.shape)


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_maps_are_points_and_new_rows_join_them_each_by_itself(space):
    model = on(space, n_jobs=1).fit(X)
    assert model.embedding_.shape == (75, space.origin().numel())
    assert model.embedding_.dtype == np.float64
    assert bool(space.belongs(points(space, model.embedding_)).all())
    assert len(model.get_feature_names_out()) == model.embedding_.shape[1]
    np.testing.assert_array_equal(on(space, n_jobs=2).fit_transform(X), model.embedding_)
    new = X[:6] + 0.02
    placed = model.transform(new)
    assert bool(space.belongs(points(space, placed)).all())
    np.testing.assert_array_equal(model.transform(new[3:4]), placed[3:4])
    np.testing.assert_array_equal(model.transform(X[5:8]), model.embedding_[5:8])
    between = space.dist(points(space, placed)[:, None], points(space, model.embedding_)[None])
    own = between[torch.arange(6), torch.arange(6)]
    assert bool((own < between.median(dim=1).values).all())
    rows = model.inverse_transform(model.embedding_[:4])
    assert np.linalg.norm(rows - X[:4], axis=1).max() < 1.0


def test_maps_in_flat_space_are_as_good_as_by_the_compiled_layout():
    rows = load_digits().data[:500]
    flat, curved = UMAP(n_epochs=100, random_state=0), on(Euclidean(2), n_epochs=100)
    one, two = (trustworthiness(rows, model.fit_transform(rows)) for model in (flat, curved))
    assert abs(one - two) < 0.01


def test_models_of_hyperbolic_space_keep_neighbours_equally_well():
    ball, hyperboloid = PoincareBall(2), Hyperboloid(2)
    rows = load_digits().data[:200]
    one, two = (on(space, n_epochs=60).fit_transform(rows) for space in (ball, hyperboloid))
    compiled = UMAP(n_epochs=60, output_metric="hyperboloid", random_state=0).fit_transform(rows)
    places = [convert(points(ball, one), ball, hyperboloid).numpy(), two]
    space_like = [*(part[:, 1:] for part in places), compiled.astype(float)]
    between = [output_geometry("hyperboloid", None, 2).distances(part, part) for part in space_like]
    kept = [neighbours_kept(rows, distances) for distances in between]
    assert max(kept) - min(kept) < 0.03


def neighbours_kept(rows, between, k=10):
    """Return the share of the k nearest rows that are among the k nearest on the map."""
    true = np.argsort(((rows[:, None] - rows[None]) ** 2).sum(axis=2), axis=1)[:, 1 : k + 1]
    found = np.argsort(between, axis=1)[:, 1 : k + 1]
    return np.mean([len(np.intersect1d(one, two)) / k for one, two in zip(true, found, strict=True)])


def test_starts_are_wrapped_around_the_origin():
    flat = np.random.default_rng(0).normal(size=(30, 2)) * 20
    lengths = np.linalg.norm(flat - flat.mean(axis=0), axis=1)
    for space in (Sphere(2), Hyperboloid(2), PoincareBall(2, -4.0), Torus([9.0, 9.0])):
        start = points(space, ManifoldSpace(space, 2).start(flat))
        distances = space.dist(space.origin(dtype=torch.float64), start).numpy()
        np.testing.assert_allclose(distances, lengths * reach(space) / lengths.max(), rtol=1e-6)


def test_starts_reach_as_far_as_a_space_allows():
    assert reach(Sphere(2)) == pytest.approx(WIDEST * np.pi)
    assert reach(Torus([8.0, 2.0])) == pytest.approx(WIDEST)
    assert reach(PoincareBall(2, -4.0)) == pytest.approx(HYPERBOLIC / 2)
    assert reach(Euclidean(2)) == reach(SPD(2)) == np.inf
    assert reach(Product(Euclidean(1), Hyperboloid(2), weights=[1.0, 4.0])) == pytest.approx(2 * HYPERBOLIC)
    assert reach(Power(Sphere(1), 3)) == pytest.approx(WIDEST * np.pi)


def test_given_starts_kept_maps_and_added_rows():
    space = Sphere(2, 0.05)
    init = space.random_uniform(75, random_state=0, dtype=torch.float64).numpy()
    model = on(space, init=init, n_epochs=[3, 20], learning_rate=1e-9).fit(X)
    np.testing.assert_allclose(model.embedding_, init, atol=1e-6)
    assert model.init_used_ == "given"
    np.testing.assert_array_equal(model.embedding_list_[1], model.embedding_)
    again = on(space, init="pca", n_epochs=30).fit(X[:60])
    before = points(space, again.embedding_)
    again.update(X[60:])
    after = points(space, again.embedding_)
    assert after.shape == (75, 3)
    assert bool(space.belongs(after).all())
    assert space.dist(before, after[:60]).median() < 0.25 * space.dist(before[:, None], before[None]).median()


def test_rows_without_neighbours_have_no_place():
    far = np.vstack([X, np.full((1, 4), 99.0)])
    with pytest.warns(UserWarning, match="no neighbours"):
        model = on(Sphere(2), disconnection_distance=20.0).fit(far)
    assert np.isnan(model.embedding_[75]).all()
    assert np.isfinite(model.embedding_[:75]).all()
    assert np.isnan(model.transform(np.full((1, 4), -99.0))).all()
    with pytest.warns(UserWarning, match="no neighbours"):
        model.update(X[:2] + 0.01)
    assert np.isfinite(model.embedding_[76:]).all()


def test_clones_copies_and_files(tmp_path):
    model = on(Product(Sphere(1), PoincareBall(1, -2.0))).fit(X)
    assert str(clone(model).output_metric) == str(model.output_metric)
    np.testing.assert_array_equal(clone(model).fit_transform(X), model.embedding_)
    model.save(tmp_path / "model.holonomy")
    for again in (load_model(tmp_path / "model.holonomy"), pickle.loads(pickle.dumps(model))):  # noqa: S301
        np.testing.assert_array_equal(again.embedding_, model.embedding_)
        np.testing.assert_array_equal(again.transform(X[:5] + 0.1), model.transform(X[:5] + 0.1))
    assert "ungar2008gyrovector" in citation(on(PoincareBall(2)).fit(X))


class Cylinder(Manifold):
    """A space of a user's own, with few verbs."""

    def __init__(self):
        super().__init__(dim=2, shape=(3,))
        self._space = Product(Sphere(1), Euclidean(1))

    def _exp(self, x, v):
        return self._space.exp(x, v)

    def _log(self, x, y):
        return self._space.log(x, y)

    def _project(self, x):
        return self._space.project(x)

    def _project_tangent(self, x, v):
        return self._space.project_tangent(x, v)

    def _origin(self, dtype, device):
        return self._space.origin(dtype=dtype, device=device)


def test_spaces_of_a_users_own_and_combined_models(tmp_path):
    model = on(Cylinder()).fit(X)
    assert bool(Cylinder().belongs(points(Cylinder(), model.embedding_)).all())
    both = model * on(Cylinder(), metric="cosine").fit(X)
    assert bool(Cylinder().belongs(points(Cylinder(), both.embedding_)).all())
    with pytest.raises(TypeError, match="file cannot hold"):
        model.save(tmp_path / "model.holonomy")


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"output_metric": SPD(2)}, ValueError, "dimension 3, got n_components=2; pass n_components=3"),
        ({"output_metric": 3.0}, TypeError, "output_metric must be a name or a Manifold"),
        ({"output_metric": Sphere}, TypeError, "output_metric must be a name or a Manifold"),
        ({"output_metric_kwds": {"p": 3}}, ValueError, "output_metric_kwds"),
        ({"densmap": True}, ValueError, "densmap"),
        ({"device": "cpu"}, ValueError, "output_metric=Sphere"),
        ({"init": np.zeros((75, 2))}, ValueError, r"init must have shape \(75, 3\)"),
        ({"init": np.ones((75, 3))}, ValueError, "init must hold points of Sphere"),
        ({"init": np.full((75, 3), np.nan)}, ValueError, "init"),
        ({"init": "nowhere"}, ValueError, "init"),
    ],
)
def test_bad_parameters_are_named(parameters, error, message):
    with pytest.raises(error, match=message):
        UMAP(**{"n_epochs": 2, "output_metric": Sphere(2), **parameters}).fit(X)


def test_bad_places_are_named():
    model = on(Sphere(2), n_epochs=2).fit(X)
    with pytest.raises(ValueError, match="places must have 3 columns"):
        model.inverse_transform(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="places must hold points of Sphere"):
        model.inverse_transform(np.ones((2, 3)))


def test_layouts_that_run_away_say_so():
    with pytest.raises(ValueError, match="lower learning_rate"):
        on(Euclidean(2), learning_rate=1e308).fit(X)
