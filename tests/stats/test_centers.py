import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from scipy.stats import circmean
from sklearn.exceptions import ConvergenceWarning

from holonomy.manifolds import (
    SPD,
    DescentMean,
    Euclidean,
    Grassmann,
    Hyperboloid,
    PoincareBall,
    Product,
    RealProjective,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
    convert,
    weighted_mean,
)
from holonomy.stats import frechet_mean, frechet_median, frechet_variance

SPACES = [
    Euclidean(3),
    Sphere(3),
    Hyperboloid(3),
    PoincareBall(3),
    SpecialOrthogonal(3),
    Grassmann(5, 2),
    Stiefel(4, 2),
    RealProjective(3),
    Torus(3),
    SPD(3),
    SPD(3, metric="log_euclidean"),
    SPD(3, metric="bures_wasserstein"),
    Product(Sphere(2), SPD(2), Euclidean(1)),
]


def points(space, *size, seed=0, std=0.3):
    return space.random_normal(*size, std=std, random_state=seed, dtype=torch.float64)


def gradient(space, m, x):
    return float(space.norm(m, space.log(m, x).mean(0)))


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_the_gradient_is_as_small_as_was_asked_for(space):
    x = points(space, 20)
    for tolerance in (1e-3, 1e-10):
        found = frechet_mean(x, space, tolerance=tolerance)
        assert found.converged
        assert gradient(space, found.point, x) <= tolerance * float(found.spread) + 1e-13
        assert float(found.residual) == pytest.approx(gradient(space, found.point, x), abs=1e-13)
    better = space.exp(found.point, 1e-3 * space.random_tangent(found.point, 1))
    assert frechet_variance(x, space, center=better) > frechet_variance(x, space)


@pytest.mark.parametrize("size", [10, 60])
def test_means_of_many_covariances_are_found_where_peers_stop_at_a_residual_of_hundredths(size):
    samples = np.random.default_rng(0).standard_normal((40, size, 2 * size))
    covariances = samples @ samples.swapaxes(1, 2) / (2 * size)
    found = frechet_mean(covariances, SPD(size))
    assert found.residual <= 1e-9
    x = torch.from_numpy(covariances)
    assert gradient(SPD(size), torch.from_numpy(found.point), x) <= 1e-9


def test_a_residual_that_is_not_reached_is_told():
    x = points(Sphere(3), 20, std=0.6)
    with pytest.warns(ConvergenceWarning, match=r"residual of .* after 1 steps"):
        found = frechet_mean(x, Sphere(3), max_iter=1)
    assert not found.converged
    assert float(found.residual) == pytest.approx(gradient(Sphere(3), found.point, x), rel=1e-6)


def test_two_matrices_have_their_geometric_mean_and_commuting_ones_that_of_eigenvalues():
    a, b = points(SPD(3), 2, std=0.8)
    halfway = SPD(3).geodesic(a, b, 0.5)
    assert torch.allclose(frechet_mean(torch.stack([a, b]), SPD(3)).point, halfway, atol=1e-10)
    diagonal = torch.rand(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 0.1
    expected = torch.diag(diagonal.log().mean(0).exp())
    assert torch.allclose(frechet_mean(torch.diag_embed(diagonal), SPD(3)).point, expected, atol=1e-12)


def test_bures_wasserstein_means_of_gaussians_on_the_line_average_standard_deviations():
    variances = np.array([1.0, 4.0, 9.0])
    found = frechet_mean(variances[:, None, None], SPD(1, metric="bures_wasserstein"))
    assert found.point[0, 0] == pytest.approx(4.0, rel=1e-9)


def test_rotations_agree_with_scipy_where_they_are_close():
    rotations = Rotation.from_rotvec(1e-3 * np.random.default_rng(0).standard_normal((30, 3)))
    ours = frechet_mean(rotations.as_matrix(), SpecialOrthogonal(3)).point
    assert np.abs(ours - rotations.mean().as_matrix()).max() < 1e-8


def test_close_angles_agree_with_scipy_and_wide_ones_have_the_global_mean():
    rng = np.random.default_rng(0)
    angles = (1e-3 * rng.standard_normal((50, 1))) % (2.0 * np.pi)
    ours = frechet_mean(angles, Torus(1)).point[0]
    assert np.angle(np.exp(1j * (ours - circmean(angles)))) == pytest.approx(0.0, abs=1e-8)
    wide = rng.uniform(0.0, 2.0 * np.pi, (30, 1))
    grid = np.linspace(0.0, 2.0 * np.pi, 20001)[:, None]
    best = min(float(frechet_variance(wide, Torus(1), center=c)) for c in grid[::20])
    assert float(frechet_variance(wide, Torus(1))) <= best


@pytest.mark.parametrize("space", [Sphere(3), SpecialOrthogonal(3), SPD(3), Grassmann(4, 2)], ids=repr)
def test_isometries_move_means_and_medians_along(space):
    x = points(space, 15)
    turn = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))).Q

    def move(y):
        if isinstance(space, SPD):
            a = turn[:3, :3] + torch.eye(3)
            return a @ y @ a.mT
        if isinstance(space, SpecialOrthogonal):
            return space.random_uniform(random_state=2, dtype=torch.float64) @ y
        return turn @ y if isinstance(space, Grassmann) else y @ turn.mT

    for center in (frechet_mean, frechet_median):
        moved = center(move(x), space).point
        assert float(space.dist(moved, move(center(x, space).point))) < 1e-8


def test_models_of_hyperbolic_space_agree():
    x = points(Hyperboloid(3), 15, std=0.7)
    ball = frechet_mean(convert(x, Hyperboloid(3), PoincareBall(3)), PoincareBall(3)).point
    mean = convert(frechet_mean(x, Hyperboloid(3)).point, Hyperboloid(3), PoincareBall(3))
    assert torch.allclose(ball, mean, atol=1e-9)


def test_weights_are_repetitions_and_batches_are_loops():
    x = points(SPD(3), 2, 5)
    twice = torch.cat([x, x[:, :2]], dim=1)
    weights = torch.tensor([2.0, 2.0, 1.0, 1.0, 1.0], dtype=torch.float64)
    for center in (frechet_mean, frechet_median):
        together = center(x, SPD(3), weights).point
        assert torch.allclose(together, center(twice, SPD(3)).point, atol=1e-8)
        assert torch.allclose(together[1], center(x[1], SPD(3), weights).point, atol=1e-8)


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_gradients_are_those_of_the_mean(space):
    x = points(space, 6).requires_grad_()
    weights = torch.linspace(1.0, 2.0, 6, dtype=torch.float64).requires_grad_()
    probe = points(space, seed=5)

    def loss(x, weights):
        return space.squared_dist(weighted_mean(space, x, weights, tolerance=1e-13).point, probe)

    loss(x, weights).backward()
    with torch.no_grad():
        v, h = space.random_tangent(x, 3), 1e-5
        along = (loss(space.exp(x, h * v), weights) - loss(space.exp(x, -h * v), weights)) / (2.0 * h)
        dw = torch.tensor([1.0, -1.0, 2.0, 0.0, 0.5, 0.3], dtype=torch.float64)
        by_weight = (loss(x, weights + h * dw) - loss(x, weights - h * dw)) / (2.0 * h)
    assert float((x.grad * v).sum()) == pytest.approx(float(along), rel=2e-6, abs=2e-8)
    assert float((weights.grad * dw).sum()) == pytest.approx(float(by_weight), rel=2e-6, abs=2e-8)


def test_solvers_agree():
    x = points(SPD(3), 12)
    newton, descent = frechet_mean(x, SPD(3)), frechet_mean(x, SPD(3), method=DescentMean())
    assert torch.allclose(newton.point, descent.point, atol=1e-8)
    assert newton.n_iter <= descent.n_iter


def test_single_precision_and_arrays_come_back_as_they_went_in():
    x = points(SPD(3), 12).float()
    found = frechet_mean(x, SPD(3))
    assert found.point.dtype == torch.float32
    array = frechet_mean(x.numpy(), SPD(3)).point
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.float32
    assert np.allclose(array, frechet_mean(x.double(), SPD(3)).point, atol=1e-5)


def test_the_median_ignores_outliers_and_may_be_a_data_point():
    line = np.array([[0.0], [1.0], [1e6]])
    assert frechet_median(line, Euclidean(1)).point == pytest.approx(1.0)
    x = points(Hyperboloid(2), 21, std=0.1)
    far = Hyperboloid(2).exp(x[:5], 8.0 * Hyperboloid(2).random_tangent(x[:5], 3))
    spoiled = torch.cat([far, x[5:]])
    clean = frechet_median(x[5:], Hyperboloid(2)).point
    assert Hyperboloid(2).dist(frechet_median(spoiled, Hyperboloid(2)).point, clean) < 0.1
    star = np.array([[0.0, 0.0], [1.0, 0.0], [-0.5, 0.8], [-0.5, -0.9]])
    found = frechet_median(star, Euclidean(2))
    assert found.point == pytest.approx(np.zeros(2), abs=1e-9)
    assert found.residual == 0.0


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_the_median_has_balanced_unit_vectors(space):
    x = points(space, 15)
    found = frechet_median(x, space)
    logs = space.log(found.point, x)
    lengths = space.norm(found.point, logs).clamp_min(1e-300)
    pull = (logs / lengths.reshape(-1, *[1] * len(space.shape)))[lengths > 1e-9].sum(0)
    assert float(space.norm(found.point, pull)) <= max(1e-8, float((lengths <= 1e-9).sum()) + 1e-9)


def test_points_that_coincide_are_their_own_mean():
    x = points(SPD(3)).expand(4, 3, 3)
    for center in (frechet_mean, frechet_median):
        found = center(x, SPD(3))
        assert found.converged
        assert torch.allclose(found.point, x[0], atol=1e-12)
    assert float(frechet_variance(x, SPD(3))) < 1e-20


def test_results_show_themselves():
    found = frechet_mean(np.eye(3), Sphere(2))
    assert "converged" in found._repr_html_()
    assert found.__rich__().row_count == 4


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.eye(3), "sphere"), TypeError, "manifold must be"),
        ((2.0 * np.eye(3), Sphere(2)), ValueError, "X must hold points"),
        ((np.full((2, 3), np.nan), Sphere(2)), ValueError, "NaN"),
        ((np.eye(4), Sphere(2)), ValueError, "X must have shape"),
        ((np.ones(3), Sphere(2)), ValueError, "X must have shape"),
        ((np.zeros((0, 3)), Sphere(2)), ValueError, "at least 1"),
        ((np.array([["a"]]), Euclidean(1)), TypeError, "real numbers"),
        ((np.eye(3), Sphere(2), [1.0, 2.0]), ValueError, "weights must have shape"),
        ((np.eye(3), Sphere(2), [1.0, -1.0, 1.0]), ValueError, "not negative"),
        ((np.eye(3), Sphere(2), [0.0, 0.0, 0.0]), ValueError, "not all 0"),
    ],
)
@pytest.mark.parametrize("center", [frechet_mean, frechet_median, frechet_variance])
def test_bad_input_is_refused(center, arguments, error, message):
    with pytest.raises(error, match=message):
        center(*arguments)


def test_bad_options_are_refused():
    with pytest.raises(ValueError, match="tolerance"):
        frechet_mean(np.eye(3), Sphere(2), tolerance=-1.0)
    with pytest.raises(ValueError, match="max_iter"):
        frechet_median(np.eye(3), Sphere(2), max_iter=0)
