import pytest
import torch

from holonomy.manifolds import Euclidean, Hyperboloid, PoincareBall, Sphere, Stereographic, convert, convert_tangent

PAIRS = [
    pair
    for k in (1e-3, 0.3, 1.0, 7.0, 1e3)
    for pair in (
        (Hyperboloid(3, -k), PoincareBall(3, -k)),
        (PoincareBall(3, -k), Hyperboloid(3, -k)),
        (PoincareBall(3, -k), Stereographic(3, -k)),
        (Sphere(3, k), Stereographic(3, k)),
        (Stereographic(3, k), Sphere(3, k)),
        (Hyperboloid(3, -k), Hyperboloid(3, -k)),
    )
]


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=str)
def test_conversions_are_isometries_that_commute_with_every_verb(source, target):
    scale = abs(source.curvature) ** -0.5
    x, y = source.random_normal(2, 20, std=0.5 * scale, random_state=0, dtype=torch.float64)
    v = scale * source.random_tangent(x, 1)
    p, q, w = convert(x, source, target), convert(y, source, target), convert_tangent(x, v, source, target)
    assert target.belongs(p).all()
    assert target.is_tangent(p, w).all()
    close = {"rtol": 1e-9, "atol": 1e-9 * scale}
    assert torch.allclose(target.dist(p, q), source.dist(x, y), **close)
    assert torch.allclose(target.norm(p, w), source.norm(x, v), **close)
    assert torch.allclose(target.exp(p, w), convert(source.exp(x, v), source, target), **close)
    logs = convert_tangent(x, source.log(x, y), source, target)
    assert torch.allclose(target.log(p, q), logs, **close)
    moved = convert_tangent(y, source.transport(x, y, v), source, target)
    assert torch.allclose(target.transport(p, q, w), moved, **close)
    assert torch.allclose(convert(p, target, source), x, **close)


def test_spaces_that_are_not_isometric_are_refused():
    with pytest.raises(ValueError, match="models of one space"):
        convert(torch.zeros(2), PoincareBall(2, -1.0), Hyperboloid(2, -2.0))
    with pytest.raises(ValueError, match="models of one space"):
        convert(torch.zeros(2), PoincareBall(2), Hyperboloid(3))
    with pytest.raises(TypeError, match="constant curvature"):
        convert(torch.zeros(2), PoincareBall(2), Euclidean(2))
