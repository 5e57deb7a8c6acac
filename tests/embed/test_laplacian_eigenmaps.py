"""Laplacian eigenmaps against closed forms and scikit-learn."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import SpectralEmbedding

from holonomy.embed import LaplacianEigenmaps
from holonomy.graphs import neighbors


def correlations(Z, functions):
    return np.abs([np.corrcoef(z, f)[0, 1] for z, f in zip(Z.T, functions, strict=True)])


def test_interval_has_cosines():
    x = (np.arange(400) + 0.5) / 400
    Z = LaplacianEigenmaps(4, n_neighbors=7, random_state=0).fit_transform(x[:, None])
    assert correlations(Z, [np.cos(k * np.pi * x) for k in (1, 2, 3, 4)]).min() > 0.999


def test_circle_is_a_circle_and_new_rows_lie_on_it():
    angle = 2 * np.pi * np.arange(200) / 200
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    model = LaplacianEigenmaps(2, kernel="gaussian", n_neighbors=25, random_state=0).fit(circle)
    np.testing.assert_allclose(np.linalg.norm(model.embedding_, axis=1), np.sqrt(2), rtol=1e-3)
    between = angle + np.pi / 200
    placed = model.transform(np.column_stack([np.cos(between), np.sin(between)]))
    rotation = np.linalg.lstsq(circle, model.embedding_, rcond=None)[0]
    np.testing.assert_allclose(placed, np.column_stack([np.cos(between), np.sin(between)]) @ rotation, atol=2e-3)
    np.testing.assert_allclose(model.eigenvalues_[0], model.eigenvalues_[1], rtol=1e-3)


def test_torus_has_four_first_waves():
    u, v = (part.ravel() for part in np.meshgrid(*[2 * np.pi * np.arange(24) / 24] * 2))
    model = LaplacianEigenmaps(5, n_neighbors=9, random_state=0)
    Z = model.fit_transform(np.column_stack([np.cos(u), np.sin(u), np.cos(v), np.sin(v)]))
    np.testing.assert_allclose(model.eigenvalues_[:4], model.eigenvalues_[0], rtol=1e-2)
    assert model.eigenvalues_[4] > 1.5 * model.eigenvalues_[0]
    waves = np.column_stack([np.cos(u), np.sin(u), np.cos(v), np.sin(v)])
    fitted = waves @ np.linalg.lstsq(waves, Z[:, :4], rcond=None)[0]
    np.testing.assert_allclose(fitted, Z[:, :4], atol=0.02)


def test_equals_scikit_learn_on_the_same_affinity():
    X = load_digits().data[:500]
    ours = LaplacianEigenmaps(4, n_neighbors=15, random_state=0).fit(X)
    theirs = SpectralEmbedding(4, affinity="precomputed", eigen_solver="arpack", random_state=0)
    Z = theirs.fit_transform(ours.affinity_.toarray())
    for own, other in zip(ours.embedding_.T, Z.T, strict=True):
        assert abs(own @ other) / (np.linalg.norm(own) * np.linalg.norm(other)) > 0.9999


def test_axes_are_orthonormal_under_the_degrees():
    X = np.random.default_rng(0).normal(size=(300, 4))
    model = LaplacianEigenmaps(5, random_state=0).fit(X)
    weights = model.operator_.stationary
    np.testing.assert_allclose(model.embedding_.T @ (weights[:, None] * model.embedding_), np.eye(5), atol=1e-6)
    np.testing.assert_allclose(weights @ model.embedding_, 0, atol=1e-6)


def test_axes_solve_the_generalised_eigenproblem():
    X = np.random.default_rng(0).normal(size=(200, 3))
    model = LaplacianEigenmaps(3, kernel="gaussian", n_neighbors=30, random_state=0).fit(X)
    W = model.affinity_.toarray()
    D = np.diag(W.sum(axis=1))
    left, right = (D - W) @ model.embedding_, D @ model.embedding_ * model.eigenvalues_
    np.testing.assert_allclose(left, right, atol=1e-8 * np.abs(right).max() + 1e-9)


def test_binary_weights_are_the_neighbour_graph():
    X = np.random.default_rng(0).normal(size=(80, 3))
    affinity = LaplacianEigenmaps(n_neighbors=7, random_state=0).fit(X).affinity_.toarray()
    listed = neighbors(X, 6).to_csr().toarray() > 0
    np.testing.assert_array_equal(affinity, (listed | listed.T) + np.eye(80))


def test_eigenfunctions_that_cannot_be_continued_give_zeros():
    """The walk of a pair of points at distance 0 has the eigenvalue 0."""
    model = LaplacianEigenmaps(1, kernel="precomputed", random_state=0).fit(np.ones((2, 2)))
    assert model.eigenvalues_[0] == pytest.approx(1.0)
    np.testing.assert_array_equal(model.transform([[1.0, 0.0]]), [[0.0]])
