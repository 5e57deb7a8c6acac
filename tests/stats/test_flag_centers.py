import itertools

import numpy as np
import pytest
import torch
from rich.console import Console
from scipy.linalg import subspace_angles

from holonomy.manifolds import Flag
from holonomy.stats import chordal_distance, flag_mean, flag_median
from holonomy.stats._flag_problem import FlagProblem, nested_frame

DIMS = (1, 3)


def noisy(n, d=6, noise=0.2, seed=0, dims=DIMS):
    rng = np.random.default_rng(seed)
    truth = np.linalg.qr(rng.standard_normal((d, dims[-1])))[0]
    flags = truth + noise * rng.standard_normal((n, d, dims[-1]))
    return truth, nested_frame(torch.from_numpy(flags)).numpy()


def blocks_turned(flags, dims, seed=0):
    """Return the same flags by other frames."""
    rng, turned, start = np.random.default_rng(seed), flags.copy(), 0
    for end in dims:
        for i in range(len(flags)):
            turn = np.linalg.qr(rng.standard_normal((end - start, end - start)))[0]
            turned[i][:, start:end] = flags[i][:, start:end] @ turn
        start = end
    return turned


def projectors(frame, dims):
    starts = (0, *dims[:-1])
    return [frame[:, a:b] @ frame[:, a:b].T for a, b in zip(starts, dims, strict=True)]


def test_the_chordal_distance_is_that_of_the_projectors():
    _, flags = noisy(5)
    for x, y in itertools.pairwise(flags):
        squares = [0.5 * np.sum((P - Q) ** 2) for P, Q in zip(projectors(x, DIMS), projectors(y, DIMS), strict=True)]
        assert float(chordal_distance(x, y, DIMS)) == pytest.approx(np.sqrt(sum(squares)), abs=1e-12)


def test_the_chordal_distance_of_subspaces_is_the_sine_of_their_angles():
    _, flags = noisy(2, dims=(3,))
    sines = np.sin(subspace_angles(flags[0], flags[1]))
    assert float(chordal_distance(flags[0], flags[1], (3,))) == pytest.approx(np.linalg.norm(sines), abs=1e-12)


def test_small_distances_keep_their_digits():
    _, flags = noisy(1)
    near = Flag(6, DIMS).exp(
        torch.from_numpy(flags[0]), 1e-9 * Flag(6, DIMS).random_tangent(torch.from_numpy(flags[0]), 0)
    )
    exact = float(Flag(6, DIMS).dist(torch.from_numpy(flags[0]), near))
    assert 0 < float(chordal_distance(flags[0], near.numpy(), DIMS)) < 3 * exact


def test_one_subspace_has_the_leading_eigenvectors_for_its_mean():
    _, flags = noisy(20, d=8, noise=0.5, dims=(3,))
    weights = np.arange(1.0, 21.0)
    P = np.einsum("n,nij,nkj->ik", weights, flags, flags)
    oracle = np.linalg.eigh(P)[1][:, -3:]
    found = flag_mean(flags, (3,), weights)
    assert np.abs(found.point @ found.point.T - oracle @ oracle.T).max() < 1e-8
    assert (found.n_iter, found.start, found.converged) == (0, "closed form", True)


@pytest.mark.parametrize("solver", ["trust_region", "conjugate_gradient"])
def test_the_mean_is_a_minimum_that_no_start_undercuts(solver):
    _, flags = noisy(15, noise=0.7)
    found = flag_mean(flags, DIMS, solver=solver, n_starts=8)
    assert found.converged
    assert found.residual <= 1e-9
    assert min(found.objectives.values()) == pytest.approx(found.objective, abs=1e-12)
    direct = np.mean(chordal_distance(flags, found.point, DIMS) ** 2)
    assert found.objective == pytest.approx(direct, abs=1e-12)
    rng = np.random.default_rng(1)
    for step in (1e-3, 0.1):
        near = np.linalg.qr(found.point + step * rng.standard_normal((30, *found.point.shape)))[0]
        costs = np.mean(chordal_distance(near[:, None], flags, DIMS) ** 2, axis=1)
        assert costs.min() >= found.objective - 1e-12


def test_the_mean_solves_its_equation():
    _, flags = noisy(15, noise=0.5)
    y = flag_mean(flags, DIMS).point
    P = [np.mean([projectors(x, DIMS)[i] for x in flags], axis=0) for i in range(2)]
    gradient = np.concatenate([P[0] @ y[:, :1], P[1] @ y[:, 1:]], axis=1)
    inside = y.T @ gradient
    assert np.abs(gradient - y @ inside).max() < 1e-8
    assert np.abs(inside - inside.T)[0, 1:].max() < 1e-8


@pytest.mark.parametrize("center", [flag_mean, flag_median])
def test_other_frames_of_the_same_flags_have_the_same_center(center):
    _, flags = noisy(12)
    one, other = center(flags, DIMS).point, center(blocks_turned(flags, DIMS), DIMS).point
    assert float(chordal_distance(one, other, DIMS)) < 1e-6


@pytest.mark.parametrize("center", [flag_mean, flag_median])
def test_turning_the_space_turns_the_center(center):
    _, flags = noisy(12)
    turn = np.linalg.qr(np.random.default_rng(3).standard_normal((6, 6)))[0]
    one, other = center(flags, DIMS).point, center(turn @ flags, DIMS).point
    assert float(chordal_distance(turn @ one, other, DIMS)) < 1e-6


@pytest.mark.parametrize("center", [flag_mean, flag_median])
@pytest.mark.parametrize("dims", [(2,), (1, 3), (1, 2, 3)])
def test_the_center_of_one_flag_is_that_flag(center, dims):
    _, flags = noisy(1, dims=dims)
    found = center(flags, dims)
    assert float(chordal_distance(found.point, flags[0], dims)) < 1e-7
    assert found.objective < 1e-7


@pytest.mark.parametrize(("dims", "digits"), [((3,), 1e-7), ((1, 3), 1e-3)])
def test_the_mean_of_two_flags_lies_in_the_middle(dims, digits):
    # No isometry need exchange two flags of several subspaces: their mean is not exactly in the middle.
    _, flags = noisy(2, noise=0.1, dims=dims)
    found = flag_mean(flags, dims)
    distances = chordal_distance(flags, found.point, dims)
    assert distances[0] == pytest.approx(distances[1], rel=digits)
    x, y = torch.from_numpy(flags)
    middle = Flag(6, dims).geodesic(x, y, 0.5)
    cost = float(np.mean(chordal_distance(flags, middle.numpy(), dims) ** 2))
    assert found.objective <= cost + 1e-12
    assert found.objective == pytest.approx(cost, rel=1e-2)


def test_weights_count_as_repetitions():
    _, flags = noisy(4)
    once = flag_mean(flags, DIMS, [1.0, 2.0, 0.0, 3.0]).point
    again = flag_mean(flags[[0, 1, 1, 3, 3, 3]], DIMS).point
    assert float(chordal_distance(once, again, DIMS)) < 1e-7


def test_few_flags_in_a_wide_space_are_averaged_in_their_span():
    _, flags = noisy(4, d=300, noise=0.05)
    space = Flag(300, DIMS)
    problem = FlagProblem(space, torch.from_numpy(flags))
    assert problem.space.shape == (12, 3)
    found = flag_mean(flags, DIMS)
    span = np.linalg.qr(np.concatenate(list(flags), axis=1))[0]
    assert np.abs(found.point - span @ (span.T @ found.point)).max() < 1e-10
    rng = np.random.default_rng(0)
    near = np.linalg.qr(found.point + 1e-3 * rng.standard_normal((50, 300, 3)))[0]
    costs = np.mean(chordal_distance(near[:, None], flags, DIMS) ** 2, axis=1)
    assert costs.min() > found.objective


def test_factored_means_give_what_whole_ones_do():
    _, flags = noisy(5, d=10, noise=0.3)
    problem = FlagProblem(Flag(10, DIMS), torch.from_numpy(flags))
    problem.weigh(torch.arange(1.0, 6.0, dtype=torch.float64))
    assert {P.shape for P in problem._means} == {(10, 5), (10, 10)}
    P = [
        sum(w * torch.from_numpy(projectors(x, DIMS)[i]) for w, x in zip(range(1, 6), flags, strict=True)) / 15
        for i in (0, 1)
    ]
    v = torch.from_numpy(np.random.default_rng(0).standard_normal((10, 3)))
    assert torch.allclose(problem.apply(v), torch.cat([P[0] @ v[:, :1], P[1] @ v[:, 1:]], dim=1), atol=1e-12)


@pytest.mark.parametrize("dims", [(3,), (1, 3)])
def test_the_objective_of_the_median_never_rises_and_ends_at_a_stationary_flag(dims):
    _, flags = noisy(30, noise=0.4, dims=dims)
    flags[:9] = noisy(9, noise=5.0, seed=9, dims=dims)[1]
    found = flag_median(flags, dims, tol=1e-13, max_iter=500)
    assert np.all(np.diff(found.history) <= 0)
    distances = chordal_distance(flags, found.point, dims)
    assert found.objective == pytest.approx(distances.mean(), abs=1e-12)
    again = flag_mean(flags, dims, 1.0 / distances, n_starts=1)
    assert float(chordal_distance(again.point, found.point, dims)) < 1e-4


def test_the_median_withstands_what_moves_the_mean():
    truth, flags = noisy(50, noise=0.05)
    flags[:20] = noisy(1, noise=0.0, seed=5)[1]
    errors = [float(chordal_distance(center(flags, DIMS).point, truth, DIMS)) for center in (flag_mean, flag_median)]
    assert errors[1] < 0.1 < errors[0]


def test_a_median_that_meets_a_flag_divides_by_no_zero():
    _, flags = noisy(6, noise=0.5)
    flags[1:5] = flags[0]
    found = flag_median(flags, DIMS)
    assert float(chordal_distance(found.point, flags[0], DIMS)) < 1e-6
    assert np.isfinite(found.history).all()


def test_frames_that_are_not_orthonormal_keep_their_nested_spans():
    rng = np.random.default_rng(0)
    raw = rng.standard_normal((7, 5, 3))
    with pytest.raises(ValueError, match="orthonormalise=True"):
        flag_mean(raw, DIMS)
    found = flag_mean(raw, DIMS, orthonormalise=True)
    same = flag_mean(np.linalg.qr(raw)[0], DIMS)
    assert float(chordal_distance(found.point, same.point, DIMS)) < 1e-6


def test_tensors_and_lists_come_back_in_kind_and_inputs_stay():
    _, flags = noisy(5)
    before = flags.copy()
    tensor = torch.from_numpy(flags).float()
    found = flag_mean(tensor, DIMS)
    assert isinstance(found.point, torch.Tensor)
    assert found.point.dtype == torch.float32
    assert isinstance(flag_mean(list(flags), DIMS).point, np.ndarray)
    assert np.array_equal(flags, before)


def test_the_same_seed_gives_the_same_bits():
    _, flags = noisy(10, noise=1.0)
    one, two = (flag_mean(flags, DIMS, random_state=3) for _ in range(2))
    assert np.array_equal(one.point, two.point)
    assert one.objectives == two.objectives


def test_the_result_prints():
    _, flags = noisy(5)
    found = flag_median(flags, DIMS)
    console = Console(width=100, record=True)
    console.print(found)
    assert "best start" in console.export_text()
    assert "<table" in found._repr_html_()


def test_a_search_that_is_cut_short_warns():
    from sklearn.exceptions import ConvergenceWarning

    _, flags = noisy(10, noise=1.0)
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        found = flag_mean(flags, DIMS, n_starts=1, max_iter=1, solver="conjugate_gradient")
    assert not found.converged


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"dims": (3, 1)}, ValueError, "increasing"),
        ({"dims": (1, 9)}, ValueError, "dims must be"),
        ({"dims": (1, 2)}, ValueError, "must have 2 columns"),
        ({"flags": np.eye(6)[:, :3]}, ValueError, "flags must have shape"),
        ({"flags": np.full((2, 6, 3), np.nan)}, ValueError, "NaN or infinity"),
        ({"flags": [["a"]]}, TypeError, "real numbers"),
        ({"weights": [1.0, -1.0, 1.0]}, ValueError, "weights must be finite, not negative"),
        ({"weights": [0.0, 0.0, 0.0]}, ValueError, "not all 0"),
        ({"weights": [1.0]}, ValueError, "one for each point"),
        ({"solver": "newton"}, ValueError, "solver must be one of"),
        ({"n_starts": 0}, ValueError, "n_starts must be at least 1"),
        ({"tol": -1.0}, ValueError, "tol must be at least 0"),
        ({"max_iter": 0}, ValueError, "max_iter must be at least 1"),
    ],
)
@pytest.mark.parametrize("center", [flag_mean, flag_median])
def test_bad_arguments_are_named(center, change, error, words):
    arguments = {"flags": noisy(3)[1], "dims": DIMS} | change
    with pytest.raises(error, match=words):
        center(**arguments)


def test_the_median_needs_a_positive_eps_and_distances_equal_rows():
    with pytest.raises(ValueError, match="eps must be positive"):
        flag_median(noisy(3)[1], DIMS, eps=0.0)
    with pytest.raises(ValueError, match="same space"):
        chordal_distance(np.eye(5)[:, :3], np.eye(6)[:, :3], DIMS)
