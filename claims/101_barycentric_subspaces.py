"""Barycentric subspaces: principal components in flat space, spheres and planes off the mean, modes, earth, solvers."""

from functools import cache

import numpy as np
import torch
from scipy.linalg import subspace_angles

from claims.experiment import Outcome, check
from holonomy.datasets import load
from holonomy.manifolds import SPD, AffineInvariant, Euclidean, Hyperboloid, Sphere
from holonomy.stats import BarycentricSubspaceAnalysis, barycentric_project, frechet_mean, span_distance

FIVE = (0, 1, 2, 3, 4)
EARTH = ("earth_volcanoes", "earth_quakes", "earth_floods", "earth_fires")
N_EVENTS = 800
F64 = torch.float64


def rotated(x, seed):
    """Return points turned by a random rotation, and the rotation."""
    Q = np.linalg.qr(np.random.default_rng(seed + 1000).standard_normal((x.shape[1], x.shape[1])))[0]
    return x @ Q, Q


def geodesic_subspace(x, manifold, k):
    """Return references that span the subspace of tangent PCA at the mean: the mean, and points along directions."""
    mean = torch.from_numpy(frechet_mean(x, manifold).point)
    frame = manifold.frame(mean)
    logs = manifold.inner(mean, frame, manifold.log(mean, torch.from_numpy(x)).unsqueeze(1)).numpy()
    axes = torch.from_numpy(np.linalg.svd(logs, full_matrices=False)[2][:k])
    return torch.cat([mean[None], manifold.exp(mean, 0.5 * axes @ frame)]).numpy()


def unexplained(x, references, manifold):
    """Return the mean squared distance of points to a span."""
    return float(np.mean(span_distance(x, references, manifold) ** 2))


@cache
def wide_sphere(seed):
    """Return 200 points of S^5 spread widely near a great sphere of dimension 2, and a basis of its space."""
    rng = np.random.default_rng(seed)
    flat = Sphere(2).random_normal(200, std=1.2, random_state=seed, dtype=F64).numpy()
    x = np.pad(flat, ((0, 0), (0, 3))) + 0.05 * rng.standard_normal((200, 6))
    x, Q = rotated(x / np.linalg.norm(x, axis=1, keepdims=True), seed)
    return x, Q[:3].T


@cache
def sphere_fit(seed):
    """Return the analysis of the sphere with free points."""
    model = BarycentricSubspaceAnalysis(Sphere(5), 2, points="free", random_state=seed)
    return model.fit(wide_sphere(seed)[0])


@check(
    "In flat space free reference points span the principal components: angles and relative excess of accumulated "
    "unexplained variance, by the flag and forward from the mean (5 sets of 100 points in 6 dimensions).",
    "measured < 1e-4",
    seeds=FIVE,
)
def principal_components_in_flat_space(seed):
    """Compare with a singular value decomposition."""
    X = np.random.default_rng(seed).standard_normal((100, 6)) * np.sqrt([9.0, 6.0, 4.0, 2.0, 1.0, 0.5])
    _, s, axes = np.linalg.svd(X - X.mean(0))
    best = sum(np.sum(s[i:] ** 2) for i in range(3))
    measured = {}
    for method in ("bsa", "forward"):
        model = BarycentricSubspaceAnalysis(Euclidean(6), 2, method=method, points="free", random_state=seed).fit(X)
        arms = (model.reference_points_[1:] - model.reference_points_[0]).T
        angles = (np.max(subspace_angles(arms[:, :i], axes[:i].T)) for i in (1, 2))
        measured[f"{method}: angle"] = float(max(angles))
        measured[f"{method}: excess"] = abs(model.auv_ / best - 1.0)
    return Outcome(measured)


@check(
    "Near a great sphere of dimension 2 in S^5, spread widely, barycentric subspaces leave less unexplained than "
    "tangent PCA (geomstats) and than the best geodesics through the mean, one after the other.",
    "measured < baseline",
    seeds=FIVE,
)
def less_unexplained_on_a_wide_sphere(seed):
    """Compare mean squared distances to subspaces of dimension 2."""
    if not hasattr(np, "trapz"):  # the name that geomstats imports, which NumPy 2.4 no longer has
        np.trapz = np.trapezoid  # noqa: NPY201
    from geomstats.geometry.hypersphere import Hypersphere
    from geomstats.learning.pca import TangentPCA

    x, _ = wide_sphere(seed)
    peer = TangentPCA(Hypersphere(5), n_components=2).fit(x)
    mean = np.asarray(peer.base_point_)
    tangents = np.asarray(peer.components_).reshape(2, 6)
    moved = mean + 0.5 * tangents
    references = np.vstack([mean, moved / np.linalg.norm(moved, axis=1, keepdims=True)])
    through_mean = BarycentricSubspaceAnalysis(Sphere(5), 2, method="forward", points="free", random_state=seed).fit(x)
    return Outcome(
        float(sphere_fit(seed).mean_unexplained_variance_[2]),
        {
            "tangent PCA of geomstats": unexplained(x, references, Sphere(5)),
            "geodesics through the mean": float(through_mean.mean_unexplained_variance_[2]),
        },
    )


@check(
    "The great sphere found is within 5 degrees of the true one, by the flag of accumulated unexplained variance (bsa) "
    "and by the joint search (pure).",
    "measured < 5",
    seeds=FIVE,
    reason="The accumulated unexplained variance also counts the distances to the first point, more than a squared "
    "radian a datum at this spread against 0.01 to the last span; a first point off the sphere is nearer to all data, "
    "and tilts the flag. The joint search, whose objective is the last span alone, has no such pull.",
)
def angle_of_the_sphere_found(seed):
    """Return the largest principal angle in degrees."""
    x, truth = wide_sphere(seed)
    fits = {
        "bsa": sphere_fit(seed),
        "pure": BarycentricSubspaceAnalysis(Sphere(5), 2, method="pure", points="free", random_state=seed).fit(x),
    }
    return Outcome({name: float(np.degrees(np.max(subspace_angles(f.basis_.T, truth)))) for name, f in fits.items()})


@check(
    "Near a hyperbolic plane in H^5 with points out to radius 4, barycentric subspaces leave less unexplained than "
    "tangent PCA.",
    "measured < baseline",
    seeds=FIVE,
)
def less_unexplained_on_a_hyperbolic_plane(seed):
    """Compare mean squared distances to subspaces of dimension 2."""
    rng = np.random.default_rng(seed)
    space, radius, angle = Hyperboloid(5), rng.uniform(0.0, 4.0, 200), rng.uniform(0.0, 2 * np.pi, 200)
    plane = np.stack([np.cosh(radius), np.sinh(radius) * np.cos(angle), np.sinh(radius) * np.sin(angle)], axis=1)
    on = torch.from_numpy(np.pad(plane, ((0, 0), (0, 3))))
    x = space.random_normal(mean=on, std=0.05, random_state=seed, dtype=F64).numpy()
    x[:, 1:] = rotated(x[:, 1:], seed)[0]
    model = BarycentricSubspaceAnalysis(space, 2, points="free", random_state=seed).fit(x)
    return Outcome(float(model.mean_unexplained_variance_[2]), unexplained(x, geodesic_subspace(x, space, 2), space))


@cache
def clusters(seed):
    """Return three clusters far apart on S^3, their numbers, their centres, and the analyses by flag and jointly."""
    rng = np.random.default_rng(seed)
    centers, _ = rotated(np.eye(4)[:3], seed)
    labels = np.repeat(np.arange(3), 40)
    x = centers[labels] + 0.1 * rng.standard_normal((120, 4))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    models = {
        method: BarycentricSubspaceAnalysis(Sphere(3), 2, method=method, random_state=seed).fit(x)
        for method in ("bsa", "pure")
    }
    return x, labels, centers, models


@check(
    "On three clusters far apart reference points lie near the modes, where the mean lies in empty space: distance to "
    "the nearest centre of a cluster, and to the nearest datum that is no reference.",
    "measured < 0.5 * baseline",
    seeds=FIVE,
)
def references_near_modes(seed):
    """Compare mean distances over the reference points with those of the mean."""
    x, _, centers, models = clusters(seed)
    model, mean = models["bsa"], frechet_mean(x, Sphere(3)).point
    others = np.delete(x, model.indices_, axis=0)

    def distance(points, targets):
        return float(np.mean(np.min(np.arccos(np.clip(points @ targets.T, -1.0, 1.0)), axis=1)))

    found = model.reference_points_
    return Outcome(
        {"centre": distance(found, centers), "datum": distance(found, others)},
        {"centre": distance(mean[None], centers), "datum": distance(mean[None], others)},
    )


@check(
    "There the largest weight of a datum is that of the reference point in its own cluster, for 95 % of the data, by "
    "the flag of accumulated unexplained variance (bsa) and by the joint search (pure).",
    "measured > 0.95",
    seeds=FIVE,
    reason="The objectives see the span and not the points: any three independent points span the same sphere, so that "
    "two of them may share a cluster (seed 0: clusters 1, 1, 0 by the flag and 2, 2, 1 jointly). For the flag a circle "
    "from one cluster midway between the other two is cheaper (0.44 a datum) than one through two clusters (0.82).",
)
def weights_name_the_cluster(seed):
    """Return the share of data."""
    x, labels, _, models = clusters(seed)
    return Outcome(
        {
            method: float(np.mean(labels[model.indices_][np.argmax(model.transform(x), axis=1)] == labels))
            for method, model in models.items()
        }
    )


@check(
    "A great circle found jointly (two free points) explains the places of events on earth better than the best "
    "geodesic through their mean, for volcanoes, earthquakes, floods and fires (800 drawn from each).",
    "measured < baseline",
)
def great_circles_of_events_on_earth(seed):
    """Compare mean squared distances in radians."""
    measured, baseline = {}, {}
    for name in EARTH:
        points = np.asarray(load(name).X, dtype=np.float64)
        chosen = np.random.default_rng(seed).choice(len(points), min(N_EVENTS, len(points)), replace=False)
        x = points[chosen] / np.linalg.norm(points[chosen], axis=1, keepdims=True)
        fits = {
            method: BarycentricSubspaceAnalysis(
                Sphere(2), 1, method=method, points="free", n_restarts=5, n_landmarks=300, random_state=seed
            ).fit(x)
            for method in ("pure", "forward")
        }
        measured[name] = float(fits["pure"].mean_unexplained_variance_[1])
        baseline[name] = float(fits["forward"].mean_unexplained_variance_[1])
    return Outcome(measured, baseline)


@check(
    "The general solver agrees with the closed forms on S^3 and H^3: largest distance between nearest points, by "
    "weights and by penalty (20 points).",
    "measured < 1e-5",
    reason="It holds on S^3 and for two seeds on H^3. With the third, two references lie 0.26 apart and 2.5 from the "
    "other: their span is hardly determined, and for some rows both solvers stop elsewhere.",
)
def general_solver_against_closed_forms(seed):
    """Return distances."""
    measured = {}
    for name, space, spread in (("S^3", Sphere(3), 0.4), ("H^3", Hyperboloid(3), 0.8)):
        references, x = (space.random_normal(n, std=spread, random_state=seed + n, dtype=F64) for n in (3, 20))
        exact = barycentric_project(x, references, space)
        for method in ("weights", "penalty"):
            found = barycentric_project(x, references, space, method)
            measured[f"{name}, {method}"] = float(space.dist(found.points, exact.points).max())
    return Outcome(measured)


@check(
    "On 3x3 covariances with the affine-invariant metric both solvers find the same points, whose weighted logarithms "
    "add up to 0 (10 points).",
    "measured < 1e-5",
)
def covariances(seed):
    """Return distances between the solutions and residuals."""
    space = SPD(3, metric=AffineInvariant())
    references, x = (space.random_normal(n, std=0.4, random_state=seed + n, dtype=F64) for n in (3, 10))
    found, other = (barycentric_project(x, references, space, method) for method in ("weights", "penalty"))
    logs = space.log(found.points.unsqueeze(1), references)
    residual = space.norm(found.points, (found.weights[..., None, None] * logs).sum(1))
    return Outcome({"distance": float(space.dist(found.points, other.points).max()), "residual": float(residual.max())})


@check(
    "Reference points that come together span geodesic subspaces: at a tenth of the distance the difference is a "
    "tenth, up to a factor 2 (S^4, H^4, 3x3 covariances).",
    "measured < 0.2",
)
def limit_of_references_that_come_together(seed):
    """Return ratios of the difference at distances 0.01 and 0.1; 0 where the spans are the same to rounding."""
    measured = {}
    spaces = {"S^4": Sphere(4), "H^4": Hyperboloid(4), "covariances": SPD(3, metric=AffineInvariant())}
    for name, space in spaces.items():
        base, x = (space.random_normal(n, std=0.3, random_state=seed + n, dtype=F64) for n in (1, 8))
        arms = space.frame(base[0])[[0, 2]]
        differences = []
        for eps in (0.1, 0.01):
            references = torch.cat([base, space.exp(base, eps * arms)])
            found = barycentric_project(x, references, space, "weights").points
            v = space.log(base, found)
            rank = len(space.shape)
            along = space.inner(base.unsqueeze(1), arms, v.unsqueeze(1))
            flat = (along.reshape(8, 2, *[1] * rank) * arms).sum(1)
            differences.append(float(space.dist(space.exp(base, flat), found).max()))
        measured[name] = differences[1] / differences[0] if differences[0] > 1e-6 else 0.0
    return Outcome(measured)
