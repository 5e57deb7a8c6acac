import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import nn

from holonomy._core.training import (
    EarlyStopping,
    EpochEnd,
    NonFiniteError,
    TrainingOptions,
    fit_module,
)
from holonomy._core.training.randomness import torch_threads


def make_data(n=96, d=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=generator)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 3 + 0.1 * torch.randn(n, 1, generator=generator)
    return x, y


def make_network(seed=0, dropout=0.0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))


def squared_error(module, batch, step):
    x, y = batch
    return (module(x) - y).square().mean()


def sgd(lr=0.1, **keywords):
    return lambda parameters: torch.optim.SGD(parameters, lr=lr, **keywords)


def options(**keywords):
    return TrainingOptions(**{"max_epochs": 3, "batch_size": 16, "device": "cpu"} | keywords)


def weights_of(module):
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


# --- it trains -----------------------------------------------------------------------------------------------------


def test_linear_regression_converges_to_the_closed_form():
    x, y = (part.double() for part in make_data())
    module = nn.Linear(3, 1).double()
    result = fit_module(
        module, squared_error, (x, y), optimizer=sgd(0.2), options=options(max_epochs=300, batch_size=96)
    )
    solution = torch.linalg.lstsq(torch.cat([x, torch.ones(96, 1)], dim=1), y).solution
    torch.testing.assert_close(result.module.weight.T, solution[:3], rtol=0, atol=1e-9)
    torch.testing.assert_close(result.module.bias, solution[3], rtol=0, atol=1e-9)
    assert result.module is module
    assert not module.training
    assert module.weight.grad is None
    assert (result.n_steps, result.n_epochs, result.stopped_reason) == (300, 300, "max_epochs")
    assert result.best_loss == min(row["loss"] for row in result.history)
    assert result.seconds > 0
    assert result.ema_module is None


def test_history_holds_the_row_weighted_mean_of_the_losses_before_each_step():
    x, y = make_data(n=40)
    module = nn.Linear(3, 1)
    reference = nn.Linear(3, 1)
    reference.load_state_dict(module.state_dict())
    rows = []

    def loss(module, batch, step):
        rows.append(step.rows)
        value = squared_error(module, batch, step)
        return value, {"twice": 2 * value}

    result = fit_module(module, loss, (x, y), optimizer=sgd(), options=options(max_epochs=1))
    optimizer, total, norms = torch.optim.SGD(reference.parameters(), lr=0.1), 0.0, []
    for batch in rows:
        optimizer.zero_grad()
        value = squared_error(reference, (x[batch], y[batch]), None)
        value.backward()
        norms.append(math.hypot(*(p.grad.norm().item() for p in reference.parameters())))
        optimizer.step()
        total += value.item() * len(batch)
    assert [len(batch) for batch in rows] == [16, 16, 8]
    assert torch.equal(weights_of(module), weights_of(reference))
    (row,) = result.history
    assert row["loss"] == pytest.approx(total / 40)
    assert row["twice"] == pytest.approx(2 * total / 40)
    assert row["gradient_norm"] == pytest.approx(np.average(norms, weights=[16, 16, 8]), rel=1e-5)
    assert (row["epoch"], row["step"], row["learning_rate"]) == (0, 3, 0.1)


def test_the_loss_is_told_step_epoch_rows_and_a_generator_of_its_own():
    seen = []

    def loss(module, batch, step):
        seen.append((step.index, step.epoch, torch.rand((), generator=step.generator).item()))
        assert torch.equal(batch[0], x[step.rows])
        return squared_error(module, batch, step)

    x, y = make_data(n=32)
    fit_module(make_network(), loss, (x, y), options=options(max_epochs=2), random_state=0)
    assert [entry[:2] for entry in seen] == [(0, 0), (1, 0), (2, 1), (3, 1)]
    assert len({entry[2] for entry in seen}) == 4


def test_a_batch_of_ready_objects_and_a_loss_with_its_own_parameter_are_trained():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = nn.Parameter(torch.tensor(1.0))

        def forward(self, module, batch, step):
            return (self.factor * module(batch["x"]) - batch["y"]).square().mean()

    x, y = make_data()
    loss, module = Scale(), make_network()
    before = weights_of(module)
    result = fit_module(module, loss, [{"x": x, "y": y}], optimizer=sgd(), options=options(max_epochs=20))
    assert result.n_steps == 20
    assert loss.factor.item() != 1
    assert not torch.equal(weights_of(module), before)
    assert result.history[-1]["loss"] < result.history[0]["loss"]


def test_max_steps_cuts_an_epoch_and_records_its_part():
    result = fit_module(make_network(), squared_error, make_data(n=64), options=options(max_steps=6))
    assert (result.n_steps, result.n_epochs, result.stopped_reason) == (6, 1, "max_steps")
    assert [(row["epoch"], row["step"]) for row in result.history] == [(0, 4), (1, 6)]


def test_an_optimizer_and_a_scheduler_made_by_the_caller_are_used():
    module = make_network()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    result = fit_module(module, squared_error, make_data(), optimizer=optimizer, scheduler=scheduler, options=options())
    assert [row["learning_rate"] for row in result.history] == [0.1, 0.05, 0.025]
    assert optimizer.param_groups[0]["lr"] == 0.0125


def test_a_scheduler_can_advance_every_step():
    result = fit_module(
        make_network(),
        squared_error,
        make_data(n=64),
        optimizer=sgd(0.1),
        scheduler=lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5),
        options=options(max_epochs=2, scheduler_interval="step"),
    )
    assert [row["learning_rate"] for row in result.history] == [0.1 * 0.5**4, 0.1 * 0.5**8]


@pytest.mark.parametrize(
    ("validation_losses", "rates"),
    [
        ([3.0, 3.0, 3.0, 3.0, 3.0], [0.1, 0.1, 0.1, 0.01, 0.01]),
        ([5.0, 4.0, 3.0, 2.0, 1.0], [0.1, 0.1, 0.1, 0.1, 0.1]),
    ],
)
def test_reduce_on_plateau_follows_the_validation_loss(validation_losses, rates):
    remaining = list(validation_losses)

    def loss(module, batch, step):
        return squared_error(module, batch, step) if module.training else torch.tensor(remaining.pop(0))

    result = fit_module(
        make_network(),
        loss,
        make_data(),
        validation=make_data(n=16),
        optimizer=sgd(0.1),
        scheduler=lambda optimizer: torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1),
        options=options(max_epochs=5),
    )
    assert [row["validation_loss"] for row in result.history] == validation_losses
    assert [row["learning_rate"] for row in result.history] == pytest.approx(rates)


# --- the same seed gives the same bits, and nothing is seeded globally ----------------------------------------------


def train_noisily(random_state):
    def loss(module, batch, step):
        x, y = batch
        noise = torch.randn(x.shape, generator=step.generator)
        return (module(x + 0.1 * noise) - y).square().mean()

    return fit_module(make_network(dropout=0.5), loss, make_data(), options=options(), random_state=random_state)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first = train_noisily(1)
    torch.rand(5)
    again, other = train_noisily(1), train_noisily(2)
    assert torch.equal(weights_of(first.module), weights_of(again.module))
    assert first.history == again.history
    assert not torch.equal(weights_of(first.module), weights_of(other.module))
    assert not torch.equal(weights_of(train_noisily(None).module), weights_of(train_noisily(None).module))


def test_global_generators_are_untouched():
    before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    train_noisily(0)
    with pytest.raises(NonFiniteError):
        fit_module(make_network(), lambda m, b, s: m(b[0]).mean() * math.nan, make_data(), options=options())
    assert torch.equal(torch.get_rng_state(), before[0])
    after = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(after[1], before[1][1])
    assert after[2:] == before[1][2:]


def test_data_are_not_written_to():
    def loss(module, batch, step):
        batch[0].zero_()
        return squared_error(module, batch, step)

    x, y = make_data()
    before = x.clone()
    fit_module(make_network(), loss, (x, y), validation=(x, y), options=options(max_epochs=1))
    assert torch.equal(x, before)


class Noise:
    """Batches drawn from torch's default generator, as a sampler may draw them."""

    def __iter__(self):
        for _ in range(2):
            yield torch.rand(4, 3)


def test_what_layers_and_loss_draw_is_new_every_step():
    draws = []

    def loss(module, batch, step):
        draws.extend([batch, torch.rand(4, 3), torch.rand(4, 3, generator=step.generator)])
        return module(batch).square().mean()

    fit_module(make_network(), loss, Noise(), validation=Noise(), options=options(max_epochs=1), random_state=0)
    assert len({tuple(draw.flatten().tolist()) for draw in draws}) == len(draws) == 12


def test_what_layers_draw_does_not_depend_on_what_the_data_draw():
    class Wasteful:
        def __init__(self, n_draws):
            self.n_draws = n_draws

        def __iter__(self):
            for _ in range(3):
                torch.rand(self.n_draws)
                yield torch.ones(4, 3)

    results = [
        fit_module(
            make_network(dropout=0.5),
            lambda module, batch, step: module(batch).square().mean(),
            Wasteful(n_draws),
            options=options(),
            random_state=0,
        )
        for n_draws in (0, 7)
    ]
    assert results[0].history == results[1].history


def test_with_one_thread_the_bits_do_not_depend_on_how_many_there_are():
    x = torch.randn(2000, 64, generator=torch.Generator().manual_seed(0))
    results = []
    for threads in (1, 2, 4):
        with torch_threads(threads), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1))
            data = x, x[:, :1].square()
            settings = options(max_epochs=2, batch_size=500, n_threads=1)
            results.append(fit_module(module, squared_error, data, options=settings, random_state=0))
            assert torch.get_num_threads() == threads
    assert all(torch.equal(weights_of(results[0].module), weights_of(result.module)) for result in results)


# --- clipping ------------------------------------------------------------------------------------------------------


def test_clipping_limits_the_norm_over_all_parameters_and_keeps_the_direction():
    x, y = make_data(n=16)
    module, free = nn.Linear(3, 1), nn.Linear(3, 1)
    free.load_state_dict(module.state_dict())
    before = weights_of(module)
    clipped = fit_module(
        module,
        squared_error,
        (x, 100 * y),
        optimizer=sgd(1.0),
        options=options(max_epochs=1, gradient_clip_norm=0.25),
        random_state=0,
    )
    unclipped = fit_module(
        free, squared_error, (x, 100 * y), optimizer=sgd(1.0), options=options(max_epochs=1), random_state=0
    )
    moved, would_move = weights_of(module) - before, weights_of(free) - before
    assert moved.norm().item() == pytest.approx(0.25, rel=1e-4)
    assert torch.cosine_similarity(moved, would_move, dim=0).item() == pytest.approx(1, abs=1e-6)
    # The history holds the norm before clipping, which is what tells whether the limit bites.
    assert clipped.history[0]["gradient_norm"] == pytest.approx(unclipped.history[0]["gradient_norm"], rel=1e-6)
    assert clipped.history[0]["gradient_norm"] == pytest.approx(would_move.norm().item(), rel=1e-4)


def test_a_small_gradient_is_not_clipped():
    modules = make_network(), make_network()
    for module, limit in zip(modules, (None, 1e6), strict=True):
        fit_module(module, squared_error, make_data(), options=options(gradient_clip_norm=limit), random_state=0)
    assert torch.equal(*map(weights_of, modules))


def test_sparse_gradients_are_trained_and_refused_for_clipping():
    def loss(module, batch, step):
        return module(batch).square().mean()

    def fit(**keywords):
        return fit_module(
            nn.Embedding(10, 2, sparse=True), loss, torch.arange(10), optimizer=sgd(), options=options(**keywords)
        )

    history = fit().history
    assert history[-1]["loss"] < history[0]["loss"]
    with pytest.raises(ValueError, match="gradient_clip_norm needs dense gradients"):
        fit(gradient_clip_norm=1.0)


# --- averaging -----------------------------------------------------------------------------------------------------


def test_the_averaged_module_follows_the_weights_after_every_step():
    decay, seen = 0.8, []

    def loss(module, batch, step):
        seen.append(weights_of(module))
        return squared_error(module, batch, step)

    result = fit_module(
        make_network(), loss, make_data(), optimizer=sgd(), options=options(ema_decay=decay), random_state=0
    )
    after_steps = [*seen[1:], weights_of(result.module)]
    factors = [decay ** (len(after_steps) - 1 - i) for i in range(len(after_steps))]
    expected = sum(f * w.double() for f, w in zip(factors, after_steps, strict=True)) / sum(factors)
    torch.testing.assert_close(weights_of(result.ema_module).double(), expected, rtol=1e-5, atol=1e-6)
    assert not result.ema_module.training
    assert type(result.ema_module) is nn.Sequential


def test_validation_is_done_for_the_averaged_weights_without_dropout_and_gradients():
    data = make_data()
    modes = []

    def loss(module, batch, step):
        modes.append((module.training, torch.is_grad_enabled()))
        return squared_error(module, batch, step)

    result = fit_module(
        make_network(dropout=0.5), loss, data, validation=data, options=options(max_epochs=1, ema_decay=0.5)
    )
    assert modes == [(True, True)] * 6 + [(False, False)] * 6
    expected = squared_error(result.ema_module, data, None).item()
    assert result.history[0]["validation_loss"] == pytest.approx(expected, rel=1e-5)


def test_stochastic_validation_repeats_its_noise_every_epoch():
    def loss(module, batch, step):
        if module.training:
            return squared_error(module, batch, step)
        return torch.randn((), generator=step.generator) + torch.randn(())

    result = fit_module(make_network(), loss, make_data(), validation=make_data(), options=options())
    assert len({row["validation_loss"] for row in result.history}) == 1


# --- stopping ------------------------------------------------------------------------------------------------------


class Scripted(nn.Module):
    """A weight that grows by one every step; its validation loss is read from a list."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))


def scripted_loss(values):
    def loss(module, batch, step):
        if module.training:
            return -module.weight
        return torch.tensor(values[round(module.weight.item()) - 1])

    return loss


def fit_script(values, stopping, **keywords):
    return fit_module(
        Scripted(),
        scripted_loss(values),
        torch.zeros(4),
        validation=torch.zeros(4),
        optimizer=sgd(1.0),
        options=options(max_epochs=len(values), early_stopping=stopping, **keywords),
    )


def test_early_stopping_restores_the_best_weights():
    result = fit_script([5.0, 3.0, 4.0, 4.0, 1.0], EarlyStopping(patience=2))
    assert result.stopped_reason == "early_stopping"
    assert (result.n_epochs, result.best_loss) == (4, 3.0)
    assert result.module.weight.item() == 2
    assert [row["validation_loss"] for row in result.history] == [5.0, 3.0, 4.0, 4.0]


def test_early_stopping_restores_the_average_too_and_when_the_epochs_run_out():
    result = fit_script([5.0, 3.0, 4.0], EarlyStopping(patience=9), ema_decay=0.0)
    assert result.stopped_reason == "max_epochs"
    assert result.module.weight.item() == result.ema_module.weight.item() == 2


def test_early_stopping_can_keep_the_last_weights():
    result = fit_script([5.0, 3.0, 4.0, 4.0, 1.0], EarlyStopping(patience=2, restore_best=False))
    assert result.module.weight.item() == 4


def test_an_improvement_below_min_delta_does_not_count():
    result = fit_script([5.0, 4.9, 4.8, 4.7], EarlyStopping(patience=2, min_delta=0.5))
    assert (result.n_epochs, result.best_loss, result.module.weight.item()) == (3, 5.0, 1)


def test_without_validation_the_training_loss_is_watched():
    result = fit_module(
        make_network(),
        squared_error,
        make_data(),
        optimizer=sgd(0.0),
        options=options(max_epochs=50, batch_size=96, shuffle=False, early_stopping=EarlyStopping(patience=3)),
    )
    assert (result.stopped_reason, result.n_epochs) == ("early_stopping", 4)


def test_the_hook_sees_every_epoch_and_can_stop_the_run():
    seen: list[EpochEnd] = []

    def hook(end):
        seen.append(end)
        assert not end.module.training
        assert not end.ema_module.training
        return end.epoch == 1

    result = fit_module(make_network(), squared_error, make_data(), options=options(ema_decay=0.5), on_epoch_end=hook)
    assert (result.stopped_reason, result.n_epochs) == ("on_epoch_end", 2)
    assert [(end.epoch, end.step) for end in seen] == [(0, 6), (1, 12)]
    assert [end.metrics for end in seen] == result.history


# --- numbers that are none -----------------------------------------------------------------------------------------


def test_a_loss_that_turns_nan_stops_with_step_rows_and_the_last_finite_loss():
    x, y = make_data(n=64)
    rows, losses = [], []

    def loss(module, batch, step):
        rows.append(step.rows.tolist())
        value = squared_error(module, batch, step)
        losses.append(value.item())
        return value * math.nan if step.index == 6 else value

    module = make_network()
    with pytest.raises(NonFiniteError, match=r"loss became nan at step 6 \(epoch 1, batch 2, rows \[") as caught:
        fit_module(module, loss, (x, y), options=options())
    error = caught.value
    assert (error.quantity, error.step, error.epoch, error.batch) == ("loss", 6, 1, 2)
    assert error.rows == rows[6]
    assert error.last_finite_loss == losses[5]
    assert error.bad_rows == []
    assert weights_of(module).isfinite().all()


def test_a_row_that_is_not_finite_is_named():
    x, y = make_data(n=64)
    x[17, 1] = math.nan
    with pytest.raises(NonFiniteError, match=r"not finite in rows \[17\]") as caught:
        fit_module(make_network(), squared_error, (x, y), options=options())
    assert caught.value.bad_rows == [17]


def test_a_gradient_that_is_infinite_stops_before_the_step():
    def loss(module, batch, step):
        return module(batch[0]).mean() + (module[0].weight * 0).abs().sqrt().sum()

    for limit in (None, 1.0):
        module = make_network()
        before = weights_of(module)
        with pytest.raises(NonFiniteError, match="gradient norm became nan at step 0"):
            fit_module(module, loss, make_data(), options=options(gradient_clip_norm=limit))
        assert torch.equal(weights_of(module), before)


def test_a_validation_loss_that_is_infinite_stops():
    x, y = make_data(n=32)
    bad = y.clone()
    bad[20] = math.inf
    with pytest.raises(NonFiniteError, match=r"validation loss became inf .*batch 1, .*rows \[20\]"):
        fit_module(make_network(), squared_error, (x, y), validation=(x, bad), options=options())


def test_batches_without_rows_are_named_by_their_number():
    with pytest.raises(NonFiniteError, match=r"epoch 0, batch 0\)") as caught:
        fit_module(make_network(), lambda m, b, s: m(b).mean() * math.nan, [torch.ones(2, 3)], options=options())
    assert caught.value.rows is None


# --- precision -----------------------------------------------------------------------------------------------------


def test_bf16_mixed_keeps_weights_and_targets_in_full_precision():
    dtypes = set()

    def loss(module, batch, step):
        x, y = batch
        output = module(x)
        dtypes.add((x.dtype, y.dtype, output.dtype))
        return (output.float() - y).square().mean()

    result = fit_module(
        make_network(), loss, make_data(), validation=make_data(), options=options(precision="bf16-mixed")
    )
    assert dtypes == {(torch.float32, torch.float32, torch.bfloat16)}
    assert weights_of(result.module).dtype == torch.float32
    assert result.history[-1]["loss"] < result.history[0]["loss"]


@pytest.mark.parametrize(("precision", "dtype"), [("bf16-true", torch.bfloat16), ("64-true", torch.float64)])
def test_true_precisions_convert_module_and_batches(precision, dtype):
    def loss(module, batch, step):
        assert batch[0].dtype == dtype
        return squared_error(module, batch, step)

    result = fit_module(make_network(), loss, make_data(), validation=make_data(), options=options(precision=precision))
    assert weights_of(result.module).dtype == dtype
    assert torch.get_default_dtype() == torch.float32
    assert result.history[-1]["loss"] < result.history[0]["loss"]


def test_64_true_computes_in_double_precision_throughout():
    x, y = make_data()
    results = [
        fit_module(module, squared_error, data, options=options(precision=precision), random_state=0)
        for module, data, precision in (
            (make_network(), (x, y), "64-true"),
            (make_network().double(), (x.double(), y.double()), "32-true"),
        )
    ]
    assert results[0].history == results[1].history
    assert torch.equal(weights_of(results[0].module), weights_of(results[1].module))


def test_16_mixed_needs_a_gpu():
    with pytest.raises(ValueError, match="precision='16-mixed' needs a GPU"):
        fit_module(make_network(), squared_error, make_data(), options=options(precision="16-mixed"))


def half_precision_fabric():
    return Fabric(accelerator="cpu", devices=1, plugins=[MixedPrecision("16-mixed", device="cpu")])


def test_a_gradient_scaler_may_overflow_until_it_finds_its_scale():
    x, y = make_data()
    result = fit_module(
        make_network(),
        squared_error,
        (x, 10 * y),
        scheduler=lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5),
        options=TrainingOptions(max_epochs=5, batch_size=16, ema_decay=0.5, scheduler_interval="step"),
        fabric=half_precision_fabric(),
    )
    # Steps that overflow are skipped, and the scheduler waits for the first one that is not.
    assert result.n_steps == 30
    n_taken = round(-math.log2(result.history[-1]["learning_rate"] / 1e-3))
    assert 20 < n_taken < 30
    norms = [row["gradient_norm"] for row in result.history if "gradient_norm" in row]
    assert len(norms) >= 3
    assert max(norms) < 1e4


def test_a_gradient_that_overflows_at_every_scale_stops():
    def loss(module, batch, step):
        return module(batch[0]).mean() + (module[0].weight * 0).abs().sqrt().sum()

    with pytest.raises(NonFiniteError, match="gradient norm became nan at step 17"):
        fit_module(make_network(), loss, make_data(), options=TrainingOptions(), fabric=half_precision_fabric())


# --- bad arguments -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        {"module": torch.zeros(3)},
        {"loss": "mse"},
        {"options": {"max_epochs": 3}},
        {"data": np.zeros((3, 3))},
        {"random_state": "seed"},
    ],
)
def test_arguments_of_the_wrong_type_are_refused(arguments):
    given = {"module": make_network(), "loss": squared_error, "data": make_data()} | arguments
    with pytest.raises(TypeError):
        fit_module(**given)


def make_plateau(optimizer):
    return torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"module": nn.Tanh()}, "no parameter that requires a gradient"),
        ({"optimizer": lambda p: torch.optim.LBFGS(p)}, "must not need a closure"),
        ({"optimizer": torch.optim.SGD(nn.Linear(1, 1).parameters())}, "belong neither to module nor to loss"),
        ({"scheduler": torch.optim.lr_scheduler.StepLR(torch.optim.SGD(nn.Linear(1, 1).parameters()), 1)}, "another"),
        ({"scheduler": make_plateau, "options": options(scheduler_interval="step")}, "scheduler_interval='epoch'"),
        ({"validation": torch.zeros(0, 3)}, "validation has 0 rows"),
        ({"validation": []}, "validation yields no batch"),
        ({"data": []}, "data yields no batch in epoch 0"),
        ({"random_state": -1}, "random_state"),
    ],
)
def test_arguments_that_cannot_work_are_refused(arguments, message):
    given = {"module": make_network(), "loss": squared_error, "data": make_data(), "options": options()} | arguments
    with pytest.raises(ValueError, match=message):
        fit_module(**given)


@pytest.mark.parametrize("name", ["optimizer", "scheduler"])
def test_factories_that_make_something_else_are_refused(name):
    with pytest.raises(TypeError):
        fit_module(make_network(), squared_error, make_data(), options=options(), **{name: lambda argument: 3})


def test_a_fabric_of_another_kind_is_refused(monkeypatch):
    fabric = Fabric(accelerator="cpu", devices=1)
    for wrong in ({"device": "cpu"}, {"precision": "bf16-mixed"}):
        with pytest.raises(ValueError, match="device and precision are set on the Fabric"):
            fit_module(make_network(), squared_error, make_data(), options=TrainingOptions(**wrong), fabric=fabric)
    monkeypatch.setattr(fabric, "_strategy", object())
    with pytest.raises(ValueError, match="fabric must use one device or DDP, got object"):
        fit_module(make_network(), squared_error, make_data(), fabric=fabric)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device='cuda' asks for a GPU"):
        fit_module(make_network(), squared_error, make_data(), options=options(device="cuda"))


# --- manners -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.slow
def test_a_run_prints_warns_and_logs_nothing():
    code = """
import logging, warnings
warnings.simplefilter("error")
import torch
from holonomy._core.training import TrainingOptions, fit_module
for precision in ("32-true", "bf16-mixed"):
    fit_module(torch.nn.Linear(2, 1), lambda m, b, s: m(b).square().mean(), torch.ones(8, 2),
               scheduler=lambda o: torch.optim.lr_scheduler.StepLR(o, 1),
               options=TrainingOptions(max_epochs=2, ema_decay=0.9, precision=precision, device="cpu"))
assert logging.getLogger("lightning_fabric").level == logging.INFO
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_progress_is_shown_when_asked_for():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = fit_module(make_network(), squared_error, make_data(), options=options(progress=True))
    assert result.n_epochs == 3
