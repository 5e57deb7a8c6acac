"""Local radii, and maps whose density follows that of the data."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.metrics import pairwise_distances

import holonomy
from holonomy.embed import UMAP, DensityForce, LayoutOptions, log_radii, map_log_radii
from holonomy.embed._density_kernels import follow_density, sum_radii
from holonomy.embed.layout import edge_rates
from holonomy.graphs import NeighborGraph, fuzzy_simplicial_set, neighbors
from holonomy.measure import label_agreement


@pytest.fixture(scope="module")
def blobs():
    """Points of three densities, close enough to be one graph each."""
    rng = np.random.default_rng(0)
    scales = np.repeat([0.3, 1.0, 3.0], 100)
    centres = np.repeat(np.eye(3) * 12, 100, axis=0)
    return (centres + scales[:, None] * rng.normal(size=(300, 3))), scales


def correlation(model):
    return np.corrcoef(model.rad_orig_, model.rad_emb_)[0, 1]


def test_radii_are_weighted_mean_squared_distances(blobs):
    X, _ = blobs
    knn = neighbors(X, 10)
    graph = fuzzy_simplicial_set(knn)
    weights = graph.toarray().astype(np.float64)
    expected = np.log((weights * cdist(X, X) ** 2).sum(axis=1) / weights.sum(axis=1))
    np.testing.assert_allclose(log_radii(graph, knn), expected, rtol=1e-4)


def test_radii_grow_with_scale_and_leave_out_what_is_not_there(blobs):
    X, _ = blobs
    knn = neighbors(X, 10)
    graph = fuzzy_simplicial_set(knn)
    larger = NeighborGraph(knn.indices, knn.distances * 7)
    np.testing.assert_allclose(log_radii(graph, larger), log_radii(graph, knn) + 2 * np.log(7), atol=1e-4)
    cut = NeighborGraph(knn.indices, np.where(np.arange(300)[:, None] == 5, np.inf, knn.distances))
    assert np.isnan(log_radii(fuzzy_simplicial_set(NeighborGraph(knn.indices, np.full((300, 10), np.inf))), cut)).all()
    positions = np.vstack([X[:50], np.full((1, 3), np.nan)])
    radii = map_log_radii(positions, 5)
    assert np.isnan(radii[-1])
    np.testing.assert_array_equal(radii[:-1], map_log_radii(X[:50], 5))


def test_the_force_is_the_gradient_of_the_correlation():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(30, 2)).astype(np.float32)
    graph = fuzzy_simplicial_set(neighbors(rng.normal(size=(30, 3)), 6))
    graph.data[:] = 1.0  # every edge is sampled in every epoch, with weight 1
    target = rng.normal(size=30)
    a, b, var_shift = 1.5, 0.9, 0.1

    def covariance_over_deviation(places):
        squared = cdist(places, places) ** 2
        memberships = (graph.toarray() > 0) / (1 + a * squared**b)
        logs = np.log((memberships * squared).sum(axis=1) / memberships.sum(axis=1))
        standard = (target - target.mean()) / target.std()
        return (logs @ standard) / 29 / np.sqrt(logs.var() + var_shift)

    options = LayoutOptions(a, b, n_epochs=1)
    force = DensityForce(graph, target, options, strength=1e-2, fraction=1.0, var_shift=var_shift)
    moved = Z.copy()
    force(1, 1.0, slice(0, 30), lambda: None, Z, moved)
    gradient = np.empty((30, 2))
    for i in range(30):
        for axis in range(2):
            up, down = Z.astype(float), Z.astype(float)
            up[i, axis] += 1e-4
            down[i, axis] -= 1e-4
            gradient[i, axis] = (covariance_over_deviation(up) - covariance_over_deviation(down)) / 2e-4
    assert np.corrcoef((moved - Z).ravel(), gradient.ravel())[0, 1] > 0.999


def test_kernels_do_not_depend_on_how_rows_are_split():
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(80, 2)).astype(np.float32)
    graph = fuzzy_simplicial_set(neighbors(rng.normal(size=(80, 3)), 6))
    edges, rates = (graph.indptr, graph.indices), edge_rates(graph, 1.0)
    results = []
    for cuts in ([0, 80], [0, 13, 50, 80]):
        masses, radii, moved = np.empty(80), np.empty(80), Z.copy()
        for start, stop in pairwise(cuts):
            sum_radii(Z, *edges, 1.5, 0.9, masses, radii, start, stop)
        for start, stop in pairwise(cuts):
            sampled = (graph.data.astype(float), rates, 3, 0.5, 1.5, 0.9)
            follow_density(Z, moved, *edges, *sampled, masses, radii, np.linspace(-1, 1, 80), 2.0, start, stop)
        results.append(moved)
    np.testing.assert_array_equal(*results)


def test_density_of_the_map_follows_that_of_the_data(blobs):
    X, scales = blobs
    dense, plain = (UMAP(densmap=flag, output_dens=True, random_state=0).fit(X) for flag in (True, False))
    assert correlation(dense) > 0.85
    assert correlation(dense) > correlation(plain) + 0.2
    assert dense.n_epochs_ == plain.n_epochs_ + 200
    extents = [np.ptp(dense.embedding_[scales == scale], axis=0).mean() for scale in (0.3, 1.0, 3.0)]
    assert extents == sorted(extents)
    assert label_agreement(dense.embedding_, np.repeat([0, 1, 2], 100)) > 0.95


@pytest.mark.slow
def test_radii_equal_those_of_umap_learn_and_density_is_kept_as_well(monkeypatch):
    umap = pytest.importorskip("umap")
    search = umap.umap_.nearest_neighbors

    def exact(X, n_neighbors, metric, *rest, **options):
        """Search umap-learn's map by all distances: to compile its approximate search takes a minute."""
        return search(pairwise_distances(X, metric=metric), n_neighbors, "precomputed", *rest, **options)

    monkeypatch.setattr(umap.umap_, "nearest_neighbors", exact)
    X, labels = load_digits(return_X_y=True)
    X, labels = X[:500], labels[:500]
    ours = UMAP(densmap=True, output_dens=True, random_state=0).fit(X)
    theirs = umap.UMAP(densmap=True, output_dens=True, n_jobs=1, random_state=0).fit(X)
    np.testing.assert_allclose(ours.rad_orig_, theirs.rad_orig_, atol=0.05)
    # umap-learn does not square the distances on its map, as it does those in the data; radii of both as here.
    radii = map_log_radii(theirs.embedding_.astype(float))
    assert spearmanr(radii, theirs.rad_emb_).statistic > 0.9
    assert correlation(ours) > np.corrcoef(theirs.rad_orig_, radii)[0, 1] - 0.05
    assert label_agreement(ours.embedding_, labels) > label_agreement(theirs.embedding_, labels) - 0.02


def test_same_bits_for_any_number_of_threads(blobs):
    maps = [UMAP(densmap=True, n_epochs=60, random_state=0, n_jobs=jobs).fit_transform(blobs[0]) for jobs in (1, 2, 3)]
    for other in maps[1:]:
        np.testing.assert_array_equal(other, maps[0])


def test_without_weight_or_epochs_the_map_is_the_ordinary_one(blobs):
    plain = UMAP(n_epochs=40, random_state=0).fit_transform(blobs[0])
    for parameters in ({"dens_lambda": 0.0}, {"dens_frac": 0.0}):
        dense = UMAP(densmap=True, n_epochs=40, random_state=0, **parameters).fit_transform(blobs[0])
        np.testing.assert_array_equal(dense, plain)


def test_radii_are_given_for_every_row_and_forgotten_by_a_later_fit(blobs):
    X = np.vstack([blobs[0], blobs[0][:20]])
    model = UMAP(densmap=True, output_dens=True, unique=True, n_epochs=30, random_state=0).fit(X)
    assert model.rad_orig_.shape == model.rad_emb_.shape == (320,)
    np.testing.assert_array_equal(model.rad_orig_[:20], model.rad_orig_[300:])
    assert model.transform(X[:5] + 0.1).shape == (5, 2)
    assert "Narayan" not in holonomy.citation(UMAP())
    assert "Narayan" in holonomy.citation(model)
    model.set_params(output_dens=False).fit(X)
    assert not hasattr(model, "rad_orig_")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dens_lambda": -1.0}, "dens_lambda must be at least 0"),
        ({"dens_frac": 1.5}, "dens_frac must be in"),
        ({"dens_var_shift": -0.1}, "dens_var_shift must be at least 0"),
        ({"output_metric": "haversine"}, "densmap=True needs output_metric='euclidean'"),
    ],
)
def test_bad_parameters_are_named(blobs, parameters, message):
    with pytest.raises(ValueError, match=message):
        UMAP(densmap=True, n_epochs=5, **parameters).fit(blobs[0])


def test_graphs_of_other_points_are_refused(blobs):
    knn = neighbors(blobs[0], 5)
    graph = fuzzy_simplicial_set(knn)
    with pytest.raises(ValueError, match="graph and knn must be of the same points"):
        log_radii(graph[:9][:, :9], knn)
    with pytest.raises(ValueError, match="graph and radii must be of the same points"):
        DensityForce(graph, np.zeros(9), LayoutOptions(1.5, 0.9, 10))
