"""Averages of flags in the chordal metric: noise and outliers, rotations, principal directions, time, illuminations."""

import os
from functools import cache

import numpy as np
from scipy.spatial.transform import Rotation

from claims.experiment import Outcome, alternately, check
from holonomy.datasets import load
from holonomy.stats import chordal_distance, flag_mean, flag_median, flag_pca, rotation_average

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

DIMS, SIZE, COUNT = (1, 3), 10, 50
NOISES = (0.05, 0.1, 0.2, 0.35, 0.5)
SHARES = (0.0, 0.15, 0.3, 0.45)
TEN = tuple(range(10))
ANGLES = (5.0, 15.0, 30.0)
OUTLIERS = (0.0, 0.2, 0.4)


@cache
def noisy_flags(noise, share, seed):
    """Return the truth and frames of noisy flags, of which a share is uniform."""
    rng = np.random.default_rng([seed, round(1000 * noise), round(100 * share)])
    truth = np.linalg.qr(rng.standard_normal((SIZE, DIMS[-1])))[0]
    flags = upright(truth + noise * rng.standard_normal((COUNT, SIZE, DIMS[-1])))
    bad = round(share * COUNT)
    flags[:bad] = upright(rng.standard_normal((bad, SIZE, DIMS[-1])))
    return truth, flags


def upright(frames):
    """Orthonormalise frames without turning their columns around."""
    Q, R = np.linalg.qr(frames)
    return Q * np.where(np.diagonal(R, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None, :]


def turned(flags, seed):
    """Return the same flags by frames turned at random within their blocks."""
    rng = np.random.default_rng([seed, 7])
    pairs = np.linalg.qr(rng.standard_normal((len(flags), 2, 2)))[0]
    signs = rng.choice([-1.0, 1.0], (len(flags), 1, 1))
    return np.concatenate([flags[..., :1] * signs, flags[..., 1:] @ pairs], axis=-1)


def leading(P, count):
    """Return the eigenvectors of the largest eigenvalues."""
    return np.linalg.eigh(P)[1][:, ::-1][:, :count]


def nested_levels(flags):
    """Return the means of the lines and of the spaces, each by itself, with the line brought into the space."""
    line = leading(np.einsum("nik,njk->ij", flags[..., :1], flags[..., :1]), 1)
    space = leading(np.einsum("nik,njk->ij", flags, flags), 3)
    first = space @ (space.T @ line)
    first /= np.linalg.norm(first)
    rest = leading(space @ space.T - first @ first.T, 2)
    return np.concatenate([first, rest], axis=1)


def error(frame, truth):
    """Return the chordal distance to the truth."""
    return float(chordal_distance(frame, truth, DIMS))


@check(
    "The mean of 50 noisy flags of type (1, 3; 10) is nearer to the truth than the Grassmann means of the two levels, "
    "nested afterwards, for noise from 0.05 to 0.5.",
    "mean(measured) < mean(baseline)",
    seeds=TEN,
    reason="To first order in the noise both are the same estimate, and up to noise 0.2 they differ by at most 2 %, "
    "either way: on 40 other seeds with noise 0.2 the flag mean errs by 0.1416 and the separate levels by 0.1427. With "
    "noise 0.35 and 0.5 the flag mean is ahead by 6 %.",
)
def mean_beside_separate_levels(seed):
    """Compare chordal errors."""
    measured, baseline = {}, {}
    for noise in NOISES:
        truth, flags = noisy_flags(noise, 0.0, seed)
        measured[f"noise {noise}"] = error(flag_mean(flags, DIMS).point, truth)
        baseline[f"noise {noise}"] = error(nested_levels(flags), truth)
    return Outcome(measured, baseline)


@check(
    "The mean of 50 noisy flags, by frames that are turned within their blocks as those of a flag may be, is nearer to "
    "the truth than the mean frame, made orthonormal.",
    "mean(measured) < mean(baseline)",
    seeds=TEN,
)
def mean_beside_the_mean_of_turned_frames(seed):
    """Compare chordal errors."""
    measured, baseline = {}, {}
    for noise in NOISES:
        truth, flags = noisy_flags(noise, 0.0, seed)
        flags = turned(flags, seed)
        measured[f"noise {noise}"] = error(flag_mean(flags, DIMS).point, truth)
        baseline[f"noise {noise}"] = error(upright(flags.mean(axis=0)), truth)
    return Outcome(measured, baseline)


@check(
    "The mean of 50 noisy flags, by the frames as the noise made them, is nearer to the truth than the mean frame, "
    "made orthonormal.",
    "mean(measured) < mean(baseline)",
    seeds=TEN,
    reason="The mean frame also uses which column of a block is which, and their signs, which a flag does not know; it "
    "is ahead where the noise is large.",
)
def mean_beside_the_mean_of_aligned_frames(seed):
    """Compare chordal errors."""
    measured, baseline = {}, {}
    for noise in NOISES:
        truth, flags = noisy_flags(noise, 0.0, seed)
        measured[f"noise {noise}"] = error(flag_mean(flags, DIMS).point, truth)
        baseline[f"noise {noise}"] = error(upright(flags.mean(axis=0)), truth)
    return Outcome(measured, baseline)


@check(
    "With 0 to 45 % of the flags uniform, the median of 50 flags with noise 0.1 is nearer to the truth than their "
    "mean.",
    "mean(measured) < mean(baseline)",
    seeds=TEN,
)
def median_beside_the_mean(seed):
    """Compare chordal errors."""
    measured, baseline = {}, {}
    for share in SHARES:
        truth, flags = noisy_flags(0.1, share, seed)
        measured[f"{share:.0%} outliers"] = error(flag_median(flags, DIMS).point, truth)
        baseline[f"{share:.0%} outliers"] = error(flag_mean(flags, DIMS).point, truth)
    return Outcome(measured, baseline)


@cache
def rotations(angle, share, seed):
    """Return 100 rotations about a true one, with angles of the given standard deviation, a share of them uniform."""
    rng = np.random.default_rng([seed, round(angle), round(100 * share)])
    truth = Rotation.random(rng=rng)
    axes = rng.standard_normal((100, 3))
    axes *= (np.radians(angle) * np.abs(rng.standard_normal(100)) / np.linalg.norm(axes, axis=1))[:, None]
    R = (truth * Rotation.from_rotvec(axes)).as_matrix()
    bad = round(100 * share)
    R[:bad] = Rotation.random(bad, rng=rng).as_matrix() if bad else R[:0]
    return truth, R


@cache
def angle_error(method, angle, share, seed):
    """Return the error of an average in degrees."""
    truth, R = rotations(angle, share, seed)
    average = Rotation.from_matrix(R).mean().as_matrix() if method == "scipy" else rotation_average(R, method)
    return float(np.degrees((truth.inv() * Rotation.from_matrix(average)).magnitude()))


def angle_errors(method, shares, seed):
    """Return the errors by case."""
    return {
        f"{angle:g} degrees, {share:.0%} outliers": angle_error(method, angle, share, seed)
        for angle in ANGLES
        for share in shares
    }


@check(
    "The flag median of 100 rotations (noise of 5 to 30 degrees, 0 to 40 % uniform outliers) errs at most 10 % more "
    "than the geodesic median.",
    "mean(measured) <= 1.1 * mean(baseline)",
    seeds=TEN,
)
def rotation_median_beside_the_geodesic_one(seed):
    """Compare errors in degrees."""
    return Outcome(angle_errors("flag_median", OUTLIERS, seed), angle_errors("geodesic_median", OUTLIERS, seed))


@check(
    "With 20 and 40 % outliers the flag median of rotations errs less than the chordal mean, which is that of SciPy.",
    "mean(measured) < mean(baseline)",
    seeds=TEN,
)
def rotation_median_beside_the_chordal_mean(seed):
    """Compare errors in degrees."""
    return Outcome(angle_errors("flag_median", OUTLIERS[1:], seed), angle_errors("scipy", OUTLIERS[1:], seed))


@check(
    "Without outliers the flag mean of 100 rotations errs at most 5 % more than the geodesic mean.",
    "mean(measured) <= 1.05 * mean(baseline)",
    seeds=TEN,
)
def rotation_mean_beside_the_geodesic_one(seed):
    """Compare errors in degrees."""
    return Outcome(angle_errors("flag_mean", OUTLIERS[:1], seed), angle_errors("geodesic_mean", OUTLIERS[:1], seed))


@cache
def digits(digit, seed):
    """Return 300 images of a digit of MNIST, and the same with 60 further images that are uniform noise."""
    data, rng = load("mnist", split="test"), np.random.default_rng([seed, digit])
    rows = rng.permutation(np.flatnonzero(np.asarray(data.target).astype(int) == digit))[:300]
    clean = np.asarray(data.X)[rows].reshape(300, -1).astype(float) / 255.0
    return clean, np.concatenate([clean, rng.random((60, clean.shape[1]))])


def principal(X, k):
    """Return the leading principal directions."""
    return np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[2][:k].T


def principal_by_absolute_values(X, k):
    """Return directions that have the largest sums of absolute values of the rows, one after the other (PCA-L1)."""
    left, found = X - np.median(X, axis=0), []
    for _ in range(k):
        w = left[np.linalg.norm(left, axis=1).argmax()]
        w = w / np.linalg.norm(w)
        for _ in range(200):
            new = left.T @ np.where(left @ w < 0, -1.0, 1.0)
            new /= np.linalg.norm(new)
            if np.linalg.norm(new - w) < 1e-10:
                break
            w = new
        found.append(w)
        left = left - np.outer(left @ w, w)
    return np.stack(found, axis=1)


@cache
def principal_errors(seed):
    """Return chordal distances of the flags (1, 3) from that of the clean rows, by method and digit."""
    errors = {"flag": {}, "PCA": {}, "PCA-L1": {}}
    for digit in (1, 3, 7):
        clean, mixed = digits(digit, seed)
        truth = principal(clean, 3)
        frames = {
            "flag": flag_pca(mixed, DIMS, random_state=seed).components,
            "PCA": principal(mixed, 3),
            "PCA-L1": principal_by_absolute_values(mixed, 3),
        }
        for name, frame in frames.items():
            errors[name][f"digit {digit}"] = error(upright(frame), truth)
    return errors


@check(
    "Of 300 images of an MNIST digit and 60 of noise, the robust principal flag (1, 3) is nearer to that of the images "
    "alone than the flag of principal component analysis.",
    "mean(measured) < mean(baseline)",
    reason="Only on the digit 3. Images of uniform noise share a direction (the cosines of their offsets with the mean "
    "offset are 0.80 on average); with 60 of 360 rows it holds a tenth of the sum of squared directions of length one, "
    "as much as the leading direction of that digit, so it comes first in most samples and in their median too.",
)
def principal_flag_beside_pca(seed):
    """Compare chordal errors."""
    return Outcome(principal_errors(seed)["flag"], principal_errors(seed)["PCA"])


@check(
    "Of 300 images of an MNIST digit and 60 of noise, the robust principal flag (1, 3) is nearer to that of the images "
    "alone than the flag of principal directions by absolute values.",
    "mean(measured) < mean(baseline)",
)
def principal_flag_beside_absolute_values(seed):
    """Compare chordal errors."""
    return Outcome(principal_errors(seed)["flag"], principal_errors(seed)["PCA-L1"])


@cache
def thousand(seed):
    """Return 1,000 noisy flags of type (1, 3; 100)."""
    rng = np.random.default_rng(seed)
    return upright(np.eye(100)[:, :3] + 0.05 * rng.standard_normal((1000, 100, 3)))


def by_pymanopt(flags):
    """Return the same mean from pymanopt's trust regions on frames, started at the mean frame."""
    import pymanopt
    from pymanopt.manifolds import Stiefel
    from pymanopt.optimizers import TrustRegions

    P1, P2 = (np.einsum("nik,njk->ij", b, b) / len(b) for b in (flags[..., :1], flags[..., 1:]))
    space = Stiefel(flags.shape[1], 3)

    def gradient(Y):
        return -np.concatenate([P1 @ Y[:, :1], P2 @ Y[:, 1:]], axis=1)

    cost = pymanopt.function.numpy(space)(lambda Y: 0.5 * float((Y * gradient(Y)).sum()))
    egrad = pymanopt.function.numpy(space)(gradient)
    ehess = pymanopt.function.numpy(space)(lambda Y, V: gradient(V))
    problem = pymanopt.Problem(space, cost, euclidean_gradient=egrad, euclidean_hessian=ehess)
    optimizer = TrustRegions(min_gradient_norm=1e-9, max_iterations=500, verbosity=0)
    return optimizer.run(problem, initial_point=upright(flags.mean(axis=0))).point


@check("The mean of 1,000 flags of type (1, 3; 100) from five starts takes at most 2 seconds.", "measured <= 2")
def time_of_a_thousand_flags(seed):
    """Return seconds."""
    return Outcome(alternately(lambda: flag_mean(thousand(seed), DIMS, random_state=seed))[0])


@check(
    "The mean of 1,000 flags of type (1, 3; 100) from one start takes less time than pymanopt takes, to a gradient of "
    "1e-9 both.",
    "measured < baseline",
)
def time_beside_pymanopt(seed):
    """Compare seconds; both find the same mean."""
    flags = thousand(seed)
    ours, theirs = flag_mean(flags, DIMS, n_starts=1).point, by_pymanopt(flags)
    assert error(upright(theirs), ours) < 1e-6  # noqa: S101 - the times are of the same work
    seconds = alternately(lambda: flag_mean(flags, DIMS, n_starts=1), lambda: by_pymanopt(flags))
    return Outcome(*seconds)


def lit_surfaces(seed, count=15, side=24):
    """Return images (count, side^2, 3) of smooth random surfaces, lit from the front, from the left and from the right.

    The public subset of faces that the paper shows is not among the data of this project; matte surfaces under three
    lights stand in for it.
    """
    rng = np.random.default_rng(seed)
    grid = np.linspace(-1.0, 1.0, side)
    x, y = np.meshgrid(grid, grid)
    common = np.exp(-2.0 * (x**2 + y**2)) + 0.4 * np.exp(-20.0 * (x**2 + (y - 0.1) ** 2))
    lights = np.array([[0.0, 0.0, 1.0], [-0.8, 0.0, 0.6], [0.8, 0.0, 0.6]])
    images = []
    for _ in range(count):
        height = common.copy()
        for _ in range(6):
            a, b = rng.uniform(-0.7, 0.7, 2)
            height += 0.12 * rng.standard_normal() * np.exp(-12.0 * ((x - a) ** 2 + (y - b) ** 2))
        slopes = np.gradient(height, grid, grid)
        normals = np.stack([-slopes[1], -slopes[0], np.ones_like(height)], axis=-1)
        normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
        albedo = 1.0 + 0.1 * rng.standard_normal((side, side))
        shades = np.clip(normals @ lights.T, 0.0, None) * albedo[..., None]
        images.append(shades.reshape(-1, 3))
    return np.array(images)


def own_light(frame, images):
    """Return, by light, the mean squared cosine of the directions of its own block with the images of that light."""
    front = images[..., 0] / np.linalg.norm(images[..., 0], axis=1, keepdims=True)
    # What light from the sides adds to that from the front.
    sides = np.swapaxes(upright(images)[..., 1:], 1, 2)
    return {
        "front": float(np.mean((front @ frame[:, :1]) ** 2)),
        "sides": float(np.mean(np.square(sides @ frame[:, 1:]).sum(axis=-1))),
    }


@check(
    "Of 15 matte surfaces under three lights, as flags (1, 3), the mean keeps the lights in order: its first direction "
    "is nearer to the images lit from the front, and its other two to what light from the sides adds, than the leading "
    "and the other two directions of the Grassmann mean.",
    "measured > baseline",
)
def order_of_the_lights(seed):
    """Compare squared cosines with the images of the own light."""
    images = lit_surfaces(seed)
    flags = upright(images)
    grassmann = leading(np.einsum("nik,njk->ij", flags, flags), 3)
    return Outcome(own_light(flag_mean(flags, DIMS).point, images), own_light(grassmann, images))
