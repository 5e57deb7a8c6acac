"""Every verb of the spaces of constant curvature, and its gradient, against 120 digits.

An answer may be off by ``TARGET`` relative to its size, or by a few times what rounding the inputs to their dtype
does to the exact answer, whichever is more: nothing can know better than its inputs. Sizes are those of coordinates;
for tangent vectors of the hyperboloid, whose radial coordinates are stretched by up to exp(40), the metric's will do.
"""

import functools
import itertools

import pytest
import torch
from mpmath import mp, mpf

from holonomy.manifolds import Hyperboloid, PoincareBall, Sphere, Stereographic, _fused
from tests.manifolds import oracle

pytestmark = pytest.mark.slow

TARGET = {torch.float32: 1e-5, torch.float64: 1e-12}
ROUNDING = 8
UNDERFLOW = 1e-30
DTYPES = (torch.float32, torch.float64)

RADII = (0.0, 1e-8, 1e-3, 1.0, 6.0, 20.0, 40.0)
LENGTHS = (1e-8, 1e-3, 1.0, 12.0)
DIRECTIONS = ((0.6, 0.48, 0.64), (-0.36, 0.48, 0.8), (0.8, -0.6, 0.0))
HEADINGS = ((0.48, -0.6, 0.64), (0.6, 0.48, 0.64), (-0.6, -0.48, -0.64))


def both(verb, *inputs):
    """Return what the compiled kernels answer, and the same formulas in plain torch."""
    compiled = verb(*inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_fused, "served", lambda *tensors: False)
        return {"compiled": compiled, "plain": verb(*inputs)}


def cases(curvature, farthest, dtype):
    """Points at given radii, and points and vectors at given lengths from them along, against and across."""
    unit = mpf(1) / mp.sqrt(abs(mpf(curvature))) if curvature else mpf(1)
    chart = oracle.Stereographic(curvature)
    for radius, reach, (u, w) in itertools.product(RADII, LENGTHS, zip(DIRECTIONS, HEADINGS, strict=True)):
        if radius + reach > farthest:
            continue
        x = [chart.tan(radius * unit / 2) * mpf(a) for a in u]
        v = [reach * unit / 2 * (1 + chart.k * oracle.dot(x, x)) * mpf(a) for a in w]
        yield tuple(torch.tensor([float(a) for a in z], dtype=dtype) for z in (x, chart.exp(x, v), v))


def embedded(point, curvature):
    """The coordinates, after the first, of a chart point on the hyperboloid; all of them on the sphere."""
    square = mpf(curvature) * oracle.dot(point, point)
    rest = [2 * a / (1 + square) for a in point]
    return rest if curvature < 0 else [(1 - square) / (1 + square) / mp.sqrt(mpf(curvature)), *rest]


SIGNS = ((1, -1, 1, -1), (1, 1, -1, -1))


def jitter(points, index, signs, eps):
    """The points with the coordinates of one of them off by half a unit in the last place."""
    moved = [a * (1 + mpf(sign * eps)) for a, sign in zip(points[index], signs, strict=False)]
    return [moved if i == index else p for i, p in enumerate(points)]


def size(values):
    return oracle.length(values) if isinstance(values, list) else abs(values)


def gap(a, b):
    return size([p - q for p, q in zip(a, b, strict=True)] if isinstance(a, list) else a - b)


def judge(reference, inputs, answers, dtype, what, norm=None):
    """Compare both answers with the reference, at the inputs and at inputs off by half a unit in the last place."""
    points = [oracle.exact(z) for z in inputs]
    expected = reference(*points)
    eps = torch.finfo(dtype).eps / 2
    spread = sum(
        max(gap(reference(*jitter(points, index, signs, eps)), expected) for signs in SIGNS)
        for index in range(len(points))
    )
    for passes, answer in answers.items():
        found = oracle.exact(answer) if isinstance(expected, list) else mpf(float(answer))
        error = gap(found, expected)
        if norm is not None and norm([a - b for a, b in zip(found, expected, strict=True)]) <= TARGET[dtype] * norm(
            expected
        ):
            continue
        assert error <= TARGET[dtype] * size(expected) + ROUNDING * spread + UNDERFLOW, (
            f"{what}, {passes}: error {mp.nstr(error, 3)} at size {mp.nstr(size(expected), 3)}, "
            f"inputs allow {mp.nstr(spread, 3)}"
        )


def lift(x):
    """Add the first coordinate of a hyperboloid, rounded."""
    return lambda curvature: torch.cat([(x.double().square().sum() - 1 / curvature).sqrt()[None].to(x.dtype), x])


def rest(answers):
    """Leave out the first coordinate of each."""
    return {passes: answer[1:] for passes, answer in answers.items()}


def tangent(x, v, curvature):
    """Add the first coordinate of a tangent vector."""
    time = (x.double().square().sum() - 1 / curvature).sqrt()
    return torch.cat([((x.double() * v.double()).sum() / time)[None].to(v.dtype), v])


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("curvature", [-10.0, -1.0, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 1.0, 10.0])
def test_stereographic(curvature, dtype):
    farthest = 40.0 if curvature == 0 else 3.0 if curvature > 0 else 14.0 if dtype is torch.float32 else 34.0
    space, reference = Stereographic(3, curvature), oracle.Stereographic(curvature)
    for x, y, v in cases(curvature, farthest, dtype):
        judge(reference.dist, (x, y), both(space.dist, x, y), dtype, "dist")
        judge(reference.log, (x, y), both(space.log, x, y), dtype, "log")
        judge(reference.exp, (x, v), both(space.exp, x, v), dtype, "exp")
        judge(reference.transport, (x, y, v), both(space.transport, x, y, v), dtype, "transport")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("curvature", [-1e3, -10.0, -1.0, -1e-3])
def test_hyperboloid(curvature, dtype):
    space, reference = Hyperboloid(3, curvature), oracle.Hyperboloid(curvature)
    for chart_x, chart_y, chart_v in cases(curvature, 40.0, torch.float64):
        if 1 + curvature * float((chart_y**2).sum()) <= 0:
            continue
        a, b = (torch.tensor([float(c) for c in embedded(oracle.exact(z), curvature)], dtype=dtype) for z in
                (chart_x, chart_y))  # fmt: skip
        x, y = lift(a)(curvature), lift(b)(curvature)
        w = (chart_v / chart_v.norm()).to(dtype)
        v = tangent(a, w, curvature)
        judge(reference.dist, (a, b), both(space.dist, x, y), dtype, "dist")
        judge(reference.log, (a, b), rest(both(space.log, x, y)), dtype, "log")
        judge(reference.exp, (a, w), rest(both(space.exp, x, v)), dtype, "exp")
        norm = functools.partial(reference.norm, oracle.exact(b))
        judge(reference.transport, (a, b, w), rest(both(space.transport, x, y, v)), dtype, "transport", norm)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("curvature", [1e-3, 1.0, 10.0, 1e3])
def test_sphere(curvature, dtype):
    space, reference = Sphere(3, curvature), oracle.Sphere(curvature)
    for chart_x, chart_y, chart_v in cases(curvature, 3.0, torch.float64):
        x, y = (torch.tensor([float(c) for c in embedded(oracle.exact(z), curvature)], dtype=dtype) for z in
                (chart_x, chart_y))  # fmt: skip
        v = space.project_tangent(x, torch.cat([chart_v[:1], chart_v]).to(dtype))
        judge(reference.transport, (x, y, v), both(space.transport, x, y, v), dtype, "transport")
        judge(reference.exp, (x, v), both(space.exp, x, v), dtype, "exp")
        for z in (y, -y):
            judge(reference.dist, (x, z), both(space.dist, x, z), dtype, "dist")
            judge(reference.log, (x, z), both(space.log, x, z), dtype, "log")


def gradients(verb, inputs, weights):
    """Return both answers for the gradient by each input."""

    def gradient(*inputs):
        variables = [z.clone().requires_grad_() for z in inputs]
        output = verb(*variables)
        return torch.autograd.grad((output * weights).sum() if output.ndim else output, variables)

    answers = both(gradient, *inputs)
    return [dict(zip(answers, by_input, strict=True)) for by_input in zip(*answers.values(), strict=True)]


def slopes(reference, weights, index):
    """The exact gradient by one input, from central differences in 120 digits."""

    def function(*points):
        value = reference(*points)
        return oracle.dot(value, weights) if isinstance(value, list) else value

    def result(*points):
        found = []
        for j in range(len(points[index])):
            step = mpf(10) ** -40 * (1 + abs(points[index][j]))
            up, down = ([list(p) for p in points] for _ in range(2))
            up[index][j] += step
            down[index][j] -= step
            found.append((function(*up) - function(*down)) / (2 * step))
        return found

    return result


WEIGHTS = (0.7, -0.4, 0.9)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("curvature", [-10.0, -1.0, -1e-6, 0.0, 1e-6, 1.0])
def test_gradients_in_the_chart(curvature, dtype):
    space, reference = Stereographic(3, curvature), oracle.Stereographic(curvature)
    farthest = 6.0 if curvature <= 0 else 1.0
    weights = torch.tensor(WEIGHTS, dtype=dtype)
    for x, y, v in itertools.islice(cases(curvature, farthest, dtype), 0, None, 4):
        for name, inputs in (("dist", (x, y)), ("log", (x, y)), ("exp", (x, v)), ("transport", (x, y, v))):
            for index, found in enumerate(gradients(getattr(space, name), inputs, weights)):
                exact = slopes(getattr(reference, name), oracle.exact(weights), index)
                judge(exact, inputs, found, dtype, f"gradient {index} of {name}")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("curvature", [-100.0, -1.0, -1e-2])
def test_gradients_on_the_hyperboloid(curvature, dtype):
    space, reference = Hyperboloid(3, curvature), oracle.Hyperboloid(curvature)
    weights = torch.tensor(WEIGHTS, dtype=dtype)
    for chart_x, chart_y, chart_v in itertools.islice(cases(curvature, 12.0, torch.float64), 0, None, 4):
        a, b = (torch.tensor([float(c) for c in embedded(oracle.exact(z), curvature)], dtype=dtype) for z in
                (chart_x, chart_y))  # fmt: skip
        if torch.equal(a, b):
            continue
        w = (chart_v / chart_v.norm() / abs(curvature) ** 0.5).to(dtype)
        verbs = {
            "dist": (lambda p, q: space.dist(lift(p)(curvature), lift(q)(curvature)), (a, b)),
            "log": (lambda p, q: space.log(lift(p)(curvature), lift(q)(curvature))[1:], (a, b)),
            "exp": (lambda p, u: space.exp(lift(p)(curvature), tangent(p, u, curvature))[1:], (a, w)),
        }
        for name, (verb, inputs) in verbs.items():
            for index, found in enumerate(gradients(verb, inputs, weights)):
                exact = slopes(getattr(reference, name), oracle.exact(weights), index)
                judge(exact, inputs, found, dtype, f"gradient {index} of {name}")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("curvature", [-100.0, -1.0, -1e-2])
def test_gradients_of_transport_on_the_hyperboloid(curvature, dtype):
    space, reference = Hyperboloid(3, curvature), oracle.Hyperboloid(curvature)
    weights, radius = torch.tensor(WEIGHTS, dtype=dtype), abs(curvature) ** -0.5
    starts = ((0.0, 0.0, 0.0), (0.3, -0.2, 0.4), (40.0, 10.0, -20.0))
    ends = ((0.3, -0.2, 0.4001), (1.0, 2.0, -2.0), (-40.0, 10.0, 25.0))

    def moved(p, q, u):
        return space.transport(lift(p)(curvature), lift(q)(curvature), tangent(p, u, curvature))[1:]

    for a, b in itertools.product(starts, ends):
        inputs = tuple(radius * torch.tensor(c, dtype=dtype) for c in (a, b, (0.6, 0.5, -0.7)))
        for index, found in enumerate(gradients(moved, inputs, weights)):
            exact = slopes(reference.transport, oracle.exact(weights), index)
            judge(exact, inputs, found, dtype, f"gradient {index} of transport from {a} to {b}")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("curvature", [1e-2, 1.0, 100.0])
def test_gradients_on_the_sphere(curvature, dtype):
    """Along the sphere: what an embedded formula says of directions off it is its own affair."""
    space, reference = Sphere(3, curvature), oracle.Sphere(curvature)
    weights = torch.tensor((*WEIGHTS, 0.3), dtype=dtype)
    for chart_x, chart_y, chart_v in itertools.islice(cases(curvature, 3.0, torch.float64), 0, None, 2):
        x, y = (torch.tensor([float(c) for c in embedded(oracle.exact(z), curvature)], dtype=dtype) for z in
                (chart_x, chart_y))  # fmt: skip
        v = space.project_tangent(x, torch.cat([chart_v[:1], chart_v]).to(dtype))
        places = {"dist": (x, y), "log": (x, y), "exp": (x, v), "transport": (x, y, v)}
        for name, inputs in places.items():
            for index, found in enumerate(gradients(getattr(space, name), inputs, weights)):
                exact = slopes(getattr(reference, name), oracle.exact(weights), index)
                foot = y if index == 1 and name != "exp" else x

                def along(vector, foot=foot):
                    normal = oracle.exact(foot)
                    part = oracle.dot(vector, normal) / oracle.dot(normal, normal)
                    return oracle.combine(1, vector, -part, normal)

                tangents = {
                    passes: torch.tensor([float(c) for c in along(oracle.exact(slope))], dtype=torch.float64)
                    for passes, slope in found.items()
                }
                judge(lambda *p, e=exact, a=along: a(e(*p)), inputs, tangents, dtype, f"gradient {index} of {name}")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_ball_is_the_chart(dtype):
    ball, chart = PoincareBall(3, -2.0), Stereographic(3, -2.0)
    for x, y, v in cases(-2.0, 12.0, dtype):
        for verb, inputs in (("dist", (x, y)), ("exp", (x, v))):
            for passes, found in both(getattr(ball, verb), *inputs).items():
                assert torch.equal(found, both(getattr(chart, verb), *inputs)[passes])
