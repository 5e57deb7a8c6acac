"""Riemannian adaptive optimisation methods (Becigneul & Ganea 2019): Adam, AMSGrad and Adagrad on products.

Sizes are shrunk for time: WordNet is embedded for 6 epochs (the mammals, batches of 50) or one (the first 20 % of the
pairs of the noun closure, batches of 1000) with 10 negatives, where the paper trains for many epochs with batches of
10. Learning rates are chosen on a grid of five by a seed of their own, for steps along geodesics; steps by the
retraction, the chordal one of the ball, use the same ones.
"""

from functools import cache

import numpy as np
import torch
from torch import nn

from claims.experiment import Outcome, check
from holonomy.datasets import load
from holonomy.manifolds import SPD, Euclidean, Hyperboloid, PoincareBall, Sphere
from holonomy.optim import (
    RiemannianAdagrad,
    RiemannianAdam,
    RiemannianAdamNc,
    RiemannianAMSGrad,
    RiemannianSGD,
    register_manifold,
)

NEGATIVES, DIMENSION, TUNING_SEED = 10, 5, 1000
SETS = {"mammals": {"epochs": 6, "batch": 50}, "nouns": {"epochs": 1, "batch": 1000}}
METHODS = {
    "RSGD": (RiemannianSGD, (0.3, 1.0, 3.0, 10.0, 30.0)),
    "RAdagrad": (RiemannianAdagrad, (0.03, 0.1, 0.3, 1.0, 3.0)),
    "RAdam": (RiemannianAdam, (0.01, 0.03, 0.1, 0.2, 0.4)),
    "RAMSGrad": (RiemannianAMSGrad, (0.01, 0.03, 0.1, 0.2, 0.4)),
}


@cache
def closure_pairs(name):
    """Return the pairs (synset, hypernym) of a closure, numbered from 0, and how many synsets there are."""
    closure = load("wordnet_mammals" if name == "mammals" else "wordnet_nouns").closure.tocoo()
    pairs = np.stack([closure.row, closure.col], axis=1)
    if name == "nouns":
        pairs = pairs[: len(pairs) // 5]
    names, numbers = np.unique(pairs, return_inverse=True)
    return torch.from_numpy(numbers.reshape(pairs.shape)), len(names)


def ranking_loss(ball, table, chosen, others):
    """Return the cross-entropy of telling the hypernym of each synset from the negatives, by distance."""
    points = table(torch.cat([chosen, others], dim=1))
    return nn.functional.cross_entropy(
        -ball.dist(points[:, :1], points[:, 1:]), torch.zeros(len(chosen), dtype=torch.long)
    )


@cache
def train(name, method, lr, step, seed):
    """Embed a closure; return the mean training loss of a last pass over the pairs, without steps, and the points."""
    pairs, count = closure_pairs(name)
    ball, table = PoincareBall(DIMENSION), nn.Embedding(count, DIMENSION, sparse=True)
    start = ball.random_normal(count, std=1e-2, random_state=seed)
    register_manifold(table, "weight", ball, start)
    optimizer, generator = METHODS[method][0](table, lr=lr, step=step), torch.Generator().manual_seed(seed)
    size = SETS[name]["batch"]

    def negatives(rows):
        return torch.randint(count, (rows, NEGATIVES), generator=generator)

    for _ in range(SETS[name]["epochs"]):
        for chosen in pairs[torch.randperm(len(pairs), generator=generator)].split(size):
            optimizer.zero_grad()
            ranking_loss(ball, table, chosen, negatives(len(chosen))).backward()
            optimizer.step()
    with torch.no_grad():
        batches = pairs.split(8192)
        losses = [float(ranking_loss(ball, table, b, negatives(len(b)))) * len(b) for b in batches]
    return sum(losses) / len(pairs), table.weight.detach()


@cache
def best_rate(name, method):
    """Return the rate of the grid with the smallest loss for the seed of the tuning; a rate that diverges is out."""

    def loss(lr):
        try:
            return train(name, method, lr, "exp", TUNING_SEED)[0]
        except ValueError:
            return np.inf

    return min(METHODS[method][1], key=loss)


def losses(method, seed):
    """Return training losses by data set and kind of step."""
    return {
        f"{name}, {step}": train(name, method, best_rate(name, method), step, seed)[0]
        for name in SETS
        for step in ("exp", "retract")
    }


@check(
    "Embedding WordNet in the ball, RAMSGrad reaches at most the training loss of RAdam after the same epochs.",
    "mean(measured) <= mean(baseline)",
    reason="It holds on the nouns, and not on the mammals after 6 epochs, by 0.02, along geodesics and by the "
    "retraction alike, whose losses differ by less than 0.0002; the cause is not established.",
)
def amsgrad_beside_adam(seed):
    """Compare losses at tuned rates."""
    return Outcome(losses("RAMSGrad", seed), losses("RAdam", seed))


@check(
    "Embedding WordNet in the ball, RAMSGrad reaches at most the training loss of RAdagrad after the same epochs.",
    "mean(measured) <= mean(baseline)",
)
def amsgrad_beside_adagrad(seed):
    """Compare losses at tuned rates."""
    return Outcome(losses("RAMSGrad", seed), losses("RAdagrad", seed))


@check(
    "Embedding WordNet in the ball, RAdam reaches at most the training loss of tuned RSGD after the same epochs.",
    "mean(measured) <= mean(baseline)",
)
def adam_beside_sgd(seed):
    """Compare losses at tuned rates."""
    return Outcome(losses("RAdam", seed), losses("RSGD", seed))


@check(
    "Embedding WordNet in the ball, RAMSGrad reaches at most the training loss of tuned RSGD after the same epochs.",
    "mean(measured) <= mean(baseline)",
)
def amsgrad_beside_sgd(seed):
    """Compare losses at tuned rates."""
    return Outcome(losses("RAMSGrad", seed), losses("RSGD", seed))


def average_precision(points):
    """Return the mean average precision of the hypernyms of each mammal among all, by distance."""
    pairs, count = closure_pairs("mammals")
    linked = torch.zeros(count, count, dtype=torch.bool)
    linked[pairs[:, 0], pairs[:, 1]] = True
    distances = PoincareBall(DIMENSION).dist(points[:, None], points[None])
    distances.fill_diagonal_(torch.inf)
    hits = linked.gather(1, distances.argsort(dim=1)).double()
    precision = hits.cumsum(1) / torch.arange(1, count + 1)
    members = hits.sum(1) > 0
    return float(((precision * hits).sum(1)[members] / hits.sum(1)[members]).mean())


@check(
    "The hypernyms of a mammal are nearer to it than other mammals more often than where training started (mean "
    "average precision; of the methods among each other nothing is claimed).",
    "measured > baseline",
)
def average_precision_of_mammals(seed):
    """Return the precision of every method."""
    start = PoincareBall(DIMENSION).random_normal(closure_pairs("mammals")[1], std=1e-2, random_state=seed)
    found = {
        method: average_precision(train("mammals", method, best_rate("mammals", method), "exp", seed)[1])
        for method in METHODS
    }
    return Outcome(found, average_precision(start))


SPACES = (Hyperboloid(2), Sphere(2), Euclidean(3), SPD(3))
SCALES = (1.0, 1e4, 1e2, 10.0)
TARGET = 1e-6


def iterations(method, rate, start, goal, most):
    """Return after how many steps ``sum of c d^2`` is below the target, at most ``most``."""
    points = [x.clone().requires_grad_() for x in start]
    groups = [{"params": [x], "manifold": space} for x, space in zip(points, SPACES, strict=True)]
    optimizer = method(groups, lr=rate)
    for count in range(most):
        optimizer.zero_grad()
        terms = zip(SCALES, SPACES, points, goal, strict=True)
        loss = sum(scale * space.squared_dist(x, y) for scale, space, x, y in terms)
        if float(loss.detach()) < TARGET:
            return count
        loss.backward()
        optimizer.step()
    return most


@check(
    "On H^2 x S^2 x R^3 x SPD(3), a sum of squared distances with weights from 1 to 1e4 falls below 1e-6 in five times "
    "fewer steps by the best adaptive method than by RSGD, each at its best rate.",
    "5 * measured <= baseline",
)
def badly_scaled_product(seed):
    """Return steps; RSGD is stopped at 100 times the steps of the adaptive method."""
    start = [space.random_normal(std=0.5, random_state=seed, dtype=torch.float64) for space in SPACES]
    goal = [space.random_normal(std=0.5, random_state=seed + 100, dtype=torch.float64) for space in SPACES]
    grids = {RiemannianAdagrad: (0.3, 1.0, 3.0), RiemannianAdam: (0.03, 0.1), RiemannianAMSGrad: (0.03, 0.1)}
    adaptive = 1000
    for method, rates in grids.items():
        for rate in rates:
            adaptive = min(adaptive, iterations(method, rate, start, goal, adaptive))
    steepest = 100 * adaptive
    for rate in (0.3e-4, 0.5e-4, 0.7e-4, 0.9e-4):
        steepest = min(steepest, iterations(RiemannianSGD, rate, start, goal, steepest))
    return Outcome(adaptive, steepest)


REPLICAS, HORIZON = 64, 10_000


def best_points(space, data):
    """Return the Frechet means (n, ...) of data (n, t, ...), by gradient descent."""
    x = data[:, 0].clone()
    for _ in range(100):
        v = space.log(x.unsqueeze(1), data).mean(1)
        x = space.exp(x, 0.8 * v)
        if float(space.norm(x, v).max()) < 1e-9:
            break
    return x


def regret_exponent(method, seed):
    """Return the slope of log average regret over log T, for one method on H^3 with rates a / sqrt(t)."""
    space = Hyperboloid(3)
    data = space.random_normal(HORIZON, REPLICAS, std=0.5, random_state=seed, dtype=torch.float64)
    x = space.origin(REPLICAS, dtype=torch.float64)
    # Start away from the centre of the data.
    x = space.exp(x, torch.tensor([0.0, 1.0, 0.0, 0.0], dtype=torch.float64)).requires_grad_()
    optimizer = method([x], lr=0.3, beta1_decay=0.99, manifold=space)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: (t + 1) ** -0.5)
    suffered = torch.zeros(REPLICAS, dtype=torch.float64)
    horizons = [10, 30, 100, 300, 1000, 3000, HORIZON]
    regrets = []
    for t in range(HORIZON):
        v = space.log(x.detach(), data[t])
        suffered += space.inner(x.detach(), v, v)
        # The derivative of the squared distance, -2 log, with the index lowered by the Minkowski product.
        x.grad = -2.0 * torch.cat([-v[:, :1], v[:, 1:]], dim=-1)
        optimizer.step()
        schedule.step()
        if t + 1 in horizons:
            seen = data[: t + 1].transpose(0, 1)
            best = space.squared_dist(best_points(space, seen).unsqueeze(1), seen).sum(1)
            regrets.append(float((suffered - best).mean()) / (t + 1))
    return float(np.polyfit(np.log(horizons), np.log(regrets), 1)[0])


@check(
    "Online, with squared distances to random points of H^3 as losses and rates a / sqrt(t), the average regret of "
    "RAMSGrad and of RAdamNc falls at least as fast as T^-0.45 from T = 10 to 10,000.",
    "measured <= -0.45",
)
def regret(seed):
    """Return exponents."""
    methods = {"RAMSGrad": RiemannianAMSGrad, "RAdamNc": RiemannianAdamNc}
    return Outcome({name: regret_exponent(method, seed) for name, method in methods.items()})


@cache
def counterexample(amsgrad, seed):
    """Return how far from the best point, -1, the iterate on a geodesic ends: losses C r, -r, -r in turn, |r| <= 1."""
    line, slope = Hyperboloid(1), 3.0
    start = 0.5 * np.random.default_rng(seed).uniform(-1, 1)
    along = torch.tensor([0.0, 1.0], dtype=torch.float64)
    origin = line.origin(dtype=torch.float64)
    x = line.exp(origin, start * along).requires_grad_()
    method = RiemannianAMSGrad if amsgrad else RiemannianAdam
    options = {} if amsgrad else {"bias_correction": False}
    optimizer = method([x], lr=0.3, betas=(0.0, 1.0 / (1.0 + slope**2)), manifold=line, **options)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: (t + 1) ** -0.5)
    for t in range(6000):
        optimizer.zero_grad()
        r = torch.asinh(x[1])
        ((slope if t % 3 == 0 else -1.0) * r).backward()
        optimizer.step()
        schedule.step()
        with torch.no_grad():
            x.copy_(line.exp(origin, torch.asinh(x[1]).clamp(-1.0, 1.0) * along))
    return float(torch.asinh(x.detach()[1]) + 1.0)


@check("On the counter-example of Reddi et al., put on a geodesic, RAMSGrad ends at the best point.", "measured < 0.05")
def counterexample_for_amsgrad(seed):
    """Return the distance from it."""
    return Outcome(counterexample(True, seed))


@check(
    "On the counter-example of Reddi et al., put on a geodesic, RAdam ends at the worst point, at a distance of 2.",
    "measured > 1.9",
)
def counterexample_for_adam(seed):
    """Return the distance from the best point."""
    return Outcome(counterexample(False, seed))


@check(
    "With the retraction and projected momentum, RAdam and RAMSGrad with bias correction move on the sphere as "
    "geoopt's do, over 200 steps.",
    "measured < 1e-9",
)
def trajectories_of_geoopt(seed):
    """Return the largest difference of coordinates."""
    import geoopt

    sphere = Sphere(4)
    start = sphere.random_uniform(20, random_state=seed, dtype=torch.float64)
    target = torch.randn(5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    found = {}
    for name, amsgrad in (("RAdam", False), ("RAMSGrad", True)):
        ours = start.clone().requires_grad_()
        theirs = geoopt.ManifoldParameter(start.clone(), manifold=geoopt.Sphere())
        mine = RiemannianAdam([ours], lr=0.02, amsgrad=amsgrad, step="retract", transport="project", manifold=sphere)
        peer = geoopt.optim.RiemannianAdam([theirs], lr=0.02, amsgrad=amsgrad)
        worst = 0.0
        for _ in range(200):
            for x, optimizer in ((ours, mine), (theirs, peer)):
                optimizer.zero_grad()
                (x @ target @ x.T).diagonal().sum().backward()
                optimizer.step()
            worst = max(worst, float((ours.detach() - theirs.detach()).abs().max()))
        found[name] = worst
    return Outcome(found)


@check(
    "At radius 0.9 of the ball the first step of RSGD with momentum has the length lr |g|, where geoopt's is more than "
    "50 times as long.",
    "50 * measured < baseline",
)
def first_step_with_momentum(seed):
    """Return lengths of the first steps over lr |g|."""
    import geoopt

    ball, lr = PoincareBall(2), 1e-4
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    start = 0.9 * torch.tensor([np.cos(angle), np.sin(angle)], dtype=torch.float64)
    slope = torch.tensor([1.0, 0.5], dtype=torch.float64)
    gradient = ball.egrad_to_rgrad(start, slope)
    ours, theirs = start.clone().requires_grad_(), geoopt.ManifoldParameter(start.clone(), geoopt.PoincareBall())
    mine = RiemannianSGD([ours], lr=lr, momentum=0.9, manifold=ball)
    lengths = []
    for x, optimizer in ((ours, mine), (theirs, geoopt.optim.RiemannianSGD([theirs], lr=lr, momentum=0.9))):
        (x * slope).sum().backward()
        optimizer.step()
        lengths.append(float(ball.dist(x.detach(), start) / (lr * ball.norm(start, gradient))))
    return Outcome(lengths[0], lengths[1])
