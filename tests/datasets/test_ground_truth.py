"""Rejection sampling and distances by row number."""

import numpy as np
import pytest
from scipy import stats

from holonomy.datasets import _ground_truth
from holonomy.datasets._ground_truth import GeodesicDistances, Observation


def observe(n_samples=10, noise=0.0, density=1.0, ambient_dim=None, random_state=0):
    return Observation(n_samples, noise, density, ambient_dim, random_state)


def draw(rng, m):
    return (rng.random((m, 1)),)


def test_rejection_has_the_law_that_it_is_asked_for():
    density = lambda z: z[:, 0] ** 2  # noqa: E731 - an inline density is what users write
    (z,) = observe(4000, density=density).sample(draw, height=lambda z: z[:, 0], weight=lambda z: z[:, 0])
    assert stats.kstest(z[:, 0], lambda x: x**4).pvalue > 0.01


def test_rows_stay_together_and_independent_of_the_number_drawn():
    def pairs(rng, m):
        z = rng.random((m, 1))
        return z, np.round(1000 * z[:, 0])

    z, tag = observe(500, density=50.0).sample(pairs, height=lambda z, _: z[:, 0])
    assert np.array_equal(tag, np.round(1000 * z[:, 0]))


def test_rare_densities_end_in_an_answer_or_an_error():
    (z,) = observe(50, density=lambda z: z[:, 0] < 1e-3).sample(draw, height=lambda z: z[:, 0])
    assert len(z) == 50
    assert z.max() < 1e-3
    with pytest.raises(ValueError, match="density is too low almost everywhere"):
        observe(50, density=lambda z: z[:, 0] < 1e-6).sample(draw, height=lambda z: z[:, 0])


def test_callable_densities_cannot_write_to_the_points():
    def spoil(z):
        z[:] = 7.0
        return np.ones(len(z))

    (z,) = observe(20, density=spoil).sample(draw, height=lambda z: z[:, 0])
    assert z.max() <= 1.0


def test_distances_are_the_same_in_blocks(monkeypatch):
    points = np.random.default_rng(0).random((60, 2))
    distances = GeodesicDistances(lambda p, q: np.abs(p - q).sum(axis=-1), points)
    rows = np.arange(60)
    shapes = [(rows[:, None], rows), (rows[None, :, None], rows), (rows[:4, None, None], rows[:, None]), (5, rows)]
    whole = [distances(i, j) for i, j in shapes]
    for block in (1, 7, 100, 500):
        monkeypatch.setattr(_ground_truth, "BLOCK", block)
        for (i, j), expected in zip(shapes, whole, strict=True):
            assert np.array_equal(distances(i, j), expected)
            assert distances(i, j).shape == expected.shape
    assert isinstance(distances(0, 1), float)
    assert distances(np.array([], dtype=int), 3).shape == (0,)


@pytest.mark.parametrize(
    ("i", "error", "message"),
    [
        (0.5, TypeError, "i must hold row numbers"),
        (np.ones(3, dtype=bool), TypeError, "i must hold row numbers"),
        (3, ValueError, r"i must lie in \[0, 3\), got 3"),
        ([0, -1], ValueError, "i must lie in"),
    ],
)
def test_bad_row_numbers_are_refused(i, error, message):
    with pytest.raises(error, match=message):
        GeodesicDistances(lambda p, q: p - q, np.zeros(3))(i, 0)


def test_streams_are_independent_of_each_other():
    a, b = observe(), observe()
    a.generator("noise").random(10)
    assert a.generator("points").random() == b.generator("points").random()
    assert a.generator("points").random() != a.generator("noise").random()


def test_fresh_entropy_differs():
    assert observe(random_state=None).seed != observe(random_state=None).seed
