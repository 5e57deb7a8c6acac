"""A run that was interrupted and resumed equals one that was not, bit for bit."""

import copy
import shutil

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import nn

from holonomy._core.training import Checkpoints, EarlyStopping, TrainingOptions, fit_module
from holonomy._core.training.checkpoints import list_checkpoints, load_checkpoint

N_ROWS = 50


@pytest.fixture(autouse=True)
def disk(monkeypatch):
    """Wait for no disk: checkpoints are read by the process that wrote them, and no power is cut."""
    monkeypatch.setattr("os.fsync", lambda file: None)


class Interruption(Exception):
    pass


class Stream:
    """A sampler that draws its batches itself, from torch's default generator."""

    def __iter__(self):
        for _ in range(4):
            x = torch.randn(16, 3)
            yield x, x.sum(dim=1, keepdim=True)


def make_data():
    x = torch.randn(N_ROWS, 3, generator=torch.Generator().manual_seed(0))
    return x, x.square().sum(dim=1, keepdim=True)


def make_network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 1))


class NoisyLoss(nn.Module):
    """Draws noise from the step's generator, has a parameter of its own, and may be told to fail."""

    def __init__(self, fail_at=None):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.fail_at = fail_at

    def forward(self, module, batch, step):
        if module.training and step.index == self.fail_at:
            raise Interruption
        x, y = batch
        noise = torch.randn(x.shape, generator=step.generator)
        error = (self.scale * module(x + 0.1 * noise) - y).square().mean()
        return error, {"scale": self.scale}


OPTIMIZERS = {
    "sgd with momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.02, momentum=0.9, nesterov=True),
    "adam": lambda parameters: torch.optim.AdamW(parameters, lr=0.01, amsgrad=True),
}
SCHEDULERS = {
    "epoch": lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 5),
    "step": lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=60),
    "plateau": lambda optimizer: torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0),
}


def fit(*, optimizer="adam", scheduler="epoch", data=None, fail_at=None, limits=None, module=None, **keywords):
    """Train with everything on at once."""
    options = TrainingOptions(
        **{
            "max_epochs": 5,
            "batch_size": 16,
            "device": "cpu",
            "gradient_clip_norm": 1.0,
            "ema_decay": 0.9,
            "scheduler_interval": "step" if scheduler == "step" else "epoch",
            "early_stopping": EarlyStopping(patience=3),
        }
        | (limits or {})
    )
    return fit_module(
        make_network() if module is None else module,
        NoisyLoss(fail_at),
        make_data() if data is None else data,
        validation=make_data(),
        optimizer=OPTIMIZERS[optimizer],
        scheduler=SCHEDULERS[scheduler],
        options=options,
        random_state=keywords.pop("random_state", 3),
        **keywords,
    )


def assert_same_bits(left, right):
    assert left.history == right.history
    assert (left.n_steps, left.n_epochs, left.stopped_reason) == (right.n_steps, right.n_epochs, right.stopped_reason)
    assert left.best_loss == right.best_loss
    for one, other in ((left.module, right.module), (left.ema_module, right.ema_module)):
        for name, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[name]), name


def assert_same_checkpoints(left, right):
    """Compare the last checkpoints of two folders, optimiser, scheduler and all, apart from the time spent."""
    states = [load_checkpoint(folder)[1] for folder in (left, right)]
    for state in states:
        state["position"].pop("seconds")
    assert_equal(*states)


def assert_equal(left, right):
    if isinstance(left, torch.Tensor):
        assert torch.equal(left, right)
        assert left.dtype == right.dtype
    elif isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            assert_equal(left[key], right[key])
    elif isinstance(left, list | tuple):
        assert len(left) == len(right)
        for pair in zip(left, right, strict=True):
            assert_equal(*pair)
    else:
        assert left == right


# 4 steps an epoch: steps 1 and 6 lie inside an epoch, 8 at the end of one before it is closed.
@pytest.mark.parametrize("fail_at", [1, 6, 8, 13])
@pytest.mark.parametrize(("optimizer", "scheduler"), [("sgd with momentum", "plateau"), ("adam", "step")])
def test_a_crashed_run_resumes_to_the_same_bits(optimizer, scheduler, fail_at, tmp_path):
    setting = {"optimizer": optimizer, "scheduler": scheduler}
    whole = fit(**setting, checkpoints=Checkpoints(folder=tmp_path / "whole"))
    checkpoints = Checkpoints(folder=tmp_path / "parts", every_epochs=None, every_steps=1)
    with pytest.raises(Interruption):
        fit(**setting, checkpoints=checkpoints, fail_at=fail_at)
    assert [step for step, _ in list_checkpoints(tmp_path / "parts")] == [fail_at]
    torch.manual_seed(999)
    resumed = fit(**setting, checkpoints=checkpoints, resume_from=tmp_path / "parts")
    assert_same_bits(whole, resumed)
    assert_same_checkpoints(tmp_path / "whole", tmp_path / "parts")


def test_a_crash_between_checkpoints_repeats_the_lost_steps(tmp_path):
    whole = fit()
    checkpoints = Checkpoints(folder=tmp_path, every_steps=5)
    with pytest.raises(Interruption):
        fit(checkpoints=checkpoints, fail_at=7)
    assert [step for step, _ in list_checkpoints(tmp_path)] == [5]
    assert_same_bits(whole, fit(resume_from=tmp_path))


@pytest.mark.parametrize("limits", [{"max_steps": 7}, {"max_epochs": 2}])
def test_a_run_that_ended_can_be_prolonged(limits, tmp_path):
    whole = fit()
    part = fit(limits=limits, checkpoints=Checkpoints(folder=tmp_path))
    assert part.n_steps in (7, 8)
    assert_same_bits(whole, fit(resume_from=tmp_path))


def test_many_interruptions_add_up_to_one_run(tmp_path):
    whole = fit()
    source = None
    for max_steps in (1, 2, 5, 8, 9, 15):
        folder = tmp_path / str(max_steps)
        fit(limits={"max_steps": max_steps}, checkpoints=Checkpoints(folder=folder), resume_from=source)
        source = folder
    assert_same_bits(whole, fit(resume_from=source))


def test_a_stream_that_draws_at_random_resumes_inside_an_epoch(tmp_path):
    whole = fit(data=Stream())
    fit(data=Stream(), limits={"max_steps": 6}, checkpoints=Checkpoints(folder=tmp_path))
    assert_same_bits(whole, fit(data=Stream(), resume_from=tmp_path))


def test_bf16_resumes_to_the_same_bits(tmp_path):
    limits = {"precision": "bf16-mixed"}
    whole = fit(limits=limits)
    fit(limits=limits | {"max_steps": 6}, checkpoints=Checkpoints(folder=tmp_path))
    assert_same_bits(whole, fit(limits=limits, resume_from=tmp_path))


def test_the_scale_of_half_precision_gradients_is_taken_along(tmp_path):
    def fit_half(limits, **keywords):
        fabric = Fabric(accelerator="cpu", devices=1, plugins=[MixedPrecision("16-mixed", device="cpu")])
        limits = {"device": None, "early_stopping": None} | limits
        return fit(limits=limits, scheduler="step", fabric=fabric, **keywords)

    x, y = make_data()
    data = x, 100 * y  # Large enough for the first scales to overflow.
    whole = fit_half({}, data=data)
    assert "gradient_norm" not in whole.history[0]
    fit_half({"max_steps": 10}, data=data, checkpoints=Checkpoints(folder=tmp_path))
    assert load_checkpoint(tmp_path)[1]["precision"]["scale"] < 2**16
    assert_same_bits(whole, fit_half({}, data=data, resume_from=tmp_path))


def test_the_weights_before_resuming_do_not_matter(tmp_path):
    whole = fit()
    fit(limits={"max_steps": 6}, checkpoints=Checkpoints(folder=tmp_path))
    spoilt = make_network()
    with torch.no_grad():
        spoilt[0].weight.fill_(7)
    assert_same_bits(whole, fit(module=spoilt, resume_from=tmp_path))


def test_early_stopping_survives_resumption(tmp_path):
    limits = {"early_stopping": EarlyStopping(patience=2, min_delta=1e6), "max_epochs": 9}
    whole = fit(limits=limits)
    assert (whole.stopped_reason, whole.n_epochs) == ("early_stopping", 3)
    fit(limits=limits | {"max_epochs": 2}, checkpoints=Checkpoints(folder=tmp_path))
    resumed = fit(limits=limits, resume_from=tmp_path, checkpoints=Checkpoints(folder=tmp_path))
    assert_same_bits(whole, resumed)
    again = fit(limits=limits, resume_from=tmp_path)
    assert_same_bits(whole, again)
    assert again.seconds > load_checkpoint(tmp_path)[1]["position"]["seconds"] > 0


def test_without_a_seed_a_resumed_run_takes_that_of_its_checkpoint(tmp_path):
    whole = fit(random_state=None, checkpoints=Checkpoints(folder=tmp_path, keep=None))
    first = tmp_path / "step-000000004.pt"
    assert_same_bits(whole, fit(random_state=None, resume_from=first))


def test_a_custom_optimizer_takes_its_state_along(tmp_path):
    class Heavy(torch.optim.Optimizer):
        """Remembers the gradients in a float, a list and a tensor, as optimisers on manifolds do."""

        def __init__(self, parameters):
            super().__init__(parameters, {"lr": 0.01, "axes": [0, 1], "name": "heavy"})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for parameter in group["params"]:
                    state = self.state[parameter]
                    state["speed"] = 0.9 * state.get("speed", torch.zeros_like(parameter)) + parameter.grad
                    state["length"] = state.get("length", 0.0) + parameter.grad.norm().item()
                    parameter -= group["lr"] / (1 + state["length"]) * state["speed"]

    OPTIMIZERS["heavy"] = Heavy
    whole = fit(optimizer="heavy")
    fit(optimizer="heavy", limits={"max_steps": 6}, checkpoints=Checkpoints(folder=tmp_path))
    assert_same_bits(whole, fit(optimizer="heavy", resume_from=tmp_path))


# --- when checkpoints are written ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "steps"),
    [
        ({"every_epochs": 2}, [8, 16, 20]),
        ({"every_epochs": None}, [20]),
        ({"every_epochs": None, "every_steps": 6}, [6, 12, 18, 20]),
        ({"every_epochs": 1, "keep": 2}, [16, 20]),
    ],
)
def test_checkpoints_are_written_when_asked(when, steps, tmp_path):
    limits = {"early_stopping": None}
    fit(limits=limits, checkpoints=Checkpoints(folder=tmp_path, **{"keep": None} | when))
    assert [step for step, _ in list_checkpoints(tmp_path)] == steps


def test_writing_checkpoints_changes_nothing(tmp_path):
    assert_same_bits(fit(), fit(checkpoints=Checkpoints(folder=tmp_path, every_steps=1)))


def test_state_that_cannot_be_saved_is_reported_before_training(tmp_path):
    seen = []

    def loss(module, batch, step):
        seen.append(step.index)
        return module(batch).mean()

    with pytest.raises(TypeError, match=r"state\['optimizer'\]\['param_groups'\]\[0\]\['space'\] is a Tanh"):
        fit_module(
            nn.Linear(3, 1),
            loss,
            torch.zeros(4, 3),
            optimizer=lambda parameters: torch.optim.SGD([{"params": parameters, "space": nn.Tanh()}]),
            options=TrainingOptions(device="cpu"),
            checkpoints=Checkpoints(folder=tmp_path),
        )
    assert not seen


# --- checkpoints that do not fit -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    fit(limits={"max_steps": 6}, checkpoints=Checkpoints(folder=folder))
    return folder


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"limits": {"batch_size": 8}}, "batch_size=16, now 8"),
        ({"limits": {"shuffle": False}}, "shuffle=True, now False"),
        ({"limits": {"ema_decay": None}}, "ema_decay=0.9, now None"),
        ({"limits": {"precision": "bf16-mixed"}}, "precision='32-true', now 'bf16-mixed'"),
        ({"limits": {"early_stopping": None}}, "early_stopping.min_delta=0.0, now None"),
        ({"random_state": 4}, "random_state=3, now 4"),
        ({"data": tuple(part[:40] for part in make_data())}, "number of rows=50, now 40"),
        ({"optimizer": "sgd with momentum"}, "optimizer='AdamW', now 'SGD'"),
        ({"scheduler": "plateau"}, "scheduler='CosineAnnealingLR', now 'ReduceLROnPlateau'"),
    ],
)
def test_a_run_with_other_settings_is_not_resumed(changed, message, finished):
    with pytest.raises(ValueError, match=message):
        fit(resume_from=finished, **changed)


def test_another_module_is_not_resumed(finished):
    with pytest.raises(ValueError, match=r"(?s)does not fit this module or optimizer: .*module\.0\.weight"):
        fit(resume_from=finished, module=nn.Linear(3, 1))


def test_a_folder_of_an_earlier_run_is_not_mixed_with_a_new_one(finished, tmp_path):
    with pytest.raises(ValueError, match="holds checkpoints of an earlier run; go on with resume_from="):
        fit(checkpoints=Checkpoints(folder=finished))
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    shutil.copy(folder / "step-000000006.pt", folder / "step-000000009.pt")
    with pytest.raises(ValueError, match="holds checkpoints later than step 6"):
        fit(checkpoints=Checkpoints(folder=folder), resume_from=folder / "step-000000006.pt")


def test_a_damaged_checkpoint_stops_before_the_module_is_touched(finished, tmp_path):
    path = tmp_path / "step-000000006.pt"
    path.write_bytes((finished / path.name).read_bytes()[:-300])
    module = make_network()
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(ValueError, match="cannot be read as a checkpoint"):
        fit(module=module, resume_from=path)
    assert_equal(dict(module.state_dict()), dict(before))
