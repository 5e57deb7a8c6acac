"""Parametric UMAP: contract, reproducibility, quality, each term of its loss, new data, files, and bad input."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

import holonomy
from holonomy.embed import UMAP, ParametricUMAP
from holonomy.graphs import neighbors
from holonomy.measure import label_agreement, trustworthiness


@parametrize_with_checks([ParametricUMAP(n_epochs=2, random_state=0)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def X():
    return load_iris().data + 1e-3 * np.random.default_rng(0).normal(size=(150, 4))


@pytest.fixture(scope="module")
def fitted(X):
    return ParametricUMAP(n_epochs=30, batch_size=200, decoder=True, random_state=0).fit(X)


def quick(**parameters):
    return ParametricUMAP(**{"n_epochs": 15, "batch_size": 200, "random_state": 0, **parameters})


def test_same_seed_same_bits_for_any_number_of_threads(X, fitted):
    for jobs in (1, 2):
        again = clone(fitted).set_params(n_jobs=jobs).fit(X)
        np.testing.assert_array_equal(again.embedding_, fitted.embedding_)
        np.testing.assert_array_equal(
            again.inverse_transform(again.embedding_), fitted.inverse_transform(fitted.embedding_)
        )


def test_rows_are_placed_by_themselves_and_repeatably(X, fitted):
    new = np.tile(X, (4, 1)) + 0.05 * np.random.default_rng(3).normal(size=(600, 4))
    together = fitted.transform(new)
    np.testing.assert_array_equal(fitted.transform(new), together)
    for row in (0, 255, 256, 599):
        np.testing.assert_array_equal(fitted.transform(new[row : row + 1]), together[row : row + 1])
    np.testing.assert_array_equal(fitted.transform(new[::-1]), together[::-1])
    np.testing.assert_array_equal(fitted.transform(X), fitted.embedding_)


def test_loss_falls_and_the_map_keeps_neighbourhoods(X, fitted):
    losses = [row["loss"] for row in fitted.loss_history_]
    assert losses[-1] < 0.7 * losses[0]
    assert {"umap", "reconstruction"} <= set(fitted.loss_history_[0])
    assert trustworthiness(X, fitted.embedding_) > 0.93


@pytest.mark.slow
def test_digits_never_seen_are_mapped_among_their_kind():
    X, y = load_digits(return_X_y=True)
    train, test = np.arange(0, 1797, 2), np.arange(1, 1797, 2)
    model = ParametricUMAP(n_epochs=60, random_state=0).fit(X[train])
    plain = UMAP(random_state=0).fit(X[train])
    assert label_agreement(model.embedding_, y[train]) > label_agreement(plain.embedding_, y[train]) - 0.03
    assert trustworthiness(X[train], model.embedding_) > trustworthiness(X[train], plain.embedding_) - 0.03
    # Over seeds it is 0.88 to 0.91, and rounding, which differs between processors, acts as another seed.
    assert label_agreement(model.transform(X[test]), y[test]) > 0.85


def test_graph_is_that_of_umap(X, fitted):
    expected = UMAP(n_epochs=1, random_state=0).fit(X).graph_
    np.testing.assert_allclose(fitted.graph_.toarray(), expected.toarray(), atol=1e-6)
    again = clone(fitted).fit(X, graph=neighbors(X, 20))
    np.testing.assert_array_equal(again.embedding_, fitted.embedding_)


def test_options_of_the_graph_are_those_of_umap(X, fitted):
    options = {"target_metric": "minkowski", "target_metric_kwds": {"p": 3}, "target_n_neighbors": 5}
    options |= {"a": 1.2, "b": 0.8, "disconnection_distance": float(np.median(fitted.knn_.distances))}
    expected = UMAP(transform_mode="graph", **options).fit(X, X[:, 0])
    model = ParametricUMAP(n_epochs=1, random_state=0, **options).fit(X, X[:, 0])
    np.testing.assert_array_equal(model.graph_.toarray(), expected.graph_.toarray())
    assert (model.a_, model.b_) == (1.2, 0.8)


def test_edges_take_part_as_often_as_their_membership_says():
    from holonomy.embed._parametric_training import EdgeBatches

    graph = sparse.coo_array((np.array([1.0, 0.5, 0.25, 0.1]), ([0, 1, 2, 3], [1, 2, 3, 0])), shape=(4, 4)).tocsr()
    edges, counts = EdgeBatches(graph, batch_size=3, seed=0), np.zeros(4)
    for epoch in range(40):
        edges.set_epoch(epoch)
        for heads, tails in edges:
            assert len(heads) <= 3
            np.testing.assert_array_equal(tails, (heads + 1) % 4)
            counts[heads] += 1
    np.testing.assert_array_equal(counts, [40, 20, 10, 4])


def test_cross_entropy_equals_its_definition():
    from holonomy.embed._parametric_training import NEAR, cross_entropy

    generator = torch.Generator().manual_seed(0)
    heads, tails = torch.randn(50, 2, dtype=torch.float64), torch.randn(50, 2, dtype=torch.float64)
    found = cross_entropy(heads, tails, 1.5, 0.9, 3, 0.7, generator)
    drawn = torch.randint(50, (150,), generator=torch.Generator().manual_seed(0))

    def membership(one, two):
        return 1 / (1 + 1.5 * ((one - two).square().sum(dim=1) + NEAR) ** 0.9)

    pull = -membership(heads, tails).log().mean()
    push = -(1 - membership(tails.repeat(3, 1), heads[drawn])).log().mean()
    torch.testing.assert_close(found, (pull + 3 * 0.7 * push) / 4)
    same = torch.zeros(50, 2, requires_grad=True)
    cross_entropy(same, torch.zeros(50, 2), 1.5, 0.9, 3, 0.7, generator).backward()
    assert torch.isfinite(same.grad).all()


def test_correlation_term_keeps_distances(X):
    from scipy.spatial.distance import pdist

    correlations = [
        np.corrcoef(pdist(X), pdist(quick(global_correlation_loss_weight=weight).fit_transform(X)))[0, 1]
        for weight in (0, 20)
    ]
    assert correlations[1] > max(correlations[0], 0.97)


def test_decoder_maps_back(X, fitted):
    back = fitted.inverse_transform(fitted.embedding_)
    assert back.shape == X.shape
    assert ((back - X) ** 2).sum() < 0.3 * ((X - X.mean(axis=0)) ** 2).sum()


def test_decoder_trains_the_encoder_only_when_asked(X):
    without, with_decoder, joint = (
        quick(**kw).fit(X) for kw in ({}, {"decoder": True}, {"decoder": True, "autoencoder_loss": True})
    )
    np.testing.assert_array_equal(without.embedding_, with_decoder.embedding_)
    assert np.abs(joint.embedding_ - without.embedding_).max() > 0.01


def test_autoencoders_reconstruct_better(X):
    longer = {"n_epochs": 60, "learning_rate": 5e-3, "decoder": True}
    separate = quick(**longer).fit(X)
    joint = quick(**longer, autoencoder_loss=True, reconstruction_loss_weight=100.0).fit(X)
    errors = [((model.inverse_transform(model.embedding_) - X) ** 2).mean() for model in (separate, joint)]
    assert errors[1] < errors[0]


def test_reconstruction_losses():
    X = np.random.default_rng(0).random((80, 3)) > 0.5
    model = quick(decoder=True, reconstruction_loss="bce").fit(X.astype(float))
    back = model.inverse_transform(model.embedding_)
    assert 0 <= back.min() <= back.max() <= 1
    own = quick(decoder=True, reconstruction_loss=lambda found, wanted: (found - wanted).abs().mean()).fit(
        X.astype(float)
    )
    assert np.isfinite(own.embedding_).all()


def test_landmarks_stay_at_their_places(X):
    places = np.full((150, 2), np.nan)
    rows = [0, 60, 120]
    places[rows] = [[5.0, 0.0], [0.0, 5.0], [-5.0, -5.0]]
    model = quick(n_epochs=80, learning_rate=5e-3, landmark_loss_weight=3.0).fit(X, landmark_positions=places)
    assert np.linalg.norm(model.embedding_[rows] - places[rows], axis=1).max() < 0.5
    squared = quick(landmark_loss_fn=lambda found, wanted: (found - wanted).square().mean())
    assert "landmarks" in squared.fit(X, landmark_positions=places).loss_history_[0]


def test_update_learns_new_data_and_keeps_the_map(X, fitted):
    model = pickle.loads(pickle.dumps(ParametricUMAP(n_epochs=40, batch_size=200, random_state=0).fit(X[:100])))  # noqa: S301
    before = model.embedding_.copy()
    model.update(X[100:], n_epochs=40)
    assert model.embedding_.shape == (50, 2)
    moved = np.linalg.norm(model.transform(X[:100]) - before, axis=1)
    free = (
        ParametricUMAP(n_epochs=40, batch_size=200, random_state=0)
        .fit(X[:100])
        .update(X[100:], n_landmarks=0, n_epochs=40)
    )
    assert moved.mean() < 0.5 * np.linalg.norm(free.transform(X[:100]) - before, axis=1).mean()
    assert moved.mean() < 0.5 * before.std()
    labels = load_iris().target
    model.update(X[100:], labels[100:], n_epochs=2).update(sparse.csr_matrix(X[:30]).toarray(), n_epochs=2)


def test_own_networks_are_copied_and_trained(X):
    encoder, decoder = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)), nn.Linear(3, 4)
    before = encoder[0].weight.detach().clone()
    model = quick(n_components=3, encoder=encoder, decoder=decoder).fit(X)
    assert model.embedding_.shape == (150, 3)
    torch.testing.assert_close(encoder[0].weight, before)
    assert not torch.equal(model.encoder_[0].weight, before)
    assert model.inverse_transform(model.embedding_).shape == (150, 4)
    clone(model)


def test_models_are_saved_without_pickle(X, fitted, tmp_path):
    fitted.save(tmp_path / "plain")
    again = holonomy.load_model(tmp_path / "plain")
    np.testing.assert_array_equal(again.transform(X), fitted.embedding_)
    np.testing.assert_array_equal(again.inverse_transform(X[:, :2]), fitted.inverse_transform(X[:, :2]))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(X), fitted.embedding_)  # noqa: S301
    again.update(X[:40], n_epochs=1)

    encoder = nn.Linear(4, 2)
    own = quick(encoder=encoder).fit(X)
    own.save(tmp_path / "own")
    with pytest.raises(ValueError, match=r"fitted with networks of its user; load it with ParametricUMAP\.load"):
        holonomy.load_model(tmp_path / "own").transform(X)
    loaded = ParametricUMAP.load(tmp_path / "own", encoder=nn.Linear(4, 2))
    np.testing.assert_array_equal(loaded.transform(X), own.embedding_)
    with pytest.raises(ValueError, match="saved weights do not fit"):
        ParametricUMAP.load(tmp_path / "own", encoder=nn.Linear(4, 2, bias=False))
    with pytest.raises(ValueError, match="encoder cannot be given"):
        ParametricUMAP.load(tmp_path / "plain", encoder=encoder)


def test_sparse_rows_and_targets(X):
    dense, rows = quick().fit(X), quick().fit(sparse.csr_matrix(X))
    np.testing.assert_allclose(rows.embedding_, dense.embedding_, atol=1e-3)
    np.testing.assert_array_equal(rows.transform(sparse.csr_matrix(X[:5])), rows.embedding_[:5])
    y = load_iris().target
    supervised = quick(n_epochs=1).fit(X, y)
    expected = UMAP(transform_mode="graph", random_state=0).fit(X, y).graph_
    np.testing.assert_allclose(supervised.graph_.toarray(), expected.toarray(), atol=1e-6)


def test_second_fit_is_independent_of_the_first(X, fitted):
    again = clone(fitted).fit(X[:60]).fit(X)
    np.testing.assert_array_equal(again.embedding_, fitted.embedding_)
    assert list(again.get_feature_names_out()) == ["parametricumap0", "parametricumap1"]
    assert "neco_a_01434" in holonomy.citation(fitted)


def test_training_options_reach_the_training(X):
    from holonomy._core.training import EarlyStopping

    options = {"early_stopping": EarlyStopping(patience=1, min_delta=10.0), "gradient_clip_norm": 1.0}
    assert len(quick(training_options=options).fit(X).loss_history_) == 2
    averaged = quick(training_options={"ema_decay": 0.9}).fit(X)
    assert np.isfinite(averaged.embedding_).all()


def test_torch_is_loaded_only_to_train():
    code = "import sys; from holonomy.embed import ParametricUMAP; ParametricUMAP(); print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"n_components": 0}, ValueError, "n_components must be at least 1"),
        ({"n_neighbors": 1}, ValueError, "n_neighbors must be at least 2"),
        ({"metric": "precomputed"}, ValueError, "because a network needs rows; pass graph="),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be positive"),
        ({"n_epochs": 0}, ValueError, "n_epochs must be at least 1"),
        ({"autoencoder_loss": True}, ValueError, "autoencoder_loss=True needs a decoder"),
        ({"reconstruction_loss": "mae"}, ValueError, "reconstruction_loss must be 'mse', 'bce' or a function"),
        ({"global_correlation_loss_weight": -1.0}, ValueError, "global_correlation_loss_weight must be at least 0"),
        ({"landmark_loss_fn": "mse"}, TypeError, "landmark_loss_fn must be a function"),
        ({"encoder": "mlp"}, TypeError, r"encoder must be a torch\.nn\.Module, got str"),
        ({"encoder": nn.Linear(5, 2)}, ValueError, "encoder cannot be applied to rows of 4 numbers"),
        ({"encoder": nn.Linear(4, 3)}, ValueError, "encoder must return 2 numbers for each row"),
        ({"decoder": nn.Linear(2, 3)}, ValueError, "decoder must return 4 numbers for each row"),
        ({"training_options": {"max_epochs": 3}}, ValueError, "training_options cannot hold 'max_epochs'"),
        ({"training_options": {"speed": 3}}, TypeError, "training_options does not fit"),
        ({"device": "tpu"}, ValueError, "device must be"),
        ({"random_state": -1}, ValueError, "random_state must lie in"),
    ],
)
def test_bad_parameters_are_named(X, parameters, error, message):
    with pytest.raises(error, match=message):
        ParametricUMAP(**{"n_epochs": 1, **parameters}).fit(X)


def test_bad_landmarks_and_calls_are_named(X, fitted):
    with pytest.raises(ValueError, match=r"landmark_positions must have shape \(150, 2\)"):
        quick().fit(X, landmark_positions=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="must be finite, or NaN in all columns"):
        quick().fit(X, landmark_positions=np.tile([np.nan, 0.0], (150, 1)))
    with pytest.raises(ValueError, match="graph can only be given with n_landmarks=0"):
        fitted.update(X, graph=neighbors(X, 14))
    with pytest.raises(ValueError, match="X must have 2 columns, got 4"):
        fitted.inverse_transform(X)
    with pytest.raises(ValueError, match="inverse_transform needs a decoder"):
        quick(n_epochs=1).fit(X).inverse_transform(X[:, :2])
    with pytest.raises(ValueError, match="3 features"):
        fitted.transform(X[:, :3])
