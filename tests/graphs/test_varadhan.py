"""Heat and distance: closed forms, Varadhan's limit on a circle and a flat torus, the volume correction."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from holonomy.graphs import DiffusionOperator, heat_distances


def ring(n):
    """The graph of n points on the unit circle whose Laplacian tends to minus the second derivative."""
    weight = (n / (2 * np.pi)) ** 2
    return weight * (np.roll(np.eye(n), 1, axis=1) + np.roll(np.eye(n), -1, axis=1))


def arcs(n):
    steps = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    return 2 * np.pi / n * np.minimum(steps, n - steps)


def error(kernel, exact, t, harnack):
    found = heat_distances(kernel, t, harnack=harnack)
    assert found.far_share == 0
    return np.abs(found.distances - exact).max() / exact.max()


@pytest.mark.parametrize("dim", [1, 2, 5])
@pytest.mark.parametrize("t", [0.3, 4.0])
def test_heat_of_euclidean_space_gives_its_distances_exactly(dim, t):
    X = np.random.default_rng(0).normal(size=(40, dim))
    kernel = np.exp(-cdist(X, X, "sqeuclidean") / (4 * t)) / (4 * np.pi * t) ** (dim / 2)
    np.testing.assert_allclose(heat_distances(kernel, t).distances, cdist(X, X), atol=1e-7)


def test_varadhan_on_a_circle_as_time_goes_to_zero():
    kernel = DiffusionOperator(ring(300), "combinatorial")
    plain = [error(kernel.heat_kernel(t, method="exact"), arcs(300), t, 0.0) for t in (1.0, 0.5, 0.25)]
    corrected = [error(kernel.heat_kernel(t, method="exact"), arcs(300), t, 1.0) for t in (1.0, 0.5, 0.25)]
    assert plain[0] > 1.2 * plain[1]
    assert plain[1] > 1.2 * plain[2]
    assert (np.diff(corrected) < 0).all()
    assert corrected[2] < 0.25 * plain[2]
    assert corrected[2] < 0.1


def test_varadhan_on_a_circle_as_points_become_dense():
    errors = []
    for n in (16, 32, 64, 128):
        kernel = DiffusionOperator(ring(n), "combinatorial").heat_kernel(0.25, method="exact")
        exact = DiffusionOperator(ring(512), "combinatorial").heat_kernel(0.25, method="exact")[
            :: 512 // n, :: 512 // n
        ]
        limit = heat_distances(exact, 0.25, harnack=1.0).distances
        errors.append(np.abs(heat_distances(kernel, 0.25, harnack=1.0).distances - limit).max())
    assert (np.diff(errors) < 0).all()


def test_varadhan_on_a_flat_torus():
    n = 24
    W = np.kron(ring(n), np.eye(n)) + np.kron(np.eye(n), ring(n))
    exact = np.sqrt(np.add.outer(arcs(n) ** 2, arcs(n) ** 2).transpose(0, 2, 1, 3).reshape(n * n, n * n))
    errors = [
        error(DiffusionOperator(W, "combinatorial").heat_kernel(t, method="exact"), exact, t, 1.0) for t in (1.0, 0.5)
    ]
    assert errors[1] < errors[0]
    assert errors[1] < 0.1


def test_distances_are_symmetric_and_zero_on_the_diagonal():
    kernel = DiffusionOperator(ring(30), "combinatorial").heat_kernel(0.5)
    distances = heat_distances(kernel + 1e-13 * np.random.default_rng(0).normal(size=(30, 30)), 0.5).distances
    np.testing.assert_array_equal(distances, distances.T)
    np.testing.assert_array_equal(np.diagonal(distances), 0)
    assert (distances[~np.eye(30, dtype=bool)] > 0).all()


def test_pairs_without_heat_are_as_far_as_the_farthest_others():
    kernel = np.array([[0.5, 0.1, -1e-18], [0.1, 0.5, 0.01], [0.0, 0.01, 0.5]])
    found = heat_distances(kernel, 1.0)
    assert found.far_share == pytest.approx(1 / 3)
    assert found.distances[0, 2] == found.distances[1, 2] > found.distances[0, 1]


def test_points_without_any_heat_between_them_are_apart():
    found = heat_distances(np.eye(3), 2.0, noise=1e-14)
    np.testing.assert_allclose(found.distances, np.sqrt(8 * np.log(1e14)) * (1 - np.eye(3)))


def test_scale_is_a_power():
    kernel = DiffusionOperator(ring(30), "combinatorial").heat_kernel(0.5)
    plain, squared = (heat_distances(kernel, 0.5, scale=p).distances for p in (1, 2))
    np.testing.assert_allclose(squared, plain**2)


@pytest.mark.parametrize(
    ("kernel", "options", "message"),
    [
        (np.ones((2, 3)), {}, "square"),
        ([[np.nan, 1], [1, 1]], {}, "finite"),
        ([[0.0, 1], [1, 1]], {}, "positive on the diagonal"),
        (np.eye(2), {"t": 0.0}, "must be positive"),
        (np.eye(2), {"t": -1.0}, "t must be"),
        (np.eye(2), {"harnack": 2.0}, "harnack must be"),
        (np.eye(2), {"scale": 0.0}, "must be positive"),
    ],
)
def test_bad_input_is_named(kernel, options, message):
    with pytest.raises(ValueError, match=message):
        heat_distances(kernel, **{"t": 1.0, **options})
