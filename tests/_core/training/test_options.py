import dataclasses

import pytest

from holonomy._core.training import Checkpoints, EarlyStopping, TrainingOptions


def test_defaults_are_valid_and_frozen():
    options = TrainingOptions()
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.max_epochs = 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_epochs", 0),
        ("max_steps", 0),
        ("batch_size", -1),
        ("steps_per_epoch", 0),
        ("n_threads", 0),
        ("precision", "bf32"),
        ("scheduler_interval", "batch"),
        ("gradient_clip_norm", 0.0),
        ("gradient_clip_norm", float("inf")),
        ("ema_decay", 1.0),
        ("ema_decay", -0.1),
    ],
)
def test_an_option_outside_its_range_is_named(name, value):
    with pytest.raises(ValueError, match=name):
        TrainingOptions(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("max_epochs", 2.5), ("batch_size", True), ("ema_decay", "0.9")])
def test_an_option_of_the_wrong_type_is_refused(name, value):
    with pytest.raises(TypeError, match=name):
        TrainingOptions(**{name: value})


@pytest.mark.parametrize("precision", ["bf16-true", "16-true"])
def test_an_average_kept_in_16_bits_is_refused_with_the_way_out(precision):
    with pytest.raises(ValueError, match=r"ema_decay.*mixed"):
        TrainingOptions(ema_decay=0.9, precision=precision)


@pytest.mark.parametrize(("name", "value"), [("patience", 0), ("min_delta", -1.0)])
def test_early_stopping_checks_its_range(name, value):
    with pytest.raises(ValueError, match=name):
        EarlyStopping(**{name: value})


@pytest.mark.parametrize("name", ["every_epochs", "every_steps", "keep"])
def test_checkpoints_check_their_range(name, tmp_path):
    with pytest.raises(ValueError, match=name):
        Checkpoints(folder=tmp_path, **{name: 0})
