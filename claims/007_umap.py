"""UMAP (McInnes, Healy, Melville 2018): run time, labels, global structure, stability, and dimension of the map.

Data: handwritten digits of scikit-learn (1,797 x 64), test images of MNIST (784 pixels; for each seed 1,000 or 3,000 at
random), the breast cancer table (569 x 30, standardised), and 700 blood cells of pbmc68k (765 genes, ten types).
Peers: umap-learn, and t-SNE by openTSNE, both with their defaults (so t-SNE starts from PCA unless a check says
otherwise) and all cores.

Run times are wall seconds of one fit for each seed, after every contender has fitted 3,000 rows once, so that nobody is
charged for compilation (umap-learn compiles for ten seconds and more in its first call). All contenders are timed at
1,000 and 3,000 rows. At 10,000 and 60,000 rows (the 10,000 images and five copies of them shifted by a pixel) only ours
is timed, for its growth; how t-SNE and umap-learn compare there has not been measured here. OpenMP's threads wait
passively, for t-SNE takes several times as long where they wait actively on cores that others use too.
"""

import os
import time
from functools import cache

import numpy as np
from scipy.spatial import procrustes
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr

from claims.experiment import Outcome, alternately, check
from holonomy.datasets import load
from holonomy.embed import UMAP
from holonomy.measure import label_agreement

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when openTSNE is imported

SIZES = (1_000, 3_000)
LARGER = (10_000, 60_000)
SHIFTS = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0), (1, 1))
LABELLED = {"digits": None, "breast_cancer": None, "mnist": 3_000}
GLOBAL = {"digits": None, "mnist": 1_000}
DIMENSIONS = (2, 8, 32)
N_TRIPLETS = 20_000


@cache
def rows(name, size, seed):
    """Return points and labels; a random part of ``size`` rows of MNIST."""
    data = load(name)
    if name == "breast_cancer":
        return (data.X - data.X.mean(axis=0)) / data.X.std(axis=0), data.target
    if name in ("digits", "pbmc68k_reduced"):
        return np.asarray(data.X), np.asarray(data.target)
    picked = np.random.default_rng(seed).permutation(len(data.X))[:size]
    return data.X[picked].astype(np.float32), data.target[picked]


@cache
def shifted_images():
    """Return the MNIST images and copies of them shifted by one pixel, (60,000, 784)."""
    images = load("mnist").X.astype(np.float32).reshape(-1, 28, 28)
    return np.concatenate([np.roll(images, shift, axis=(1, 2)).reshape(len(images), -1) for shift in SHIFTS])


def ours(X, seed, **options):
    """Return our map."""
    return UMAP(random_state=seed, **options).fit_transform(X)


def umap_learn(X, seed, **options):
    """Return umap-learn's map; without a seed it runs in parallel."""
    from umap import UMAP as Peer

    return Peer(random_state=seed, **options).fit_transform(X)


def tsne(X, seed, **options):
    """Return openTSNE's map."""
    from openTSNE import TSNE

    return np.asarray(TSNE(random_state=seed, n_jobs=-1, **options).fit(X))


METHODS = {"ours": ours, "umap-learn": umap_learn, "t-SNE": tsne}


@cache
def compiled():
    """Let every contender compile, for few and for many rows."""
    for n in (500, 3_000):
        X, _ = rows("mnist", n, 0)
        ours(X, 0, n_epochs=10)
        umap_learn(X, 0, n_epochs=10)
        umap_learn(X, None, n_epochs=10)
        tsne(X, 0, early_exaggeration_iter=5, n_iter=5)


def fitted(method, name, size, seed, init=None, unseeded=False):
    """Return a map and the seconds it took; every map is made once."""
    return fitted_once(method, name, size, seed, init, unseeded)


@cache
def fitted_once(method, name, size, seed, init, unseeded):
    """Return a map and the seconds it took."""
    compiled()
    X, _ = rows(name, size, seed)
    key = "initialization" if method == "t-SNE" else "init"
    options = {} if init is None else {key: init}
    start = time.perf_counter()
    Z = METHODS[method](X, None if unseeded else seed, **options)
    return Z, time.perf_counter() - start


def seconds(method, n, seed, **options):
    """Return the seconds of a fit on n images."""
    return fitted(method, "mnist", n, seed, **options)[1]


@check(
    "UMAP makes its map of 1,000 and of 3,000 images faster than t-SNE does.",
    "measured < baseline",
)
def time_beside_tsne(seed):
    """Compare wall seconds."""
    return Outcome(
        {f"{n} rows": seconds("ours", n, seed) for n in SIZES},
        {f"{n} rows": seconds("t-SNE", n, seed) for n in SIZES},
    )


@check(
    "UMAP makes its map of 1,000 and of 3,000 images faster than umap-learn does, with a seed (one thread there) and "
    "without (all cores).",
    "measured < baseline",
)
def time_beside_umap_learn(seed):
    """Compare wall seconds; ours is always seeded and parallel."""
    measured, baseline = {}, {}
    for n in SIZES:
        for unseeded in (False, True):
            case = f"{n} rows, {'unseeded' if unseeded else 'seeded'}"
            measured[case] = seconds("ours", n, seed)
            baseline[case] = seconds("umap-learn", n, seed, unseeded=unseeded)
    return Outcome(measured, baseline)


@check(
    "The run time of UMAP grows with the number of rows (1,000, 3,000, 10,000, 60,000) by an exponent of at most 1.2.",
    "measured <= 1.2",
)
def growth_of_time(seed):
    """Fit a line to log seconds against log rows."""
    compiled()
    sizes = (*SIZES, *LARGER)
    X = shifted_images()[np.random.default_rng(seed).permutation(sizes[-1])]
    spent = []
    for n in sizes:
        start = time.perf_counter()
        ours(X[:n], seed)
        spent.append(time.perf_counter() - start)
    return Outcome(float(np.polyfit(np.log(sizes), np.log(spent), 1)[0]))


@cache
def accuracy(method, name, seed, k):
    """Return the leave-one-out accuracy of k nearest neighbours on a map."""
    size = LABELLED.get(name)
    return label_agreement(fitted(method, name, size, seed)[0], rows(name, size, seed)[1], n_neighbors=k)


def accuracies(seed, peers_of):
    """Return the accuracy of ours and of the peers for each number of neighbours and its peers."""
    cases = {
        f"{name}, {k} neighbours, {peer}": (accuracy("ours", name, seed, k), accuracy(peer, name, seed, k))
        for k, peers in peers_of.items()
        for name in LABELLED
        for peer in peers
    }
    return Outcome({case: pair[0] for case, pair in cases.items()}, {case: pair[1] for case, pair in cases.items()})


@check(
    "By the vote of 10 neighbours on the map, labels are found at most 0.01 less often than on the maps of umap-learn "
    "and of t-SNE.",
    "mean(measured) >= mean(baseline) - 0.01",
)
def labels_by_10_neighbours(seed):
    """Compare accuracies."""
    return accuracies(seed, {10: ("umap-learn", "t-SNE")})


@check(
    "By the vote of 20 and 80 neighbours too labels are found at most 0.01 less often than on the maps of umap-learn "
    "and of t-SNE, and by that of 160 at most 0.01 less often than on umap-learn's.",
    "mean(measured) >= mean(baseline) - 0.01",
    reason="Only beside t-SNE on breast_cancer with 80 neighbours (0.943 against 0.956), where umap-learn "
    "(0.943) falls short too: the map joins one malignant sample in seven to the benign ones.",
)
def labels_by_more_neighbours(seed):
    """Compare accuracies."""
    return accuracies(seed, {20: ("umap-learn", "t-SNE"), 80: ("umap-learn", "t-SNE"), 160: ("umap-learn",)})


@check(
    "By the vote of 160 neighbours on the map, labels are found at least as often as on that of t-SNE.",
    "mean(measured) >= mean(baseline)",
    reason="It holds on the digits and on MNIST. On breast_cancer (0.942 against 0.950) umap-learn falls short "
    "too, as one malignant sample in seven lies among the benign.",
)
def labels_by_160_neighbours(seed):
    """Compare accuracies."""
    return accuracies(seed, {160: ("t-SNE",)})


def cells(seed, ks, peer):
    """Compare the accuracies of numbers of neighbours among cells of known type."""
    name = "pbmc68k_reduced"
    return Outcome(
        {f"{k} neighbours": accuracy("ours", name, seed, k) for k in ks},
        {f"{k} neighbours": accuracy(peer, name, seed, k) for k in ks},
    )


@check(
    "By the vote of 10, 20, 80 and 160 neighbours on the map, types of 700 blood cells are found at most 0.01 less "
    "often than on umap-learn's.",
    "mean(measured) >= mean(baseline) - 0.01",
    reason="Only with 160 neighbours, by 0.0104 (0.642 against 0.653), where single seeds differ by 0.02: over twelve "
    "other seeds the mean is 0.632 here and 0.628 with umap-learn.",
)
def cells_beside_umap_learn(seed):
    """Compare accuracies."""
    return cells(seed, (10, 20, 80, 160), "umap-learn")


@check(
    "By the vote of 10 neighbours on the map, types of 700 blood cells are found at most 0.01 less often than on that "
    "of t-SNE.",
    "mean(measured) >= mean(baseline) - 0.01",
)
def cells_by_10_neighbours(seed):
    """Compare accuracies."""
    return cells(seed, (10,), "t-SNE")


@check(
    "By the vote of 160 neighbours, types of 700 blood cells are found at least as often on the map as on t-SNE's.",
    "mean(measured) >= mean(baseline)",
)
def cells_by_160_neighbours(seed):
    """Compare accuracies."""
    return cells(seed, (160,), "t-SNE")


def global_structure(method, seed, init):
    """Return rank correlations of the distances between class centroids, and shares of triplets in the right order."""
    found = {}
    for name, size in GLOBAL.items():
        X, labels = rows(name, size, seed)
        Z, _ = fitted(method, name, size, seed, init=init)
        apart = [pdist(np.stack([P[labels == label].mean(axis=0) for label in np.unique(labels)])) for P in (X, Z)]
        found[f"{name}, centroids"] = float(spearmanr(*apart).statistic)
        found[f"{name}, triplets"] = triplets_in_order(X, Z, seed)
    return found


def triplets_in_order(X, Z, seed):
    """Return how often the nearer of two random points in the data is the nearer one on the map."""
    i, j, k = np.random.default_rng(seed).integers(len(X), size=(3, N_TRIPLETS))
    nearer = [np.linalg.norm(P[i] - P[j], axis=1) < np.linalg.norm(P[i] - P[k], axis=1) for P in (X, Z)]
    return float(np.mean(nearer[0] == nearer[1]))


@check(
    "UMAP, which starts from the spectrum of its graph, keeps the order of large distances (between class centroids, "
    "and within random triplets) at least as well as t-SNE that starts at random.",
    "mean(measured) >= mean(baseline)",
    reason="Only the centroids of MNIST are kept better. With the digits the spectral start itself has 0.61 for "
    "the centroids, less than t-SNE ends with; the layout keeps it (0.51 to 0.62), as that of umap-learn "
    "does (0.54 to 0.62, three seeds).",
)
def global_structure_beside_random_tsne(seed):
    """Compare rank correlations and shares of triplets."""
    return Outcome(global_structure("ours", seed, None), global_structure("t-SNE", seed, "random"))


@check(
    "When both start from PCA, the difference between UMAP and t-SNE in the order of large distances vanishes: it is "
    "at most 0.05.",
    "abs(mean(measured) - mean(baseline)) <= 0.05",
    reason="From PCA both keep the centroids of the digits alike, as claimed; those of MNIST UMAP keeps better "
    "than t-SNE (0.67 against 0.50), so the start does not decide alone. The triplets agree to 0.05.",
)
def global_structure_from_pca(seed):
    """Compare rank correlations and shares of triplets."""
    return Outcome(global_structure("ours", seed, "pca"), global_structure("t-SNE", seed, None))


@cache
def disparities(method, seed, init, shares):
    """Return the Procrustes disparity between the map of all digits and the maps of random parts of them."""
    X, _ = rows("digits", None, seed)
    whole, _ = fitted(method, "digits", None, seed, init=init)
    key = "initialization" if method == "t-SNE" else "init"
    options = {} if init is None else {key: init}
    found = {}
    for share in shares:
        part = np.random.default_rng(seed).permutation(len(X))[: round(share * len(X))]
        found[f"{share:.0%} of the rows"] = float(procrustes(whole[part], METHODS[method](X[part], seed, **options))[2])
    return found


@check(
    "The map of a part of the digits (10, 50, 90 %) is closer to the map of all of them (Procrustes disparity) with "
    "UMAP than with t-SNE that starts at random.",
    "mean(measured) < mean(baseline)",
    reason="It holds at 50 and 90 % of the rows. At 10 % (180 rows) the spectral starts already differ by 0.33 "
    "to 0.76; the maps of umap-learn differ as much as ours (0.62 to 0.87, three seeds).",
)
def stability_beside_random_tsne(seed):
    """Compare disparities."""
    shares = (0.1, 0.5, 0.9)
    return Outcome(disparities("ours", seed, None, shares), disparities("t-SNE", seed, "random", shares))


@check(
    "The map of a part of the digits (10, 50 %) is closer to the map of all of them (Procrustes disparity) with "
    "UMAP than with t-SNE that starts from PCA.",
    "mean(measured) < mean(baseline)",
    reason="The starts of t-SNE, PCA of a part and of all rows, hardly differ (0.08 to 0.16 at 10 %, at most "
    "0.02 at 50 %), and it stays near them; those of UMAP, spectra of graphs, differ by 0.33 to 0.76 and "
    "0.07 to 0.23. The maps of umap-learn differ as much as ours (0.62 to 0.87 and 0.38 to 0.57, three "
    "seeds).",
)
def stability_beside_pca_tsne(seed):
    """Compare disparities."""
    shares = (0.1, 0.5)
    return Outcome(disparities("ours", seed, None, shares), disparities("t-SNE", seed, None, shares))


@check(
    "A map of 8 or of 32 dimensions takes at most three times as long as one of two dimensions (1,000 images, median "
    "of three runs).",
    "measured <= 3 * baseline",
)
def time_by_dimension(seed):
    """Compare wall seconds."""
    X, _ = rows("mnist", SIZES[0], seed)
    spent = alternately(*(lambda d=d: ours(X, seed, n_components=d) for d in DIMENSIONS))
    return Outcome({f"{d} dimensions": spent[p] for p, d in enumerate(DIMENSIONS) if p}, spent[0])


@check(
    "By the vote of 10 neighbours, labels of 3,000 images are found more often on maps of 8 and of 32 dimensions "
    "than on those of two.",
    "mean(measured) > mean(baseline)",
)
def labels_by_dimension(seed):
    """Compare accuracies."""
    X, labels = rows("mnist", SIZES[1], seed)
    found = {d: label_agreement(ours(X, seed, n_components=d), labels, n_neighbors=10) for d in DIMENSIONS[1:]}
    return Outcome({f"{d} dimensions": value for d, value in found.items()}, accuracy("ours", "mnist", seed, 10))
