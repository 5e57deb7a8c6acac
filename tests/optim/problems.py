"""What the tests of the optimisers share: spaces, runs, and problems whose solutions are known."""

import torch

from holonomy.manifolds import (
    SPD,
    Euclidean,
    Grassmann,
    Hyperboloid,
    PoincareBall,
    Power,
    Product,
    SpecialOrthogonal,
    Sphere,
    Stereographic,
    Stiefel,
)
from holonomy.optim import (
    RiemannianAdagrad,
    RiemannianAdam,
    RiemannianAdamNc,
    RiemannianAdamW,
    RiemannianAMSGrad,
    RiemannianSGD,
)

METHODS = {
    "sgd": lambda params, **options: RiemannianSGD(params, **options),
    "momentum": lambda params, **options: RiemannianSGD(params, momentum=0.8, **options),
    "nesterov": lambda params, **options: RiemannianSGD(params, momentum=0.8, nesterov=True, **options),
    "adagrad": RiemannianAdagrad,
    "adam": RiemannianAdam,
    "adam largest": lambda params, **options: RiemannianAdam(params, amsgrad=True, **options),
    "amsgrad": RiemannianAMSGrad,
    "adamnc": RiemannianAdamNc,
    "adamw": RiemannianAdamW,
}

SPACES = {
    "sphere": Sphere(3),
    "hyperboloid": Hyperboloid(3),
    "ball": PoincareBall(3),
    "stereographic": Stereographic(3, 0.5),
    "spd": SPD(3),
    "rotations": SpecialOrthogonal(3),
    "stiefel": Stiefel(5, 2),
    "grassmann": Grassmann(5, 2),
    "product": Product(Sphere(2), PoincareBall(2), Euclidean(2)),
    "power": Power(Hyperboloid(2), 3),
}


def points(space, *size, seed=0, dtype=torch.float64, spread=0.5):
    """Return random points of a space, compact or not."""
    return space.random_normal(*size, std=spread, random_state=seed, dtype=dtype).detach()


def descend(optimizer, loss, steps):
    """Do steps down a loss, and return its values before each."""
    values = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        values.append(float(value))
    return values
