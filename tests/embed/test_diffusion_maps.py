"""Diffusion maps against closed forms and the definition of the diffusion distance."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.special import ndtri

from holonomy.embed import DiffusionMaps


def uneven_circle(n):
    """Points on a circle, the right side three times as dense as the left."""
    u = (np.arange(n) + 0.5) / n
    angle = np.linspace(0, 2 * np.pi, 20001)
    mass = angle + 0.5 * np.sin(angle)
    angle = np.interp(2 * np.pi * u, mass, angle)
    return angle, np.column_stack([np.cos(angle), np.sin(angle)])


def explained(Z, functions):
    functions = np.column_stack([np.ones(len(Z)), functions])
    residual = Z - functions @ np.linalg.lstsq(functions, Z, rcond=None)[0]
    return 1 - (residual**2).sum(axis=0) / ((Z - Z.mean(axis=0)) ** 2).sum(axis=0)


def test_dividing_out_the_density_leaves_the_circle():
    angle, X = uneven_circle(1500)
    waves = np.column_stack([np.cos(angle), np.sin(angle)])
    geometric = DiffusionMaps(2, alpha=1.0, n_neighbors=100, random_state=0).fit_transform(X)
    plain = DiffusionMaps(2, alpha=0.0, n_neighbors=100, random_state=0).fit_transform(X)
    assert explained(geometric, waves).min() > 0.998
    assert explained(plain, waves).min() < 0.98


def test_half_alpha_gives_the_hermite_polynomials_of_a_normal_law():
    x = ndtri((np.arange(1500) + 0.5) / 1500)
    kernel = {"bandwidth": 0.2}
    model = DiffusionMaps(2, alpha=0.5, n_neighbors=1500, kernel_kwds=kernel, random_state=0).fit(x[:, None])
    inner = np.abs(x) < 2
    first, second = model.eigenvectors_.T
    assert abs(np.corrcoef(first[inner], x[inner])[0, 1]) > 0.995
    assert abs(np.corrcoef(second[inner], (x**2 - 1)[inner])[0, 1]) > 0.99
    ratio = np.log(model.eigenvalues_[1]) / np.log(model.eigenvalues_[0])
    assert ratio == pytest.approx(2.0, rel=0.08)


@pytest.mark.parametrize("t", [1, 3])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_distances_on_the_full_map_are_diffusion_distances(t, alpha):
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = DiffusionMaps(59, t=t, alpha=alpha, n_neighbors=40, random_state=0).fit(X)
    walk = np.linalg.matrix_power(model.operator_.walk_matrix.toarray(), t)
    expected = cdist(walk / np.sqrt(model.operator_.stationary), walk / np.sqrt(model.operator_.stationary))
    np.testing.assert_allclose(cdist(model.embedding_, model.embedding_), expected, atol=1e-5)


def test_times_scale_the_axes():
    X = np.random.default_rng(0).normal(size=(150, 3))
    base = DiffusionMaps(3, t=0, random_state=0).fit(X)
    np.testing.assert_array_equal(base.embedding_, base.eigenvectors_)
    new = X[:6] + 0.1
    for t in (1, 2.5, 7):
        model = DiffusionMaps(3, t=t, random_state=0).fit(X)
        np.testing.assert_allclose(model.embedding_, base.embedding_ * base.eigenvalues_**t, atol=1e-12)
        np.testing.assert_allclose(model.transform(new), base.transform(new) * base.eigenvalues_**t, atol=1e-12)
    multiscale = DiffusionMaps(3, t="multiscale", random_state=0).fit(X)
    sums = sum(base.eigenvalues_**t for t in range(1, 3000))
    np.testing.assert_allclose(multiscale.embedding_, base.embedding_ * sums, rtol=1e-6)
    assert multiscale.t_ == np.inf


def test_automatic_time_is_the_knee_of_the_entropy():
    X = np.random.default_rng(0).normal(size=(200, 3))
    model = DiffusionMaps(2, t="auto", random_state=0).fit(X)
    entropy = model.operator_.entropy(np.arange(1, 101))
    chord = entropy[0] + (entropy[-1] - entropy[0]) * np.arange(100) / 99
    assert model.t_ == 1 + np.argmax(np.abs(entropy - chord))


def test_bandwidth_is_chosen_or_given():
    X = np.random.default_rng(0).uniform(size=(300, 2))
    automatic = DiffusionMaps(random_state=0).fit(X)
    assert 0.01 < automatic.bandwidth_ < 0.3
    assert DiffusionMaps(kernel_kwds={"bandwidth": 0.1}, random_state=0).fit(X).bandwidth_ == 0.1
    assert DiffusionMaps(kernel_kwds={"bandwidth": "median"}, random_state=0).fit(X).bandwidth_ > 0
    assert DiffusionMaps(kernel="adaptive", random_state=0).fit(X).bandwidth_ is None
    scaled = DiffusionMaps(random_state=0).fit(100 * X)
    np.testing.assert_allclose(scaled.embedding_, automatic.embedding_, atol=1e-2)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"t": -1}, "t must be at least 0"),
        ({"t": "best"}, "t must be a number of at least 0, 'auto' or 'multiscale'"),
        ({"alpha": 2.0}, "alpha must be in"),
        ({"t": 0.5, "n_components": 49}, "t=0.5 is not whole, but the walk has the eigenvalue"),
    ],
)
def test_bad_parameters_are_named(parameters, message):
    X = np.random.default_rng(0).normal(size=(50, 3))
    with pytest.raises(ValueError, match=message):
        DiffusionMaps(**{"n_neighbors": 10, "kernel": "binary", "random_state": 0, **parameters}).fit(X)


@pytest.mark.filterwarnings("ignore:the neighbour graph falls into:UserWarning")
def test_all_times_together_need_a_connected_graph():
    X = np.concatenate([np.random.default_rng(0).normal(size=(40, 2)) + shift for shift in (0, 1000)])
    with pytest.raises(ValueError, match="'multiscale' needs a connected graph, but it falls into 2"):
        DiffusionMaps(t="multiscale", n_neighbors=10).fit(X)
