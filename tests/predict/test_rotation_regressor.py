"""Regression of rotations: rows, images and points; losses; files; and every bad input.

`check_estimator` as a whole does not apply: its targets are numbers and class labels, and ours are rotation matrices.
Those of its checks that need no targets are run.
"""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.utils import estimator_checks

import holonomy
from holonomy.manifolds import Bingham, MatrixFisher
from holonomy.objectives import geodesic_loss
from holonomy.predict import RotationRegressor

ARROWS = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.2], [0.3, 0.3, 0.3]])


def _poses(n, seed=0):
    return Rotation.random(n, rng=seed).as_matrix()


def _points(R):
    return np.einsum("nij,pj->npi", R, ARROWS).astype(np.float32)


R = _poses(300)
ROWS = _points(R).reshape(300, 12)


def _quick(**options):
    return RotationRegressor(**{"n_epochs": 25, "batch_size": 32, "random_state": 0, **options})


@pytest.mark.parametrize(
    "check",
    [
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
        "check_no_attributes_set_in_init",
        "check_estimator_repr",
        "check_estimator_cloneable",
    ],
)
def test_the_checks_of_scikit_learn_that_need_no_targets(check):
    function = getattr(estimator_checks, check, None)
    assert function is not None, f"scikit-learn has no {check} any more"
    function("RotationRegressor", RotationRegressor())


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"representation": "9d_svd"},
        {"representation": "10d"},
        {"representation": "quaternion"},
        {"representation": "axis_angle"},
        {"representation": "euler"},
        {"loss": "chordal"},
        {"loss": "parameters"},
        {"representation": "quaternion", "loss": "parameters"},
        {"loss": lambda a, b: geodesic_loss(a, b, "none").square().mean()},
        {"hidden": 32, "schedule": "cosine"},
    ],
    ids=lambda options: " ".join(f"{name}={getattr(value, '__name__', value)}" for name, value in options.items()),
)
def test_it_learns_rotations_of_rows(options):
    model = _quick(**options).fit(ROWS, R)
    predicted = model.predict(ROWS)
    assert predicted.shape == (300, 3, 3)
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted @ predicted.transpose(0, 2, 1), np.tile(np.eye(3), (300, 1, 1)), atol=2e-6)
    assert model.score(ROWS, R) > -0.35
    assert model.kind_ == "rows"
    assert model.n_degenerate_ == 0
    assert len(model.loss_history_) == 25
    assert model.loss_history_[-1]["loss"] < model.loss_history_[0]["loss"]


def test_bins_of_angles_are_learned_on_a_small_range():
    near = Rotation.from_euler("ZYX", np.random.default_rng(0).uniform(-60, 60, (300, 3)), degrees=True).as_matrix()
    X = _points(near).reshape(300, 12)
    for options in ({"bins": 66}, {}):
        model = _quick(representation="euler", loss="parameters", n_epochs=40, **options).fit(X, near)
        assert model.score(X, near) > -0.35


def test_points_and_images_find_their_encoders():
    points = np.repeat(_points(R), 2, axis=1)
    model = _quick(n_epochs=10).fit(points, R)
    assert model.kind_ == "points"
    assert model.score(points, R) > -0.6
    pair = np.stack([np.tile(ARROWS, (300, 1, 1)), _points(R)], axis=1)
    assert _quick(n_epochs=1).fit(pair, R).predict(pair[:2]).shape == (2, 3, 3)
    images = np.random.default_rng(0).integers(0, 255, (40, 12, 12, 3), dtype=np.uint8)
    for X in (images, images[..., 0], images.astype(float)):
        model = _quick(n_epochs=2).fit(X, R[:40])
        assert model.kind_ == "images"
        assert model.predict(X[:3]).shape == (3, 3, 3)
    spread = model.module_.prepared(torch.from_numpy(images).float())
    np.testing.assert_allclose(spread.mean((0, 2, 3)).numpy(), 0.0, atol=1e-4)
    np.testing.assert_allclose(spread.std((0, 2, 3)).numpy(), 1.0, atol=1e-2)


def test_a_seed_repeats_and_rows_do_not_depend_on_their_company():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    before = torch.random.get_rng_state()
    X = ROWS.copy()
    one, other = (_quick(n_epochs=3).fit(X, R) for _ in range(2))
    np.testing.assert_array_equal(one.predict(X), other.predict(X))
    np.testing.assert_array_equal(X, ROWS)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.random.get_rng_state(), before)
    for i in (0, 31, 299):
        np.testing.assert_allclose(one.predict(X[i : i + 1])[0], one.predict(X)[i], atol=1e-6)
    np.testing.assert_array_equal(one.predict(X[:40]), one.predict(X)[:40])
    different = _quick(n_epochs=3, random_state=1).fit(X, R)
    assert not np.array_equal(one.predict(X), different.predict(X))
    assert isinstance(clone(one), RotationRegressor)
    assert cross_val_score(_quick(n_epochs=1), X, R, cv=2).shape == (2,)


def test_it_says_how_sure_it_is():
    hidden = ROWS.copy()
    hidden[:150] = 0.0
    for representation, kind in (("9d_svd", MatrixFisher), ("10d", Bingham)):
        model = _quick(representation=representation, loss="likelihood", n_epochs=15).fit(hidden, R)
        distribution = model.predict_distribution(hidden)
        assert isinstance(distribution, kind)
        np.testing.assert_allclose(distribution.mode().numpy(), model.predict(hidden), atol=1e-4)
        sureness = distribution.log_prob(distribution.mode()).numpy()
        assert np.median(sureness[150:]) > np.median(sureness[:150]) + 1.0
        # Of what it cannot see it says little more than that any rotation is as likely.
        assert np.median(sureness[:150]) < -np.log(8 * np.pi**2) + 1.0
        assert model.score(ROWS[150:], R[150:]) > -0.8
    with pytest.raises(ValueError, match="distribution needs"):
        _quick(n_epochs=1).fit(ROWS, R).predict_distribution(ROWS)


class _Pairs(torch.utils.data.Dataset):
    def __len__(self):
        return 100

    def __getitem__(self, index):
        return torch.from_numpy(ROWS[index]), torch.from_numpy(R[index]).float()


def test_a_data_set_and_a_backbone_of_the_users():
    backbone = torch.nn.Sequential(torch.nn.Linear(12, 24), torch.nn.ReLU())
    weights = backbone[0].weight.detach().clone()
    model = _quick(backbone=backbone, n_epochs=4).fit(_Pairs())
    assert model.kind_ == "given"
    assert torch.equal(backbone[0].weight, weights)
    np.testing.assert_allclose(model.predict(_Pairs()), model.predict(ROWS[:100]), atol=1e-6)
    assert model.score(_Pairs()) == pytest.approx(model.score(ROWS[:100], R[:100]), abs=1e-6)
    with pytest.raises(ValueError, match="y must be None with a data set"):
        _quick().fit(_Pairs(), R)


def test_scipy_rotations_are_taken():
    model = _quick(n_epochs=2).fit(ROWS, Rotation.from_matrix(R))
    np.testing.assert_array_equal(model.predict(ROWS), _quick(n_epochs=2).fit(ROWS, R).predict(ROWS))


def test_averaged_weights_and_a_scheduler_of_torch():
    model = _quick(
        n_epochs=4,
        training_options={"ema_decay": 0.9},
        schedule=lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5),
    ).fit(ROWS, R)
    rates = [row["learning_rate"] for row in model.loss_history_]
    assert rates[-1] < rates[0]


def test_files_without_pickle(tmp_path):
    model = _quick(n_epochs=2).fit(ROWS, R)
    model.save(tmp_path / "own.holonomy")
    again = holonomy.load_model(tmp_path / "own.holonomy")
    np.testing.assert_array_equal(again.predict(ROWS), model.predict(ROWS))
    with pytest.raises(ValueError, match="backbone cannot be given"):
        RotationRegressor.load(tmp_path / "own.holonomy", backbone=torch.nn.Flatten())

    given = _quick(backbone=torch.nn.Linear(12, 8), n_epochs=1).fit(ROWS, R)
    given.save(tmp_path / "given.holonomy")
    assert isinstance(given.backbone, torch.nn.Linear)
    bare = holonomy.load_model(tmp_path / "given.holonomy")
    with pytest.raises(ValueError, match="load it with RotationRegressor"):
        bare.predict(ROWS)
    whole = RotationRegressor.load(tmp_path / "given.holonomy", backbone=torch.nn.Linear(12, 8))
    np.testing.assert_array_equal(whole.predict(ROWS), given.predict(ROWS))
    with pytest.raises(ValueError, match="do not fit"):
        RotationRegressor.load(tmp_path / "given.holonomy", backbone=torch.nn.Linear(12, 9))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"representation": "7d"}, ValueError, "representation"),
        ({"loss": "l1"}, ValueError, "loss must be one of"),
        ({"loss": 3}, TypeError, "loss must be a name or callable"),
        ({"loss": "likelihood"}, ValueError, "needs representation='9d_svd' or '10d'"),
        ({"loss": "parameters", "representation": "10d"}, ValueError, "not defined"),
        ({"bins": 66}, ValueError, "bins belong"),
        ({"order": "xxy", "representation": "euler"}, ValueError, "order"),
        ({"n_epochs": 0}, ValueError, "n_epochs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be positive"),
        ({"schedule": "linear"}, ValueError, "schedule"),
        ({"backbone": "resnet"}, TypeError, "backbone must be a torch"),
        ({"backbone": torch.nn.Linear(5, 3)}, ValueError, "cannot be applied"),
        ({"backbone": torch.nn.Unflatten(1, (3, 4))}, ValueError, "one vector of features"),
    ],
    ids=str,
)
def test_bad_parameters_are_named(options, error, message):
    with pytest.raises(error, match=message):
        _quick(**options).fit(ROWS, R)


def test_bad_data_are_named():
    bad = R.copy()
    bad[7] *= 2.0
    with pytest.raises(ValueError, match=r"y must hold rotations, and y\[7\] is none"):
        _quick().fit(ROWS, bad)
    with pytest.raises(ValueError, match="one rotation for each row"):
        _quick().fit(ROWS, R[:5])
    with pytest.raises(ValueError, match="true rotations"):
        _quick().fit(ROWS)
    with pytest.raises(ValueError, match="X contains NaN"):
        _quick().fit(np.full_like(ROWS, np.nan), R)
    with pytest.raises(ValueError, match="at least 2 axes"):
        _quick().fit(np.ones(300), R)
    for shape in ((8, 9), (8, 9, 3, 2), (8, 9, 2), (8, 8, 7)):
        with pytest.raises(ValueError, match="pass a backbone of your own"):
            _quick().fit(np.zeros((300, *shape)), R)
    model = _quick(n_epochs=1).fit(ROWS, R)
    with pytest.raises(ValueError, match=r"rows of shape \(12,\)"):
        model.predict(ROWS[:, :5])
    with pytest.raises(ValueError, match="not fitted"):
        _quick().predict(ROWS)
