import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from holonomy import citation
from holonomy.manifolds import SPD, AffineInvariant, Euclidean, Hyperboloid, PoincareBall, Sphere, convert
from holonomy.stats import BarycentricSubspaceAnalysis, barycentric_project, span_distance

F64 = torch.float64
METHODS = ("bsa", "pure", "forward")


@parametrize_with_checks([BarycentricSubspaceAnalysis(n_components=1, n_restarts=2, random_state=0)])
def test_it_is_an_estimator_in_flat_space(estimator, check):
    check(estimator)


def flat(seed=0, n=60):
    return np.random.default_rng(seed).standard_normal((n, 5)) * [5.0, 3.0, 2.0, 1.0, 0.5] + 7.0


def near_circle(seed=0, n=60, arc=2 * np.pi):
    rng = np.random.default_rng(seed)
    angles = arc * rng.uniform(size=n)
    x = np.pad(np.stack([np.cos(angles), np.sin(angles)], axis=1), ((0, 0), (0, 3)))
    x = x + 0.05 * rng.standard_normal(x.shape)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("method", ["bsa", "forward"])
def test_free_points_in_flat_space_span_principal_components(method):
    X = flat()
    model = BarycentricSubspaceAnalysis(method=method, points="free", random_state=0).fit(X)
    _, s, axes = np.linalg.svd(X - X.mean(0))
    expected = [np.sum(s[i:] ** 2) for i in range(3)]
    assert model.unexplained_variance_ == pytest.approx(expected, rel=1e-9)
    assert model.auv_ == pytest.approx(sum(expected), rel=1e-9)
    assert model.reference_points_[0] == pytest.approx(X.mean(0), abs=1e-4)
    for i in (1, 2):
        directions = model.reference_points_[1 : i + 1] - model.reference_points_[0]
        assert np.max(subspace_angles(directions.T, axes[:i].T)) < 1e-4
    assert model.indices_ is None
    assert model.n_iter_ > 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("points", ["data", "free"])
def test_a_great_circle_is_found(method, points):
    # Points all round a circle have no mean on it, which the first span of a flag would be.
    X = near_circle(arc=2 * np.pi if method == "pure" else 2.0)
    model = BarycentricSubspaceAnalysis(Sphere(4), 1, method=method, points=points, n_restarts=3, random_state=0).fit(X)
    plane = model.basis_
    assert plane @ plane.T == pytest.approx(np.eye(2), abs=1e-12)
    assert np.max(subspace_angles(plane.T, np.eye(5)[:2].T)) < (0.2 if points == "data" else 0.05)
    if points == "data":
        assert model.reference_points_ == pytest.approx(X[model.indices_])
    distances = span_distance(X, model.reference_points_, Sphere(4))
    assert model.unexplained_variance_[1] == pytest.approx(np.sum(distances**2))
    assert model.mean_unexplained_variance_ == pytest.approx(model.unexplained_variance_ / 60)


def test_each_method_is_best_at_what_it_minimises():
    X = near_circle(3)
    fits = {m: BarycentricSubspaceAnalysis(Sphere(4), 2, method=m, random_state=0).fit(X) for m in METHODS}
    assert fits["bsa"].auv_ <= min(fit.auv_ for fit in fits.values()) + 1e-12
    last = {m: fit.unexplained_variance_[-1] for m, fit in fits.items()}
    assert last["pure"] <= min(last.values()) + 1e-12
    assert fits["forward"].search_ == "greedy"
    for fit in fits.values():
        assert np.all(np.diff(fit.unexplained_variance_) < 0)


def test_free_points_do_better_than_data():
    X = near_circle(4)
    for method in ("bsa", "pure"):
        data, free = (
            BarycentricSubspaceAnalysis(Sphere(4), 1, method=method, points=kind, random_state=0).fit(X)
            for kind in ("data", "free")
        )
        objective = "auv_" if method == "bsa" else "unexplained_variance_"
        assert np.min(getattr(free, objective)) < np.min(getattr(data, objective))


def test_spans_are_nested():
    space = Hyperboloid(4)
    X = space.random_normal(40, std=0.8, random_state=0, dtype=F64)
    model = BarycentricSubspaceAnalysis(space, 3, n_restarts=2, random_state=0).fit(X)
    points = model.reference_points_
    for i in range(2, 4):
        inside = barycentric_project(X, points[:i], space).points
        assert float(span_distance(inside, points[: i + 1], space).max()) < 1e-12
    inner, outer = (barycentric_project(X, points[:i], space).points for i in (2, 3))
    assert torch.allclose(barycentric_project(outer, points[:2], space).points, inner, atol=1e-9)


def test_weights_projections_and_barycentres_belong_together():
    space = Sphere(4)
    X = space.random_normal(30, std=0.3, random_state=0, dtype=F64)
    model = BarycentricSubspaceAnalysis(space, 2, n_restarts=2, random_state=0).fit(X)
    weights, inside = model.transform(X), model.project(X)
    assert weights.shape == (30, 3)
    assert torch.allclose(weights.sum(1), torch.ones(30, dtype=F64))
    back = model.inverse_transform(weights)
    logs = space.log(back.unsqueeze(1), model.reference_points_)
    assert float(space.norm(back, (weights.unsqueeze(-1) * logs).sum(1)).max()) < 1e-7
    near = space.dist(inside, model.reference_points_.mean(0)) < 1.0
    assert torch.allclose(back[near], inside[near], atol=1e-6)
    assert set(model.classify(inside).tolist()) <= {"frechet", "karcher", "exponential"}
    assert set(model.classify(X).tolist()) == {"outside", "frechet"} or "outside" in model.classify(X)


def test_isometries_move_the_result():
    X = near_circle(5)
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    here, there = (BarycentricSubspaceAnalysis(Sphere(4), 2, random_state=0).fit(Z) for Z in (X, X @ Q))
    assert np.array_equal(here.indices_, there.indices_)
    assert there.transform(X @ Q) == pytest.approx(here.transform(X), abs=1e-9)


def test_the_ball_gives_what_the_hyperboloid_gives():
    ball, sheet = PoincareBall(3), Hyperboloid(3)
    X = ball.random_normal(30, std=0.6, random_state=0, dtype=F64)
    here = BarycentricSubspaceAnalysis(ball, 1, random_state=0).fit(X)
    there = BarycentricSubspaceAnalysis(sheet, 1, random_state=0).fit(convert(X, ball, sheet))
    assert np.array_equal(here.indices_, there.indices_)
    assert here.auv_ == pytest.approx(there.auv_)


def test_powers_under_two_are_robust():
    X = np.array([[t, 0.1 * np.sin(5 * t), 0.0] for t in np.linspace(-2, 2, 40)])
    X = np.concatenate([X, [[0.0, 0.0, 9.0], [0.5, 0.0, 9.0]]])
    robust, square = (BarycentricSubspaceAnalysis(None, 1, method="pure", points="free", p=p).fit(X) for p in (1, 2))
    truth = np.array([[1.0], [0.0], [0.0]])

    def angle(model):
        return np.max(subspace_angles(np.diff(model.reference_points_, axis=0).T, truth))

    assert angle(robust) < 0.03 < 1.0 < angle(square)


def test_covariances_are_analysed_by_the_general_solver():
    space = SPD(2, metric=AffineInvariant())
    X = space.random_normal(6, std=0.4, random_state=0, dtype=F64)
    data, free = (
        BarycentricSubspaceAnalysis(space, 1, method="pure", points=kind, random_state=0).fit(X)
        for kind in ("data", "free")
    )
    assert data.basis_ is None
    assert data.reference_points_.shape == (2, 2, 2)
    assert free.unexplained_variance_[1] < data.unexplained_variance_[1]
    weights = free.transform(X)
    assert float((weights.sum(1) - 1.0).abs().max()) < 1e-9
    assert free.project(X).shape == X.shape


def test_the_same_seed_gives_the_same_bits_whatever_the_threads():
    X = near_circle(n=150)
    before = torch.get_num_threads()
    results = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            model = BarycentricSubspaceAnalysis(Sphere(4), 1, points="free", n_restarts=2, random_state=3).fit(X)
            results.append((model.reference_points_, model.transform(X)))
    finally:
        torch.set_num_threads(before)
    assert all(np.array_equal(a, b) for a, b in zip(*results, strict=True))


def test_landmarks_keep_large_data_quick():
    X = near_circle(n=3000)
    model = BarycentricSubspaceAnalysis(Sphere(4), 1, n_landmarks=100, n_restarts=2, random_state=0).fit(X)
    assert model.reference_points_ == pytest.approx(X[model.indices_])
    assert model.mean_unexplained_variance_[1] < 0.02


def test_precision_and_kind_of_the_input_are_kept():
    X = near_circle()
    model = BarycentricSubspaceAnalysis(Sphere(4), 1, random_state=0).fit(X.astype(np.float32))
    assert model.reference_points_.dtype == np.float32
    assert model.transform(X.astype(np.float32)).dtype == np.float32
    tensor = BarycentricSubspaceAnalysis(Sphere(4), 1, random_state=0).fit(torch.from_numpy(X))
    assert isinstance(tensor.reference_points_, torch.Tensor)
    assert clone(model).fit(X).get_feature_names_out().tolist() == [
        "barycentricsubspaceanalysis0",
        "barycentricsubspaceanalysis1",
    ]
    assert "pennec2018barycentric" in citation(model)


def test_rows_that_are_not_found_are_said(monkeypatch):
    space = SPD(2, metric=AffineInvariant())
    X = space.random_normal(6, std=0.4, random_state=0, dtype=F64)
    model = BarycentricSubspaceAnalysis(space, 1, method="forward", random_state=0).fit(X)
    monkeypatch.setattr("holonomy.stats._span_solver.ITERATIONS", 1)
    with pytest.warns(ConvergenceWarning, match="were not found"):
        assert bool(torch.isnan(model.transform(X)).any())


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"method": "pca"}, ValueError, "method must be"),
        ({"points": "any"}, ValueError, "points must be"),
        ({"p": 3}, ValueError, "p must be"),
        ({"p": 0.5}, ValueError, "p must be"),
        ({"n_components": 0}, ValueError, "n_components must be at least"),
        ({"n_components": 4}, ValueError, "below the dimension"),
        ({"n_components": 1.5}, TypeError, "n_components"),
        ({"n_restarts": 0}, ValueError, "n_restarts"),
        ({"n_landmarks": 1}, ValueError, "n_landmarks"),
        ({"manifold": "sphere"}, TypeError, "manifold must be"),
        ({"manifold": Sphere(3)}, ValueError, "X must have shape"),
        ({"random_state": -1}, ValueError, "random_state"),
    ],
)
def test_bad_parameters_are_named(options, error, words):
    with pytest.raises(error, match=words):
        BarycentricSubspaceAnalysis(**({"manifold": Sphere(4), "n_components": 1} | options)).fit(near_circle(n=10))


def test_bad_data_are_named():
    with pytest.raises(ValueError, match="below the number of points"):
        BarycentricSubspaceAnalysis(Sphere(4), 3).fit(near_circle(n=3))
    with pytest.raises(ValueError, match="off it"):
        BarycentricSubspaceAnalysis(Sphere(4), 1).fit(2.0 * near_circle(n=9))
    with pytest.raises(ValueError, match="NaN"):
        BarycentricSubspaceAnalysis(Sphere(4), 1).fit(np.full((9, 5), np.nan))
    with pytest.raises(ValueError, match="one point a row"):
        BarycentricSubspaceAnalysis(Sphere(4), 1).fit(near_circle(n=9).reshape(3, 3, 5))
    line = np.outer(np.arange(8.0), [1.0, 2.0, 3.0, 4.0])
    for kind in ("data", "free"):
        with pytest.raises(ValueError, match="n_components must be at most 1"):
            BarycentricSubspaceAnalysis(Euclidean(4), 2, points=kind, random_state=0).fit(line)
    with pytest.raises(NotFittedError):
        BarycentricSubspaceAnalysis(Sphere(4), 1).transform(near_circle(n=9))
