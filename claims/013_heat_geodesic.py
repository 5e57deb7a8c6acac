"""Heat geodesic embeddings: distances, clusters, limits that are other methods, cells, and PHATE beside its package."""

import os
import warnings
from functools import cache

import numpy as np
from scipy.spatial import procrustes
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

from claims.experiment import Outcome, check
from holonomy.datasets import load, make_branching_tree, make_swiss_roll
from holonomy.embed import PHATE, UMAP, DiffusionMaps, HeatGeodesic, displacement_interpolation
from holonomy.graphs import geodesics, neighbors
from holonomy.measure import neighbor_recall

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read when openTSNE is imported
warnings.filterwarnings("ignore", category=UserWarning)

N = 500
MANY = 2_000
NOISES = (0.05, 0.5, 1.0, 5.0)
DIMENSIONS = (3, 10, 50)
TREE_NOISES = (0.05, 0.2, 0.5)
FIVE = (0, 1, 2, 3, 4)
CLUSTERS = (3, 6, 10)
WITHHELD = (2, 3, 4)


@cache
def manifold(name, dim, noise, seed, n=N):
    """Return points, and their true geodesic distances as a condensed vector."""
    if name == "roll":
        data = make_swiss_roll(n, noise=noise, ambient_dim=dim, random_state=seed)
    else:
        data = make_branching_tree(n, depth=3, branch_length=2.0, noise=noise, ambient_dim=dim, random_state=seed)
    return data.X, data.geodesic_distances(*np.triu_indices(n, 1))


CASES = {f"roll, {dim}-D, noise {noise}": ("roll", dim, noise) for dim in DIMENSIONS for noise in NOISES}
CASES |= {f"tree, 50-D, noise {noise}": ("tree", 50, noise) for noise in TREE_NOISES}
NOISY = {case: spec for case, spec in CASES.items() if spec[2] >= 0.2}


@cache
def fitted(method, name, dim, noise, seed):
    """Return a fitted map, made once."""
    X, _ = manifold(name, dim, noise, seed)
    return {"HeatGeodesic": HeatGeodesic, "PHATE": PHATE, "UMAP": UMAP}[method](random_state=seed).fit(X)


@cache
def estimated(method, name, dim, noise, seed):
    """Return the distances that a method works with, condensed."""
    X, _ = manifold(name, dim, noise, seed)
    if method == "HeatGeodesic":
        return squareform(fitted(method, name, dim, noise, seed).heat_distances_, checks=False)
    if method == "PHATE":
        return pdist(fitted(method, name, dim, noise, seed).potential_)
    if method == "diffusion map":
        return pdist(DiffusionMaps(10, t="auto", random_state=seed).fit_transform(X))
    return shortest_paths(X)


def shortest_paths(X):
    """Return the lengths of shortest paths in the neighbour graph, condensed."""
    lengths = geodesics(neighbors(X, 10), connect="nearest", X=X)
    return squareform(np.maximum(lengths, lengths.T), checks=False)


@cache
def mapped(method, name, dim, noise, seed):
    """Return the distances on a map, condensed."""
    if method == "t-SNE":
        from openTSNE import TSNE

        return pdist(np.asarray(TSNE(random_state=seed).fit(manifold(name, dim, noise, seed)[0])))
    return pdist(fitted(method, name, dim, noise, seed).embedding_)


def correlations(distances, method, cases, seed):
    """Return rank and linear correlations with the true distances, by case."""
    found = {}
    for case, spec in cases.items():
        true, own = manifold(*spec, seed)[1], distances(method, *spec, seed)
        found[f"{case}, Spearman"] = float(spearmanr(true, own).statistic)
        found[f"{case}, Pearson"] = float(np.corrcoef(true, own)[0, 1])
    return found


def beside(distances, peer, cases, seed):
    """Compare the correlations of heat geodesics and of a peer."""
    return Outcome(correlations(distances, "HeatGeodesic", cases, seed), correlations(distances, peer, cases, seed))


@check(
    "Heat geodesic distances correlate with the true distances on Swiss rolls (3, 10 and 50 dimensions, noise 0.05 to "
    "5) and branching trees at least as well as PHATE's potential distances.",
    "mean(measured) >= mean(baseline)",
    seeds=FIVE,
    reason="It holds on the trees and in 3 dimensions. On rolls of 10 and 50 dimensions with noise 0.5 the "
    "automatic time is too short: on other seeds (600 points) a time of 20 raised the rank correlation "
    "from 0.89 to 0.93, where PHATE had 0.87. With noise 1 in 50 dimensions the volume correction costs "
    "most: without it the correlation is 0.39, more than PHATE's 0.37. With noise 5 in 50 dimensions the "
    "noise (35) exceeds the radius of the roll (14), and no method has a correlation above 0.17.",
)
def distances_beside_phate(seed):
    """Compare correlations."""
    return beside(estimated, "PHATE", CASES, seed)


@check(
    "Heat geodesic distances correlate with the true distances on Swiss rolls and branching trees at least as well as "
    "diffusion map distances.",
    "mean(measured) >= mean(baseline)",
    seeds=FIVE,
    reason="Only on the roll of 50 dimensions with noise 5, where the noise (35) exceeds the radius of the roll "
    "(14) and no method has a rank correlation above 0.17.",
)
def distances_beside_diffusion_maps(seed):
    """Compare correlations."""
    return beside(estimated, "diffusion map", CASES, seed)


@check(
    "On noisy Swiss rolls and trees (noise of at least 0.2), heat geodesic distances correlate with the true distances "
    "at least as well as shortest paths in the neighbour graph.",
    "mean(measured) >= mean(baseline)",
    seeds=FIVE,
    reason="Only on the roll of 50 dimensions with noise 1, where the volume correction costs most (without it "
    "the rank correlation is 0.39, more than the 0.37 of shortest paths), and with noise 5, where no "
    "method has a correlation above 0.17.",
)
def distances_beside_shortest_paths(seed):
    """Compare correlations."""
    return beside(estimated, "shortest path", NOISY, seed)


@check(
    "Of 2,000 points too, on Swiss rolls (50 dimensions, noise 0.05 to 5) and a branching tree, heat geodesic "
    "distances correlate with the true distances at least as well as PHATE's potential distances and diffusion map "
    "distances and, with noise of at least 0.5, as shortest paths.",
    "mean(measured) >= mean(baseline)",
    reason="Not with noise 5, where the noise (35) exceeds the radius of the roll (14) and no "
    "method has a correlation above 0.19.",
)
def distances_of_many_points(seed):
    """Compare rank correlations."""
    measured, baseline = {}, {}
    for name, noise in (*(("roll", noise) for noise in NOISES), ("tree", 0.5)):
        X, true = manifold(name, 50, noise, seed, MANY)
        # Classical scaling is the fastest, and no distance depends on the map.
        heat = HeatGeodesic(mds="classic", random_state=seed).fit(X).heat_distances_
        own = float(spearmanr(true, squareform(heat, checks=False)).statistic)
        peers = {
            "PHATE": pdist(PHATE(mds="classic", random_state=seed).fit(X).potential_),
            "diffusion map": pdist(DiffusionMaps(10, t="auto", random_state=seed).fit_transform(X)),
        }
        if noise >= 0.5:
            peers["shortest path"] = shortest_paths(X)
        for peer, distances in peers.items():
            measured[f"{name}, noise {noise}, {peer}"] = own
            baseline[f"{name}, noise {noise}, {peer}"] = float(spearmanr(true, distances).statistic)
    return Outcome(measured, baseline)


CORRECTIONS = (0.0, 0.5, 1.5)
"""Strengths of the volume correction beside the default, 1."""


@check(
    "With the default strength of the volume correction, heat geodesic distances correlate with the true distances on "
    "Swiss rolls (10 dimensions, noise 0.05 to 5) as well as with any other strength (0, 0.5, 1.5), to 0.02. One that "
    "takes off all distances counts as no correlation.",
    "mean(measured) >= mean(baseline) - 0.02",
    seeds=(101, 102, 103),
    reason="It holds with noise 0.05 and 0.5, where the default is best. With noise 1 and 5, which joins turns of the "
    "roll or hides it, no correction is better (0.49 against 0.47, and 0.27 against 0.22): it reads the volume "
    "around points off the heat that stays, which is then noise too. Any strength above 1 costs much everywhere.",
)
def default_correction(seed):
    """Compare rank correlations, on seeds that no other check uses."""
    measured, baseline = {}, {}
    for noise in NOISES:
        X, true = manifold("roll", 10, noise, seed)
        found = {}
        for strength in (1.0, *CORRECTIONS):
            model = HeatGeodesic(harnack=strength, mds="classic", random_state=seed)
            try:
                own = squareform(model.fit(X).heat_distances_, checks=False)
                found[strength] = float(spearmanr(true, own).statistic)
            except ValueError:
                found[strength] = 0.0
        for strength in CORRECTIONS:
            measured[f"noise {noise}, beside {strength}"] = found[1.0]
            baseline[f"noise {noise}, beside {strength}"] = found[strength]
    return Outcome(measured, baseline)


MAPPED = {case: spec for case, spec in CASES.items() if spec[1] == 10 or spec[0] == "tree"}


@check(
    "Distances on the heat geodesic map correlate with the true distances on Swiss rolls and branching trees at least "
    "as well as those on UMAP's map.",
    "mean(measured) >= mean(baseline)",
    reason="It holds on the trees and on the roll with noise 5. With less noise edges of the graph join turns of "
    "the roll; they shorten the large distances that scaling keeps, while UMAP, which looks at neighbours "
    "only, unrolls it (0.94 against 0.84 with noise 0.5).",
)
def maps_beside_umap(seed):
    """Compare correlations."""
    return beside(mapped, "UMAP", MAPPED, seed)


@check(
    "Distances on the heat geodesic map correlate with the true distances on Swiss rolls and branching trees at least "
    "as well as those on PHATE's map.",
    "mean(measured) >= mean(baseline)",
    reason="Only on the roll with noise 0.5, by 0.01, as with the distances themselves: the automatic time is "
    "too short there.",
)
def maps_beside_phate(seed):
    """Compare correlations."""
    return beside(mapped, "PHATE", MAPPED, seed)


@check(
    "Distances on the heat geodesic map correlate with the true distances on Swiss rolls and branching trees at least "
    "as well as those on the map of t-SNE.",
    "mean(measured) >= mean(baseline)",
    reason="Only on the roll with noise 1, where edges of the graph join its turns: they shorten the large "
    "distances that scaling keeps, while t-SNE looks at neighbours only (rank correlation 0.42 against "
    "0.39).",
)
def maps_beside_tsne(seed):
    """Compare correlations."""
    return beside(mapped, "t-SNE", MAPPED, seed)


@cache
def clustered(name, n_clusters, seed):
    """Return points in Gaussian clusters on a roll, or about the middles of the branches of a tree, and labels."""
    if name == "tree":
        depth = {3: 1, 6: 2, 10: 2}[n_clusters]
        branching = {3: 3, 6: 2, 10: 3}[n_clusters]
        data = make_branching_tree(
            600,
            branching=branching,
            depth=depth,
            noise=0.15,
            ambient_dim=20,
            density=lambda s: np.exp(-(((s[:, 0] % 1.0 - 0.5) / 0.15) ** 2) / 2),
            random_state=seed,
        )
        return data.X, data.labels
    rng = np.random.default_rng(seed)
    sheet = make_swiss_roll(2_000, random_state=seed).latent.max(axis=0)
    centres = rng.random((n_clusters, 2)) * sheet

    def density(latent):
        squared = ((latent[:, None] - centres) ** 2).sum(axis=2)
        return np.exp(-squared / 8.0).max(axis=1)

    data = make_swiss_roll(600, density=density, noise=0.3, ambient_dim=20, random_state=seed)
    return data.X, ((data.latent[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)


def agreement(Z, labels, seed):
    """Return homogeneity and adjusted mutual information of k-means on a map."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_mutual_info_score, homogeneity_score

    found = KMeans(len(np.unique(labels)), n_init=10, random_state=seed).fit_predict(Z)
    return {
        "homogeneity": float(homogeneity_score(labels, found)),
        "mutual information": float(adjusted_mutual_info_score(labels, found)),
    }


@cache
def cluster_scores(method, seed):
    """Return the scores of all clustered sets."""
    found = {}
    for name in ("roll", "tree"):
        for n_clusters in CLUSTERS:
            X, labels = clustered(name, n_clusters, seed)
            for score, value in agreement(method(random_state=seed).fit_transform(X), labels, seed).items():
                found[f"{n_clusters} on the {name}, {score}"] = value
    return found


@check(
    "K-means finds Gaussian clusters on the Swiss roll and the tree at least as well on the heat geodesic map as on "
    "PHATE's.",
    "mean(measured) >= mean(baseline) - 0.01",
)
def clusters_beside_phate(seed):
    """Compare homogeneity and mutual information."""
    return Outcome(cluster_scores(HeatGeodesic, seed), cluster_scores(PHATE, seed))


@check(
    "K-means finds Gaussian clusters on the Swiss roll and the tree at least as well on the heat geodesic map as on "
    "UMAP's.",
    "mean(measured) >= mean(baseline) - 0.01",
    reason="Only with the 12 clusters that were made for 10 on the tree: their branches overlap on the plane; in "
    "five dimensions the homogeneity of seed 0 rises from 0.70 to 0.79, and UMAP has 0.83.",
)
def clusters_beside_umap(seed):
    """Compare homogeneity and mutual information."""
    return Outcome(cluster_scores(HeatGeodesic, seed), cluster_scores(UMAP, seed))


@check(
    "K-means finds Gaussian clusters on the Swiss roll and the tree at least as well on the heat geodesic map as on "
    "the diffusion map.",
    "mean(measured) >= mean(baseline) - 0.01",
)
def clusters_beside_diffusion_maps(seed):
    """Compare homogeneity and mutual information."""
    return Outcome(cluster_scores(HeatGeodesic, seed), cluster_scores(DiffusionMaps, seed))


@cache
def small_set(name, seed):
    """Return the points of a small data set."""
    if name == "digits":
        return load("digits").X[np.random.default_rng(seed).permutation(1797)[:N]]
    if name == "breast cancer":
        X = load("breast_cancer").X
        return (X - X.mean(axis=0)) / X.std(axis=0)
    return manifold("tree", 50, 0.2, seed)[0]


SMALL = ("digits", "breast cancer", "tree")


@check(
    "With Varadhan's formula alone, the triplet step, and PHATE's kernel and time, the heat geodesic map is PHATE's "
    "(Procrustes disparity).",
    "measured < 0.05",
    reason="It holds on breast cancer and for two seeds of the digits. Distances agree in part only (linear "
    "correlation 0.95 on the tree, 0.99 on the digits of seed 2): PHATE adds 1e-7 to its probabilities, "
    "while heat is followed down to 1e-14. With PHATE's offset the disparity is 0.002 on the tree of seed "
    "1 and on the digits of seed 2; on the trees of seeds 0 and 2 it is 0.38 and 0.43, as scaling a tree of "
    "14 branches to the plane has several minima that are nearly as good.",
)
def limit_phate(seed):
    """Return disparities."""
    found = {}
    for name in SMALL:
        X = small_set(name, seed)
        phate = PHATE(random_state=seed).fit(X)
        settings = {"harnack": 0.0, "denoise": 1.0, "scale": 2, "laplacian": "random_walk", "n_neighbors": 5}
        heat = HeatGeodesic(t=float(phate.t_), random_state=seed, **settings).fit_transform(X)
        found[name] = float(procrustes(phate.embedding_, heat)[2])
    return Outcome(found)


@check(
    "With a short time, no volume correction, entropic affinities and Gaussian weights, the heat geodesic map shares "
    "more of its 15 nearest neighbours with the map of t-SNE than PHATE's map does.",
    "mean(measured) > mean(baseline)",
    reason="Gaussian weights leave far pairs without weight, and squared errors have no repulsion that would "
    "keep them apart, as the normalisation of t-SNE does: pieces of the map come to lie on each other. "
    "Without these weights the digits (seed 0) share 0.50 and with the defaults 0.62 of the neighbours, "
    "PHATE's map 0.56.",
)
def limit_sne(seed):
    """Return the share of neighbours on the map of t-SNE that each map has."""
    from openTSNE import TSNE

    measured, baseline = {}, {}
    for name in SMALL:
        X = small_set(name, seed)
        target = np.asarray(TSNE(random_state=seed).fit(X))
        settings = {"harnack": 0.0, "t": 0.5, "kernel": "entropic", "n_neighbors": 30, "mds_weights": "gaussian"}
        heat = HeatGeodesic(random_state=seed, **settings).fit_transform(X)
        measured[name] = float(neighbor_recall(target, heat, n_neighbors=15))
        baseline[name] = float(neighbor_recall(target, PHATE(random_state=seed).fit_transform(X), n_neighbors=15))
    return Outcome(measured, baseline)


@cache
def cell_scores(method, seed):
    """Return the scores of cell types on a map of 700 blood cells."""
    cells = load("pbmc68k_reduced")
    return agreement(method(random_state=seed).fit_transform(cells.X), np.asarray(cells.target), seed)


@check(
    "K-means finds the types of 700 blood cells at least as well on the heat geodesic map as on PHATE's.",
    "mean(measured) >= mean(baseline) - 0.01",
    reason="PHATE searches neighbours among 100 principal axes and takes the fifth for its scale; with these two "
    "settings the heat geodesic map has a homogeneity of 0.63 (PHATE 0.62) and a mutual information of "
    "0.60 (0.58).",
)
def cells_beside_phate(seed):
    """Compare homogeneity and mutual information."""
    return Outcome(cell_scores(HeatGeodesic, seed), cell_scores(PHATE, seed))


@check(
    "K-means finds the types of 700 blood cells at least as well on the heat geodesic map as on UMAP's.",
    "mean(measured) >= mean(baseline) - 0.01",
    reason="In homogeneity only, where all 765 genes decide about neighbours; among 100 principal axes, with the "
    "fifth neighbour for the scale, it is 0.63 (UMAP 0.61). In mutual information it is ahead.",
)
def cells_beside_umap(seed):
    """Compare homogeneity and mutual information."""
    return Outcome(cell_scores(HeatGeodesic, seed), cell_scores(UMAP, seed))


def transport_cost(rows, others):
    """Return the earth mover's distance between two populations."""
    import ot

    costs = ot.dist(rows, others, metric="euclidean")
    return float(ot.emd2(np.full(len(rows), 1 / len(rows)), np.full(len(others), 1 / len(others)), costs))


@check(
    "A generation of branching diffusion that was withheld is found better (earth mover's distance) halfway between "
    "its neighbours on a heat geodesic map of ten dimensions than halfway between them on ten principal axes.",
    "mean(measured) < mean(baseline)",
    reason="The rows are 127 tight clusters, one a node, and the neighbour graph without the generation falls "
    "into 27 pieces (seed 0, generation 3); no heat flows between these, so what lies halfway on the map "
    "is another generation as often as not. The tree itself is made of Gaussian steps, and halfway along "
    "a straight line is where a node in between is most likely.",
)
def withheld_generations(seed):
    """Compare distances to the withheld rows, by generation; 250 rows of each generation at most."""
    from sklearn.decomposition import PCA

    data, rng = load("branching_diffusion"), np.random.default_rng(seed)
    X, generation = np.asarray(data.X), np.asarray(data.target)
    measured, baseline = {}, {}
    for withheld in WITHHELD:
        members = [rng.permutation(np.flatnonzero(generation == g))[:250] for g in range(7)]
        kept = np.concatenate([members[g] for g in range(7) if g != withheld])
        near = [np.flatnonzero(np.isin(kept, members[g])) for g in (withheld - 1, withheld + 1)]
        for found, model in (
            (measured, HeatGeodesic(10, random_state=seed)),
            (baseline, PCA(10, random_state=seed)),
        ):
            Z = model.fit_transform(X[kept])
            between = displacement_interpolation(Z[near[0]], Z[near[1]], [0.5], random_state=seed)[0]
            rows = model.inverse_transform(between)
            found[f"generation {withheld}"] = transport_cost(rows, X[members[withheld]])
    return Outcome(measured, baseline)


@cache
def package(name, seed):
    """Return the map of the phate package and its automatic time."""
    import phate

    model = phate.PHATE(random_state=seed, verbose=0)
    return np.asarray(model.fit_transform(small_set(name, seed))), int(model.optimal_t)


@check(
    "Our PHATE makes the map of the phate package (Procrustes disparity, automatic times).",
    "measured < 0.05",
    reason="Times and potentials agree (on the tree to 0.35 of 16), but the package's stochastic descent stops "
    "early, as it warns: on the trees its maps have normalised stresses of 0.14 to 0.15 where ours and plain "
    "majorisation have 0.11 to 0.13, on the digits (seed 0) 0.179 where ours has 0.166 (majorisation 0.175).",
)
def phate_beside_its_package(seed):
    """Return disparities."""
    ours = {name: PHATE(random_state=seed).fit_transform(small_set(name, seed)) for name in SMALL}
    return Outcome({name: float(procrustes(package(name, seed)[0], Z)[2]) for name, Z in ours.items()})


@check(
    "The automatic time of our PHATE is within two steps of that of the phate package.",
    "abs(measured - baseline) <= 2",
)
def time_beside_the_package(seed):
    """Compare times."""
    measured = {name: float(PHATE(random_state=seed).fit(small_set(name, seed)).t_) for name in SMALL}
    return Outcome(measured, {name: float(package(name, seed)[1]) for name in SMALL})
