"""What the maps by diffusion have in common: input, new rows, reproducibility, and errors."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import holonomy
from holonomy.embed import DiffusionDenoiser, DiffusionMaps, LaplacianEigenmaps
from holonomy.graphs import gaussian, neighbors

MAPS = [LaplacianEigenmaps, DiffusionMaps]
ALL = [*MAPS, DiffusionDenoiser]

pytestmark = pytest.mark.filterwarnings("ignore:the neighbour graph falls into:UserWarning")


@parametrize_with_checks([kind(random_state=0) for kind in ALL])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def X():
    return load_iris().data + 1e-3 * np.random.default_rng(0).normal(size=(150, 4))


@pytest.fixture(scope="module")
def new(X):
    return X + 0.05 * np.random.default_rng(3).normal(size=X.shape)


@pytest.fixture(scope="module", params=ALL, ids=lambda kind: kind.__name__)
def fitted(request, X):
    return request.param(random_state=0).fit(X)


def result(model):
    return model.denoised_ if isinstance(model, DiffusionDenoiser) else model.embedding_


def test_same_seed_same_bits_for_any_number_of_threads(X, new, fitted):
    for jobs in (1, 2):
        again = clone(fitted).set_params(n_jobs=jobs).fit(X)
        np.testing.assert_array_equal(result(again), result(fitted))
        np.testing.assert_array_equal(again.transform(new), fitted.transform(new))


def test_new_rows_are_placed_by_themselves_and_repeatably(new, fitted):
    together = fitted.transform(new)
    np.testing.assert_array_equal(fitted.transform(new), together)
    np.testing.assert_array_equal(fitted.transform(new[40:41]), together[40:41])
    np.testing.assert_array_equal(fitted.transform(new[::-1]), together[::-1])


@pytest.mark.parametrize("kernel", ["binary", "gaussian", "adaptive", "alpha_decay", "fuzzy"])
@pytest.mark.parametrize("kind", ALL)
def test_new_rows_land_near_the_rows_they_resemble(X, kind, kernel):
    model = kind(kernel=kernel, n_neighbors=15, random_state=0).fit(X)
    moved = model.transform(X + 1e-5)
    spread = np.sqrt(((result(model) - result(model).mean(axis=0)) ** 2).sum(axis=1).mean())
    gaps = np.linalg.norm(moved - result(model), axis=1)
    assert np.median(gaps) < 0.05 * spread
    assert np.quantile(gaps, 0.9) < 0.3 * spread


def test_known_rows_keep_their_place(X, fitted):
    np.testing.assert_array_equal(fitted.transform(X[:20]), result(fitted)[:20])


def test_far_rows_have_a_place(X, fitted):
    far = X[:3] + 1e4
    assert np.isfinite(fitted.transform(far)).all()


def test_given_neighbours_are_used(X, new, fitted):
    again = clone(fitted).fit(X, graph=neighbors(X, 80))
    np.testing.assert_allclose(result(again), result(fitted), atol=1e-12)
    np.testing.assert_allclose(again.transform(new), fitted.transform(new), atol=1e-12)


@pytest.mark.parametrize("kind", MAPS)
def test_precomputed_distances_give_the_same_map(X, new, kind):
    points = kind(random_state=0).fit(X)
    given = kind(metric="precomputed", random_state=0).fit(cdist(X, X))
    np.testing.assert_allclose(given.embedding_, points.embedding_, atol=1e-3)
    np.testing.assert_allclose(given.transform(cdist(new, X)), points.transform(new), atol=1e-3)


@pytest.mark.parametrize("kind", MAPS)
def test_precomputed_affinity_gives_the_same_map(X, kind):
    points = kind(kernel="gaussian", kernel_kwds={"bandwidth": 0.8}, n_neighbors=30, random_state=0).fit(X)
    affinity = gaussian(neighbors(X, 29), 0.8) + sparse.eye_array(150)
    for form in (affinity, affinity.toarray()):
        given = kind(kernel="precomputed", random_state=0).fit(form)
        np.testing.assert_allclose(given.embedding_, points.embedding_, atol=1e-9)
        # An eigenfunction extended to the points themselves is itself.
        np.testing.assert_allclose(given.transform(form), given.embedding_, atol=5e-3)


def test_sparse_rows_equal_dense_rows(X, fitted):
    given = clone(fitted).fit(sparse.csr_matrix(X))
    np.testing.assert_allclose(result(given), result(fitted), atol=1e-9)
    np.testing.assert_allclose(
        given.transform(sparse.csr_matrix(X[:5] + 0.1)), fitted.transform(X[:5] + 0.1), atol=1e-9
    )


def test_second_fit_is_independent_of_the_first(X, fitted):
    again = clone(fitted).fit(X[:60]).fit(X)
    np.testing.assert_array_equal(result(again), result(fitted))


def test_pickle_clone_pipeline_and_citation(X, new, fitted):
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.transform(new), fitted.transform(new))
    pipeline = make_pipeline(StandardScaler(), clone(fitted)).fit(X)
    assert len(pipeline.transform(new)) == 150
    assert holonomy.citation(fitted).startswith("@")


def test_input_is_not_written_to(X, fitted):
    frozen = X.copy()
    frozen.setflags(write=False)
    clone(fitted).fit(frozen).transform(frozen)


def test_data_frames_in_and_out(X, fitted):
    pandas = pytest.importorskip("pandas")
    out = clone(fitted).set_output(transform="pandas").fit_transform(pandas.DataFrame(X, columns=list("abcd")))
    names = (
        list("abcd")
        if isinstance(fitted, DiffusionDenoiser)
        else [f"{type(fitted).__name__.lower()}{i}" for i in (0, 1)]
    )
    assert list(out.columns) == names


@pytest.mark.parametrize("kind", ALL)
def test_constant_and_duplicate_rows_are_finite(kind, X):
    for rows in (np.ones((30, 3)), np.repeat(X[:10], 8, axis=0)):
        model = kind(random_state=0, n_neighbors=10).fit(rows)
        assert np.isfinite(result(model)).all()
        assert np.isfinite(model.transform(rows + 0.1)).all()


@pytest.mark.parametrize("kind", ALL)
def test_more_neighbours_than_rows_are_reduced_with_a_warning(X, kind):
    with pytest.warns(UserWarning, match="is more than the 9 rows of X; using 9"):
        assert len(kind(n_neighbors=20, random_state=0).fit_transform(X[:9])) == 9


@pytest.mark.parametrize("kind", MAPS)
def test_components_are_reported(kind):
    X = np.concatenate([np.random.default_rng(0).normal(size=(40, 2)) + shift for shift in (0, 1000)])
    with pytest.warns(UserWarning, match="falls into 2 components, which the first 1 axes only tell apart"):
        model = kind(n_neighbors=10, random_state=0).fit(X)
    assert model.n_connected_components_ == 2
    signs = np.sign(model.embedding_[:, 0])
    assert (signs[:40] == signs[0]).all()
    assert (signs[40:] == -signs[0]).all()


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_neighbors": 1}, ValueError, "n_neighbors must be at least 2"),
        ({"n_neighbors": 2.5}, TypeError, "n_neighbors must be an integer"),
        ({"metric": "euclidian"}, ValueError, "metric must be one of"),
        ({"kernel": "cauchy"}, ValueError, "kernel must be one of"),
        ({"kernel": "gaussian", "kernel_kwds": {"width": 1}}, TypeError, "no argument 'width' .* it has 'bandwidth'"),
        ({"kernel": "binary", "kernel_kwds": {"width": 1}}, TypeError, "no argument 'width' .* it has none"),
        ({"kernel": "gaussian", "kernel_kwds": {"bandwidth": 0.0}}, ValueError, "bandwidth must be positive"),
        ({"kernel": "gaussian", "kernel_kwds": {"bandwidth": "best"}}, ValueError, "bandwidth must be one of"),
        ({"kernel": "adaptive", "kernel_kwds": {"neighbor": 99}}, ValueError, "neighbor=99 asks for the distance"),
        ({"kernel": "precomputed", "metric": "precomputed"}, ValueError, "precomputed"),
        ({"random_state": -1}, ValueError, "random_state must lie in"),
    ],
)
def test_bad_parameters_are_named(X, kind, parameters, error, message):
    with pytest.raises(error, match=message):
        kind(**{"n_neighbors": 10, **parameters}).fit(X)


@pytest.mark.parametrize("kind", ALL)
def test_bad_graphs_are_named(X, kind):
    with pytest.raises(TypeError, match="must be a NeighborGraph"):
        kind(n_neighbors=15).fit(X, graph=np.ones((150, 14)))
    with pytest.raises(ValueError, match="graph has 40 points"):
        kind(n_neighbors=15).fit(X, graph=neighbors(X[:40], 14))
    with pytest.raises(ValueError, match="graph holds 5 neighbours"):
        kind(n_neighbors=15).fit(X, graph=neighbors(X, 5))


@pytest.mark.parametrize("kind", MAPS)
def test_bad_affinities_and_dimensions_are_named(X, kind):
    with pytest.raises(ValueError, match="graph cannot be given with kernel='precomputed'"):
        kind(kernel="precomputed").fit(np.eye(150), graph=neighbors(X, 70))
    with pytest.raises(ValueError, match="square matrix of weights"):
        kind(kernel="precomputed").fit(X)
    with pytest.raises(ValueError, match="n_components must be at least 1"):
        kind(n_components=0).fit(X)
    with pytest.raises(ValueError, match="n_components=150 is more than the 149 eigenvectors"):
        kind(n_components=150).fit(X)


def test_models_are_saved_and_loaded(X, fitted, tmp_path):
    fitted.save(tmp_path / "model")
    again = holonomy.load_model(tmp_path / "model")
    rows = X[:9] + 0.1
    np.testing.assert_array_equal(again.transform(rows), fitted.transform(rows))
    assert again.get_params() == fitted.get_params()
