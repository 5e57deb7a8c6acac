import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from holonomy.manifolds import SPD, Euclidean, Sphere
from holonomy.stats import ManifoldKNeighborsClassifier, ManifoldKNeighborsRegressor, frechet_mean


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_in_flat_space_they_are_scikit_learns(weights):
    rng = np.random.default_rng(0)
    X, Z = rng.standard_normal((60, 3)), rng.standard_normal((20, 3))
    classes, values = rng.integers(0, 3, 60), rng.standard_normal((60, 2))
    ours = ManifoldKNeighborsClassifier(Euclidean(3), 7, weights=weights).fit(X, classes)
    theirs = KNeighborsClassifier(7, weights=weights).fit(X, classes)
    assert np.allclose(ours.predict_proba(Z), theirs.predict_proba(Z))
    assert (ours.predict(Z) == theirs.predict(Z)).all()
    assert np.array_equal(ours.kneighbors(Z)[1], theirs.kneighbors(Z)[1])
    fitted = ManifoldKNeighborsRegressor(Euclidean(3), 7, weights=weights).fit(X, values)
    expected = KNeighborsRegressor(7, weights=weights).fit(X, values)
    assert np.allclose(fitted.predict(Z), expected.predict(Z))
    assert fitted.score(Z, fitted.predict(Z)) == pytest.approx(1.0)


def test_answers_on_a_manifold_are_frechet_means():
    x = Sphere(2).random_uniform(30, random_state=0, dtype=torch.float64)
    y = SPD(2).random_normal(30, std=0.4, random_state=1, dtype=torch.float64)
    model = ManifoldKNeighborsRegressor(Sphere(2), 4, target=SPD(2)).fit(x, y)
    near = model.kneighbors(x[:1])[1][0]
    assert torch.allclose(model.predict(x[:1])[0], frechet_mean(y[near], SPD(2)).point, atol=1e-9)


def test_points_of_the_fit_outvote_others_by_distance():
    X = np.array([[0.0], [1.0], [2.0]])
    model = ManifoldKNeighborsRegressor(Euclidean(1), 3, weights="distance").fit(X, [5.0, 0.0, 0.0])
    assert model.predict(X[:1]) == pytest.approx([5.0])


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="n_neighbors"):
        ManifoldKNeighborsClassifier(Sphere(2), 4).fit(np.eye(3), [0, 1, 2])
    with pytest.raises(ValueError, match="weights"):
        ManifoldKNeighborsClassifier(Sphere(2), 1, weights="rank").fit(np.eye(3), [0, 1, 2])
    with pytest.raises(ValueError, match="one entry for each"):
        ManifoldKNeighborsClassifier(Sphere(2), 1).fit(np.eye(3), [0, 1])
    with pytest.raises(ValueError, match="one class for each"):
        ManifoldKNeighborsClassifier(Sphere(2), 1).fit(np.eye(3), np.eye(3))
    with pytest.raises(ValueError, match="y must be finite"):
        ManifoldKNeighborsRegressor(Sphere(2), 1).fit(np.eye(3), [0.0, np.nan, 1.0])
