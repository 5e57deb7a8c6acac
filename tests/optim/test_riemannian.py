import copy
import io

import pytest
import torch
from torch import nn

from holonomy.manifolds import SPD, Euclidean, Hyperboloid, Manifold, PoincareBall, Power, Product, Sphere, Stiefel
from holonomy.optim import RiemannianAdam, RiemannianAMSGrad, RiemannianOptimizer, RiemannianSGD, register_manifold
from tests.optim.problems import METHODS, SPACES, descend, points


def parameter(space, *size, **options):
    return points(space, *size, **options).requires_grad_()


class Words(nn.Module):
    """An embedding in the ball, a direction for each class, and a plain layer."""

    def __init__(self, sparse=False):
        super().__init__()
        ball, sphere = PoincareBall(3), Sphere(2)
        self.table, self.scale = nn.Embedding(20, 3, sparse=sparse), nn.Linear(3, 3)
        register_manifold(self.table, "weight", ball, points(ball, 20, dtype=torch.float32))
        register_manifold(self, "directions", sphere, points(sphere, 4, dtype=torch.float32))

    def forward(self, rows):
        return self.scale(self.table(rows)) @ self.directions.T


def train(model, optimizer, steps, start=0):
    for step in range(start, start + steps):
        rows = torch.randint(20, (8,), generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(rows), rows % 4).backward()
        optimizer.step()


def values(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def derivatives(space, manifold, x, gradient):
    """Return the partial derivatives whose Riemannian gradient is the given one."""
    if space == "spd":
        inverse = torch.linalg.inv(x)
        return inverse @ gradient @ inverse
    if space == "hyperboloid":
        return torch.cat([-gradient[..., :1], gradient[..., 1:]], dim=-1)
    return gradient * (4 / (1 - x.square().sum(-1, keepdim=True)) ** 2 if space == "ball" else 1.0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("space", ["sphere", "hyperboloid", "ball", "spd"])
def test_points_stay_on_their_manifold_for_ten_thousand_steps_in_single_precision(space, method):
    manifold = SPACES[space]
    x = points(manifold, 8, dtype=torch.float32, spread=0.3).requires_grad_()
    optimizer = METHODS[method]([x], lr=0.01, manifold=manifold)
    generator = torch.Generator().manual_seed(0)
    steps = 10_000 if method == {"sphere": "adam", "hyperboloid": "momentum", "ball": "adam"}.get(space) else 200
    towards = points(manifold, 8, dtype=torch.float32, spread=0.3, seed=1)
    for _ in range(steps):
        # Noise, and a pull towards fixed points that keeps it from carrying the iterates to infinity.
        here = x.detach()
        vector = 0.3 * manifold.random_tangent(here, generator) - manifold.log(here, towards)
        x.grad = derivatives(space, manifold, here, vector)
        optimizer.step()
    assert bool(manifold.belongs(x.detach()).all())
    for name in optimizer._state_names(optimizer.param_groups[0])[0]:
        assert bool(manifold.is_tangent(x.detach(), optimizer.state[x][name]).all())


def isometry(space, seed):
    """Return a map of points, built as parallel to nothing in particular: a rotation or a boost of coordinates."""
    generator = torch.Generator().manual_seed(seed)
    n = space.shape[0]
    rotation = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64, generator=generator))[0]
    if isinstance(space, SPD):
        congruence = rotation @ torch.diag(torch.linspace(0.5, 2.0, n, dtype=torch.float64))
        return lambda x: congruence @ x @ congruence.T
    if isinstance(space, Hyperboloid):
        turn = torch.block_diag(torch.ones(1, 1, dtype=torch.float64), rotation[1:, 1:])
        turn = torch.linalg.qr(turn)[0]
        boost = torch.eye(n, dtype=torch.float64)
        boost[:2, :2] = torch.tensor([[1.25, 0.75], [0.75, 1.25]], dtype=torch.float64)
        turn[0, 0] = 1.0
        return lambda x: x @ (turn @ boost).T
    return lambda x: x @ rotation.T


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["sphere", "hyperboloid", "ball", "spd", "stiefel", "grassmann"])
def test_moved_data_and_start_give_moved_iterates(name, method):
    space = SPACES[name]
    move = isometry(space, 5)
    if name in {"stiefel", "grassmann"}:
        rotation = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64))[0]
        move = lambda x: rotation @ x  # noqa: E731
    start, data = points(space, 2, seed=1), points(space, 2, seed=2)
    # Decay pulls to the origin, which isometries move.
    options = {"weight_decay": 0.0} if method == "adamw" else {}
    found = []
    for x, y in ((start, data), (move(start), move(data))):
        moved = x.clone().requires_grad_()
        optimizer = METHODS[method]([moved], lr=0.05, manifold=space, **options)
        descend(optimizer, lambda moved=moved, y=y: space.squared_dist(moved, y).sum(), 15)
        found.append(moved.detach())
    torch.testing.assert_close(found[1], move(found[0]), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_factors_may_be_permuted(method):
    spaces = (Sphere(2), PoincareBall(2), Euclidean(2), SPD(2))
    start = [points(space, 3, seed=i) for i, space in enumerate(spaces)]
    goal = [points(space, 3, seed=i + 9) for i, space in enumerate(spaces)]
    found = []
    for order in ((0, 1, 2, 3), (2, 0, 3, 1)):
        product = Product(*(spaces[i] for i in order))
        x = product.join(*(start[i] for i in order)).requires_grad_()
        y = product.join(*(goal[i] for i in order))
        optimizer = METHODS[method]([x], lr=0.05, manifold=product)
        descend(optimizer, lambda product=product, x=x, y=y: product.squared_dist(x, y).sum(), 10)
        parts = dict(zip(order, product.split(x.detach()), strict=True))
        found.append([parts[i] for i in range(4)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_product_moves_as_its_factors_would_alone(method):
    spaces = (Sphere(2), PoincareBall(2), Euclidean(2))
    start = [points(space, 3, seed=i) for i, space in enumerate(spaces)]
    goal = [points(space, 3, seed=i + 9) for i, space in enumerate(spaces)]
    product = Product(*spaces)
    x, y = product.join(*start).requires_grad_(), product.join(*goal)
    descend(METHODS[method]([x], lr=0.05, manifold=product), lambda: product.squared_dist(x, y).sum(), 10)
    alone = [part.clone().requires_grad_() for part in start]
    groups = [{"params": [part], "manifold": space} for part, space in zip(alone, spaces, strict=True)]
    descend(
        METHODS[method](groups, lr=0.05),
        lambda: sum(space.squared_dist(p, q).sum() for space, p, q in zip(spaces, alone, goal, strict=True)),
        10,
    )
    torch.testing.assert_close(x.detach(), product.join(*alone).detach(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sparse", [False, True])
def test_training_resumes_exactly_from_a_state_dict(method, sparse):
    model = Words(sparse)
    optimizer = METHODS[method](model, lr=0.05)
    train(model, optimizer, 5)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    train(model, optimizer, 5, start=5)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    again = Words(sparse)
    resumed = METHODS[method](again, lr=0.7)
    again.load_state_dict(saved["model"])
    resumed.load_state_dict(saved["optimizer"])
    train(again, resumed, 5, start=5)
    assert torch.equal(values(model), values(again))


@pytest.mark.parametrize("method", METHODS)
def test_copies_of_an_optimizer_with_its_model_go_on_alike(method):
    model = Words()
    optimizer = METHODS[method](model, lr=0.05)
    train(model, optimizer, 3)
    other, copied = copy.deepcopy((model, optimizer))
    train(model, optimizer, 3, start=3)
    train(other, copied, 3, start=3)
    assert torch.equal(values(model), values(other))
    assert str(copied.manifold_of(other.directions)) == str(Sphere(2))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("space", ["ball", "spd", "product", "power"])
def test_parameters_of_one_manifold_move_together_as_each_alone(method, space):
    manifold = SPACES[space]
    found = []
    for foreach in (False, True, None):
        many = [points(manifold, *size, seed=i) for i, size in enumerate([(2,), (3, 2), ()])]
        many = [x.requires_grad_() for x in many]
        optimizer = METHODS[method](many, lr=0.05, manifold=manifold, foreach=foreach)
        goal = points(manifold, seed=9)
        descend(optimizer, lambda m=many, g=goal: sum(manifold.squared_dist(x, g).sum() for x in m), 4)
        many[1].requires_grad_(False)
        many[1].grad = None
        descend(optimizer, lambda m=many, g=goal: sum(manifold.squared_dist(x, g).sum() for x in m[::2]), 2)
        found.append(torch.cat([x.detach().flatten() for x in many]))
    torch.testing.assert_close(found[1], found[0], rtol=1e-12, atol=1e-13)
    assert torch.equal(found[1], found[2])


@pytest.mark.parametrize("options", [{"step": "retract"}, {"transport": "project"}, {"stabilize_every": 2}])
@pytest.mark.parametrize("method", ["momentum", "adagrad", "adam"])
def test_every_way_to_move_reaches_the_goal(method, options):
    for name in ("sphere", "ball", "product"):
        space = SPACES[name]
        y = points(space, 2, seed=1, spread=0.2)
        x = points(space, 2, seed=2, spread=0.2).requires_grad_()
        optimizer = METHODS[method]([x], lr=0.1, manifold=space, **options)
        seen = descend(optimizer, lambda s=space, x=x, y=y: s.squared_dist(x, y).sum(), 60)
        assert seen[-1] < 0.02 * seen[0], name
        assert bool(space.belongs(x.detach()).all())


def test_a_closure_is_called_with_gradients_on_and_its_value_returned():
    x = parameter(Sphere(2), 3)
    optimizer = RiemannianAdam([x], manifold=Sphere(2))

    def closure():
        optimizer.zero_grad()
        loss = x[:, 0].sum()
        loss.backward()
        return loss

    before = float(x[:, 0].sum())
    assert float(optimizer.step(closure)) == before
    assert float(x[:, 0].sum()) < before


def test_schedulers_and_groups_set_the_length_of_steps():
    x, y = (torch.zeros(2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    ball = PoincareBall(2)
    optimizer = RiemannianSGD([{"params": [x], "lr": 1.0}, {"params": [y]}], lr=0.5, manifold=ball)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: (t + 1) ** -0.5)
    lengths = []
    for _ in range(3):
        for one in (x, y):
            one.data.zero_()
            one.grad = torch.tensor([2.0, 0.0], dtype=torch.float64)
        optimizer.step()
        schedule.step()
        lengths.append([float(ball.dist(one.detach(), torch.zeros(2).double())) for one in (x, y)])
    expected = [[1.0 / t**0.5, 0.5 / t**0.5] for t in (1, 2, 3)]
    torch.testing.assert_close(torch.tensor(lengths), torch.tensor(expected))


def test_gradscaler_steps_with_unscaled_gradients_and_skips_what_overflowed():
    ball = PoincareBall(2)
    start = points(ball, 3, dtype=torch.float32)
    plain, scaled = (start.clone().requires_grad_() for _ in range(2))
    optimizers = [RiemannianAdam([one], lr=0.1, manifold=ball) for one in (plain, scaled)]
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for step in range(4):
        optimizers[1].zero_grad()
        factor = float("inf") if step == 2 else 1.0
        scaler.scale(scaled.square().sum() * factor).backward()
        scaler.step(optimizers[1])
        scaler.update()
        if step != 2:
            optimizers[0].zero_grad()
            plain.square().sum().backward()
            optimizers[0].step()
    torch.testing.assert_close(scaled, plain)


def test_compiled_models_and_steps_train_as_plain_ones():
    models = [Words()]
    models.append(copy.deepcopy(models[0]))
    optimizers = [RiemannianAdam(model, lr=0.05) for model in models]
    train(models[0], optimizers[0], 3)
    compiled = torch.compile(models[1], backend="eager")
    stepped = torch.compile(optimizers[1].step, backend="eager")
    for step in range(3):
        rows = torch.randint(20, (8,), generator=torch.Generator().manual_seed(step))
        optimizers[1].zero_grad()
        nn.functional.cross_entropy(compiled(rows), rows % 4).backward()
        stepped()
    torch.testing.assert_close(values(models[0]), values(models[1]))


@pytest.mark.parametrize("other", [False, True])
def test_points_follow_a_learnable_curvature(other):
    sphere = Sphere(2, learnable=True)
    x = points(sphere, 5).requires_grad_()
    optimizer = RiemannianSGD([x], lr=0.1, momentum=0.5, manifold=sphere)
    curvature = RiemannianSGD(sphere.parameters(), lr=0.3) if other else None
    if not other:
        optimizer.add_param_group({"params": list(sphere.parameters()), "manifold": None, "lr": 0.3})
    goal = points(Sphere(2), 5, seed=3)
    for _ in range(3):
        sphere.zero_grad()
        optimizer.zero_grad()
        sphere.squared_dist(x, goal / sphere.curvature.sqrt()).sum().backward()
        if curvature is not None:
            curvature.step()
        optimizer.step()
        assert bool(sphere.belongs(x.detach()).all())
        assert bool(sphere.is_tangent(x.detach(), optimizer.state[x]["momentum_buffer"]).all())
    assert float(sphere.curvature) != 1.0


def test_points_stay_where_they_are_if_told_not_to_follow():
    sphere = Sphere(2, learnable=True)
    x = points(sphere, 5).requires_grad_()
    optimizer = RiemannianSGD([x], lr=0.0, manifold=sphere, reproject=False)
    x.grad = torch.zeros_like(x)
    optimizer.step()
    with torch.no_grad():
        sphere.log_curvature += 0.5
    before = x.detach().clone()
    optimizer._follow_curvatures()
    assert torch.equal(x.detach(), before)


def test_stabilize_brings_points_and_momentum_back():
    sphere = Sphere(2)
    x = parameter(sphere, 4)
    optimizer = RiemannianAdam([x], manifold=sphere)
    x.grad = torch.ones_like(x)
    optimizer.step()
    x.data *= 1.1
    assert not bool(sphere.belongs(x.detach()).any())
    optimizer.stabilize()
    assert bool(sphere.belongs(x.detach()).all())
    assert bool(sphere.is_tangent(x.detach(), optimizer.state[x]["exp_avg"]).all())


def test_the_granularity_says_how_many_second_moments_there_are():
    space = Product(Sphere(2), Euclidean(2), Power(Hyperboloid(2), 3))
    for granularity, shape in (("auto", (4, 6)), ("factor", (4, 5)), ("point", (4,))):
        x = parameter(space, 4)
        optimizer = RiemannianAdam([x], manifold=space, granularity=granularity)
        x.grad = torch.ones_like(x)
        optimizer.step()
        assert tuple(optimizer.state[x]["exp_avg_sq"].shape) == shape


def test_the_module_and_its_parameters_lead_to_the_same_manifolds():
    model = Words()
    for optimizer in (
        RiemannianAdam(model),
        RiemannianAdam(model.parameters()),
        RiemannianAdam(model.named_parameters()),
        RiemannianAdam([{"params": model.parameters()}]),
    ):
        assert str(optimizer.manifold_of(model.directions)) == "Sphere(2, curvature=1)"
        assert optimizer.manifold_of(model.scale.bias) is None
    text = repr(RiemannianAdam(copy.deepcopy(model)))
    assert "table.weight (20, 3) on PoincareBall(3, curvature=-1)" in text
    assert "scale.bias (3,)\n" in text


def test_parameters_without_gradient_stay():
    x, y = parameter(Sphere(2), 2), parameter(Sphere(2), 2)
    optimizer = RiemannianAdam([x, y], manifold=Sphere(2))
    x.grad = torch.ones_like(x)
    before = y.detach().clone()
    optimizer.step()
    assert torch.equal(y.detach(), before)
    assert y not in optimizer.state


@pytest.mark.parametrize("foreach", [False, True])
def test_a_gradient_that_is_not_finite_is_named(foreach):
    ball = PoincareBall(2)
    x, y = parameter(ball, 3), parameter(ball, 2, 2)
    optimizer = RiemannianAdam([("words", x), ("things", y)], manifold=ball, foreach=foreach)
    x.grad, y.grad = torch.zeros_like(x), torch.zeros_like(y)
    y.grad[1, 0, 1] = float("nan")
    with pytest.raises(ValueError, match=r"gradient of things holds NaN or infinity at index \(1, 0, 1\)"):
        optimizer.step()


def test_a_sparse_gradient_that_is_not_finite_is_named_by_its_row():
    table = nn.Embedding(9, 2, sparse=True)
    optimizer = RiemannianSGD(table)
    (table(torch.tensor([7, 3])) * torch.tensor([[float("inf")], [1.0]])).sum().backward()
    with pytest.raises(ValueError, match=r"gradient of weight holds NaN or infinity at index \(7, 0\)"):
        optimizer.step()


def test_large_finite_gradients_are_no_error():
    x = torch.zeros(4, requires_grad=True)
    x.grad = torch.full((4,), 3e38)
    RiemannianSGD([x], lr=0.0).step()
    assert torch.equal(x, torch.zeros(4))


def test_points_off_their_manifold_are_refused_at_the_first_step():
    x = torch.ones(2, 3, requires_grad=True)
    optimizer = RiemannianAdam([("directions", x)], manifold=Sphere(2))
    x.grad = torch.ones_like(x)
    with pytest.raises(ValueError, match="directions must hold points of Sphere"):
        optimizer.step()


def test_sparse_gradients_that_cut_points_are_refused():
    x = parameter(Stiefel(3, 2), 4)
    optimizer = RiemannianSGD([x], manifold=Stiefel(3, 2))
    x.grad = torch.ones_like(x).to_sparse(2)
    with pytest.raises(ValueError, match="must name whole points"):
        optimizer.step()


def test_sparse_gradients_over_two_leading_axes_move_whole_points():
    x = parameter(Stiefel(3, 2), 4, 2)
    before = x.detach().clone()
    optimizer = RiemannianAdam([x], lr=0.1, manifold=Stiefel(3, 2))
    dense = torch.zeros_like(x)
    dense[1, 0] = 1.0
    x.grad = dense.to_sparse(2)
    optimizer.step()
    moved = (x.detach() != before).flatten(2).any(-1)
    assert moved.tolist() == [[False, False], [True, False], [False, False], [False, False]]
    x.grad = torch.ones_like(x)
    optimizer.step()
    assert optimizer.state[x]["step"].tolist() == [[1, 1], [2, 1], [1, 1], [1, 1]]


class Bare(Manifold):
    """Writes nothing."""


@pytest.mark.parametrize(
    ("group", "options", "error", "message"),
    [
        ({}, {"manifold": "ball"}, TypeError, "manifold must be a holonomy.manifolds.Manifold, got str"),
        ({}, {"manifold": Bare(2, (3,))}, TypeError, "must write _project"),
        ({}, {"manifold": Sphere(4)}, ValueError, r"must have a shape that ends with \(5,\)"),
        ({}, {"step": "jump"}, ValueError, "step must be one of"),
        ({}, {"transport": "none"}, ValueError, "transport must be one of"),
        ({}, {"granularity": "coordinate"}, ValueError, "granularity must be one of"),
        ({}, {"decay": "l2"}, ValueError, "decay must be one of"),
        ({}, {"stabilize_every": 0}, ValueError, "stabilize_every must be at least 1"),
        ({}, {"stabilise": 3}, TypeError, "no option stabilise"),
        ({"manifold": 3}, {}, TypeError, "manifold must be"),
    ],
)
def test_bad_options_are_refused(group, options, error, message):
    x = torch.ones(2, 3, requires_grad=True)
    with pytest.raises(error, match=message):
        RiemannianSGD([{"params": [x], **group}], **options)


def test_complex_parameters_are_refused():
    with pytest.raises(TypeError, match="real floating-point"):
        RiemannianSGD([torch.zeros(2, dtype=torch.complex64, requires_grad=True)])


def test_a_refused_group_is_not_kept():
    optimizer = RiemannianSGD([torch.zeros(2, requires_grad=True)])
    with pytest.raises(TypeError):
        optimizer.add_param_group({"params": [torch.zeros(3, requires_grad=True)], "manifold": 1})
    assert len(optimizer.param_groups) == 1


def test_states_of_other_shapes_are_refused():
    x = parameter(Sphere(2), 3)
    optimizer = RiemannianAdam([x], manifold=Sphere(2))
    x.grad = torch.ones_like(x)
    optimizer.step()
    with pytest.raises(ValueError, match="another manifold or another granularity"):
        RiemannianAdam([torch.zeros(3, 3, requires_grad=True)]).load_state_dict(optimizer.state_dict())


def test_strangers_have_no_manifold_here():
    with pytest.raises(ValueError, match="this optimiser has"):
        RiemannianSGD([torch.zeros(2, requires_grad=True)]).manifold_of(torch.zeros(2))


def test_a_method_of_ones_own_writes_one_function():
    class Signed(RiemannianOptimizer):
        def __init__(self, params, lr, **options):
            super().__init__(params, {"lr": lr, "weight_decay": 0.0}, **options)

        def _advance(self, group, rows, g):
            return g, group["lr"], rows.motion.factors.squared_lengths(rows.points, g).sqrt()

    x = parameter(Hyperboloid(2), 4)
    before = x.detach().clone()
    optimizer = Signed([x], 0.25, manifold=Hyperboloid(2))
    x.grad = torch.randn(x.shape, dtype=torch.float64)
    optimizer.step()
    torch.testing.assert_close(Hyperboloid(2).dist(before, x.detach()), torch.full((4,), 0.25, dtype=torch.float64))
    base = RiemannianOptimizer([x], {"lr": 1.0, "weight_decay": 0.0}, manifold=Hyperboloid(2))
    with pytest.raises(NotImplementedError, match="must write _advance"):
        base.step()


def test_weight_decay_pulls_to_the_origin_whatever_the_kind():
    for name in ("hyperboloid", "ball", "spd", "sphere"):
        space = SPACES[name]
        origin = space.origin(dtype=torch.float64)
        for decay in ("coupled", "decoupled"):
            x = points(space, 3, spread=0.3).requires_grad_()
            optimizer = RiemannianSGD([x], lr=0.1, weight_decay=1.0, momentum=0.5, decay=decay, manifold=space)
            before = space.dist(x.detach(), origin)
            for _ in range(10):
                x.grad = torch.zeros_like(x)
                optimizer.step()
            assert bool((space.dist(x.detach(), origin) < before).all()), (name, decay)


def test_amsgrad_of_the_paper_is_not_corrected():
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    x.grad = torch.ones(1, dtype=torch.float64)
    RiemannianAMSGrad([x], lr=1.0, betas=(0.9, 0.99), eps=0.0).step()
    assert float(x) == pytest.approx(-0.1 / 0.1)
